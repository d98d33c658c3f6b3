package kv_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/plinthdb/plinth/kv"
)

func keyOf(row kv.KeyValue) (string, error) { return string(row.Key), nil }

// TestSlicesOfOwnTypesHaveAllRows reads in one piece and in many, with and
// without own writes.
func TestSlicesOfOwnTypesHaveAllRows(t *testing.T) {
	stored := map[string]string{}
	var keys []string
	for i := range 40 {
		key := fmt.Sprintf("%02d", i)
		stored[key], keys = string(make([]byte, 98)), append(keys, key)
	}
	reversed := slices.Clone(keys)
	slices.Reverse(reversed)
	store := &pieces{Store: load(stored)}
	db := kv.NewDatabase(store)
	for name, c := range map[string]struct {
		options kv.RangeOptions
		pieces  int
		want    []string
	}{
		"one piece":   {kv.RangeOptions{}, 1, keys},
		"many":        {kv.RangeOptions{Mode: kv.StreamingSmall}, 4, keys},
		"backwards":   {kv.RangeOptions{Mode: kv.StreamingSmall, Reverse: true}, 4, reversed},
		"limit":       {kv.RangeOptions{Mode: kv.StreamingSmall, Limit: 15}, 2, keys[:15]},
		"whole limit": {kv.RangeOptions{Limit: 40}, 1, keys},
		"bytes":       {kv.RangeOptions{LimitBytes: 500}, 1, keys[:5]},
	} {
		for _, own := range []bool{false, true} {
			tx := db.Begin(background)
			if own {
				tx.Set([]byte(keys[3]), make([]byte, 98))
			}
			store.rows = nil
			got := must(kv.SliceOf(tx.Range(kv.AllKeys(), c.options), keyOf))(t)
			if !slices.Equal(got, c.want) || !own && len(store.rows) != c.pieces {
				t.Errorf("%s, own writes %t: %q in %d pieces", name, own, got, len(store.rows))
			}
			tx.Cancel()
		}
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// TestALimitOfBytesMayComeLater reads the beginning of a range as it was when it
// was called for, in both directions; the rest adds no conflict.
func TestALimitOfBytesMayComeLater(t *testing.T) {
	for _, reverse := range []bool{false, true} {
		db := kv.NewDatabase(load(map[string]string{"a": "1", "b": "2", "c": "3", "d": "4"}))
		tx := db.Begin(background)
		tx.Set([]byte("b"), []byte("5"))
		rows := tx.Range(kv.AllKeys(), kv.RangeOptions{Reverse: reverse})
		tx.Clear([]byte("a"))
		tx.Clear([]byte("d"))
		want, untouched := `"a"="1" "b"="5" `, "d"
		if reverse {
			want, untouched = `"d"="4" "c"="3" `, "a"
		}
		if got := rowsText(rows.WithLimitBytes(3).Slice()); got != want {
			t.Errorf("backwards %t: %s", reverse, got)
		}
		_, err := rows.WithLimitBytes(-1).Slice()
		mustBe(t, err, kv.ErrRangeLimitsInvalid)
		set(t, db, untouched, "changed")
		if err := tx.Commit(); err != nil {
			t.Errorf("backwards %t: %v", reverse, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestASliceWithoutRowsIsNotNil(t *testing.T) {
	db, _ := open(t)
	tx := db.Begin(background)
	defer tx.Cancel()
	for _, r := range []kv.KeyRange{kv.AllKeys(), {}} {
		if rows := must(tx.Range(r, kv.RangeOptions{}).Slice())(t); rows == nil || len(rows) != 0 {
			t.Errorf("rows of %q: %#v", r, rows)
		}
	}
}

func TestAnErrorOfTheConversionEndsTheSlice(t *testing.T) {
	db, _ := open(t)
	set(t, db, "a", "")
	set(t, db, "b", "")
	broken := errors.New("broken")
	for _, r := range []kv.KeyRange{kv.AllKeys(), kv.PrefixRange([]byte("\xff\xff/transaction/read_conflict_range/"))} {
		tx := db.Begin(background)
		must(tx.Get([]byte("a")).Wait())(t) // for a special row
		seen := 0
		rows, err := kv.SliceOf(tx.Range(r, kv.RangeOptions{}), func(kv.KeyValue) (int, error) {
			seen++
			return 0, broken
		})
		if err != broken || rows != nil || seen != 1 {
			t.Errorf("%d rows after %d: %v", len(rows), seen, err)
		}
		tx.Cancel()
	}
}

// TestWhatAConversionHasSeenConflicts (K4): it may panic, and the program go on
// with what it knows.
func TestWhatAConversionHasSeenConflicts(t *testing.T) {
	db, _ := open(t)
	set(t, db, "a", "")
	tx := db.Begin(background)
	defer tx.Cancel()
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic did not pass through")
			}
		}()
		_, _ = kv.SliceOf(tx.Range(kv.AllKeys(), kv.RangeOptions{}), func(kv.KeyValue) (int, error) { panic("seen") })
	}()
	set(t, db, "a", "changed")
	tx.Set([]byte("b"), nil)
	mustBe(t, tx.Commit(), kv.ErrNotCommitted)
}
