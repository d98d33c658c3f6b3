package kv_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/plinthdb/plinth/kv"
)

// An append that does not fit changes nothing, in the transaction's own view as
// in the store.
func TestAnAppendThatDoesNotFitKeepsTheOldValue(t *testing.T) {
	for _, c := range []struct{ old, operand, want int }{
		{kv.MaxValueBytes - 3, 3, kv.MaxValueBytes},
		{kv.MaxValueBytes - 3, 4, kv.MaxValueBytes - 3},
		{kv.MaxValueBytes, 1, kv.MaxValueBytes},
	} {
		for _, stored := range []bool{true, false} {
			db, store := open(t)
			key := []byte("k")
			tx := db.Begin(background)
			tx.Set(key, bytes.Repeat([]byte("v"), c.old))
			if stored {
				if err := tx.Commit(); err != nil {
					t.Fatal(err)
				}
				tx.Reset()
			}
			tx.AppendIfFits(key, bytes.Repeat([]byte("w"), c.operand))
			own := must(tx.Get(key).Wait())(t)
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			tx.Cancel()
			if got := store.Rows()[0].Value; len(own) != c.want || !bytes.Equal(got, own) {
				t.Errorf("%d bytes after %d: %d in the transaction, %d in the store, want %d", c.operand, c.old, len(own), len(got), c.want)
			}
		}
	}
}

// A selector that runs off an end gives that end, however far it goes.
func TestSelectorsThatOverrunAreClamped(t *testing.T) {
	for _, own := range []bool{false, true} {
		db := loadSystem(t)
		tx := db.Begin(background)
		if own {
			tx.Set([]byte("c"), nil)
		}
		for _, c := range []struct {
			key    string
			offset int
			want   string
		}{
			{"a", 100, "\xff"}, {"\xff", 1, "\xff"}, {"a", math.MaxInt32, "\xff"},
			{"b", -100, ""}, {"", 0, ""}, {"b", math.MinInt32, ""},
		} {
			if key := must(tx.GetKey(kv.KeySelector{Key: []byte(c.key), Offset: c.offset}).Wait())(t); string(key) != c.want {
				t.Errorf("%q and %d on: %q, want %q", c.key, c.offset, key, c.want)
			}
		}
		whole := tx.RangeSelectors(kv.KeySelector{Key: []byte("b"), Offset: -100}, kv.KeySelector{Key: []byte("a"), Offset: 100}, kv.RangeOptions{})
		want := 2
		if own {
			want = 3
		}
		if rows := must(whole.Slice())(t); len(rows) != want {
			t.Errorf("rows between the ends: %q", rows)
		}
		tx.Cancel()
	}
}

// A watch reports what its own transaction changes after making it.
func TestAWatchFiresOnALaterWriteOfItsOwnTransaction(t *testing.T) {
	db, _ := open(t)
	tx := db.Begin(background)
	defer tx.Cancel()
	tx.Set([]byte("k"), []byte("before"))
	w := tx.Watch([]byte("k"))
	tx.Set([]byte("k"), []byte("after"))
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := w.Wait(background); err != nil {
		t.Error(err)
	}
}
