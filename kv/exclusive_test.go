package kv_test

import (
	"sync"
	"testing"

	"github.com/plinthdb/plinth/kv"
)

func TestExclusivelyLetsOneGoroutineAfterTheOther(t *testing.T) {
	db, _ := open(t)
	tx := db.Begin(background)
	defer tx.Cancel()
	var group sync.WaitGroup
	key := []byte("counter")
	for range 8 {
		group.Go(func() {
			for range 20 {
				if err := tx.Exclusively(func() error { return growByOne(tx, key) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if value := must(tx.Get(key).Wait())(t); len(value) != 8*20 {
		t.Errorf("%d of %d steps were kept", len(value), 8*20)
	}
	mustBe(t, tx.Exclusively(func() error { return kv.ErrNotCommitted }), kv.ErrNotCommitted)
}

// growByOne reads a value and writes it with one byte more.
func growByOne(tx *kv.Transaction, key []byte) error {
	value, err := tx.Get(key).Wait()
	if err == nil {
		tx.Set(key, append(value, 'x'))
	}
	return err
}

// TestClearRangeWithoutConflictLeavesTheNextWriteAlone (K5).
func TestClearRangeWithoutConflictLeavesTheNextWriteAlone(t *testing.T) {
	store := &spy{Store: load(map[string]string{"a": "", "b": "", "c": ""})}
	db := kv.NewDatabase(store)
	defer db.Close()
	tx := db.Begin(background)
	defer tx.Cancel()
	tx.NextWriteWithoutConflict()
	tx.ClearRangeWithoutConflict(kv.KeyRange{Begin: []byte("a"), End: []byte("b")})
	tx.Clear([]byte("b"))
	tx.Clear([]byte("c"))
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{"a": false, "b": false, "c": true} {
		if got := covers(store.last.WriteConflicts, key); got != want {
			t.Errorf("key %q among the write conflicts: %t, want %t", key, got, want)
		}
	}
	if rows := store.Rows(); len(rows) != 0 {
		t.Errorf("rows are left: %q", rows)
	}
}
