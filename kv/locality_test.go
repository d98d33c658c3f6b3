package kv_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
)

// TestSizesAndSplitPointsCoverTheRange compares estimates with the rows, and
// checks that the chunks between the points make up the range.
func TestSizesAndSplitPointsCoverTheRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := bases.Draw(t, "base")
		db := kv.NewDatabase(load(base))
		defer db.Close()
		tx := db.Begin(background)
		defer tx.Cancel()
		tx.Set([]byte("own"), []byte("not counted"))
		span := drawSpan(t)
		r := span.KeyRange()
		want := int64(0)
		for k, v := range base {
			if span.Contains(k) {
				want += int64(len(k) + len(v))
			}
		}
		if got, err := tx.EstimateRangeBytes(r).Wait(); err != nil || got != want {
			t.Fatalf("%d bytes in %q, want %d; error %v", got, span, want, err)
		}
		chunk := rapid.Int64Range(1, 10).Draw(t, "chunk")
		points, err := tx.SplitPoints(r, chunk).Wait()
		if err != nil || len(points) < 2 || !bytes.Equal(points[0], r.Begin) || !bytes.Equal(points[len(points)-1], r.End) {
			t.Fatalf("points %q of %q, error %v", points, span, err)
		}
		total := int64(0)
		for i := range len(points) - 1 {
			n, err := tx.EstimateRangeBytes(kv.KeyRange{Begin: points[i], End: points[i+1]}).Wait()
			if err != nil || i+2 < len(points) && n < chunk {
				t.Fatalf("chunk from %q of %d bytes, want at least %d; error %v", points[i], n, chunk, err)
			}
			total += n
		}
		if total != want {
			t.Fatalf("%d bytes in the chunks of %d", total, want)
		}
	})
}

func TestBoundariesAndAddressesAreTheShards(t *testing.T) {
	db, store := open(t)
	store.Boundaries = []string{"b", "d", "f"}
	for _, c := range []struct {
		begin, end string
		limit      int
		want       string
	}{
		{"", "\xff", 0, `["" "b" "d" "f"]`},
		{"", "\xff", 2, `["" "b"]`},
		{"a", "e", 0, `["b" "d"]`},
		{"a", "e", 1, `["b"]`},
		{"b", "d", 0, `["b"]`},
		{"c", "c", 0, `[]`},
	} {
		got := must(db.BoundaryKeys(background, kv.KeyRange{Begin: []byte(c.begin), End: []byte(c.end)}, c.limit))(t)
		if fmt.Sprintf("%q", got) != c.want {
			t.Errorf("from %q to %q, limit %d: %q, want %s", c.begin, c.end, c.limit, got, c.want)
		}
	}
	tx := db.Begin(background)
	defer tx.Cancel()
	for key, want := range map[string]string{"": "127.0.0.1:0", "b": "127.0.0.1:1", "c": "127.0.0.1:1", "z": "127.0.0.1:3"} {
		if got := must(tx.AddressesForKey([]byte(key)).Wait())(t); len(got) != 1 || got[0] != want {
			t.Errorf("key %q is at %s, want %s", key, got, want)
		}
	}
	// None of it is a read of the transaction.
	tx.SetOptions(kv.WithReadYourWrites(false))
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
}

func TestLocalityRefusesWhatItCannotSay(t *testing.T) {
	inverted := kv.KeyRange{Begin: []byte("b"), End: []byte("a")}
	calls := map[string]func(tx *kv.Transaction) error{
		"inverted size":  func(tx *kv.Transaction) error { _, err := tx.EstimateRangeBytes(inverted).Wait(); return err },
		"inverted split": func(tx *kv.Transaction) error { _, err := tx.SplitPoints(inverted, 1).Wait(); return err },
		"system size":    func(tx *kv.Transaction) error { _, err := tx.EstimateRangeBytes(kv.SystemKeys()).Wait(); return err },
		"no chunk":       func(tx *kv.Transaction) error { _, err := tx.SplitPoints(kv.AllKeys(), 0).Wait(); return err },
	}
	want := map[string]error{
		"inverted size": kv.ErrInvertedRange, "inverted split": kv.ErrInvertedRange,
		"system size": kv.ErrKeyOutsideLegalRange, "no chunk": kv.ErrClientInvalidOperation,
	}
	for name, call := range calls {
		db, _ := open(t)
		tx := db.Begin(background)
		if err := call(tx); !errors.Is(err, want[name]) {
			t.Errorf("%s: %v", name, err)
		}
		tx.Cancel()
		if err := call(tx); !errors.Is(err, kv.ErrTransactionCancelled) {
			t.Errorf("%s, cancelled: %v", name, err)
		}
		if _, err := db.BoundaryKeys(background, inverted, 0); !errors.Is(err, kv.ErrInvertedRange) {
			t.Errorf("inverted boundaries: %v", err)
		}
	}
	db := kv.NewDatabase(struct{ kv.Backend }{model.New()})
	defer db.Close()
	tx := db.Begin(background)
	defer tx.Cancel()
	_, err := tx.EstimateRangeBytes(kv.AllKeys()).Wait()
	mustBe(t, err, kv.ErrUnsupportedOperation)
	_, err = db.BoundaryKeys(background, kv.AllKeys(), 0)
	mustBe(t, err, kv.ErrUnsupportedOperation)
}
