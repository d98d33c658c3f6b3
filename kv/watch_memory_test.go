package kv_test

import (
	"runtime"
	"testing"
	"weak"

	"github.com/plinthdb/plinth/kv"
)

// watchAndForget commits a transaction that watches a key, and returns the
// watch and a pointer that does not keep the transaction in memory.
//
//go:noinline
func watchAndForget(t *testing.T, db *kv.Database, write bool) (*kv.Watch, weak.Pointer[kv.Transaction]) {
	t.Helper()
	tx := db.Begin(background)
	defer tx.Cancel()
	must(tx.Get([]byte("k")).Wait())(t)
	w := tx.Watch([]byte("k"))
	if write {
		tx.Set([]byte("other"), make([]byte, kv.MaxValueBytes))
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	return w, weak.Make(tx)
}

// A watch may last for days, and there may be a million of them: none may keep
// what its transaction wrote and read.
func TestAWatchDoesNotKeepItsTransactionInMemory(t *testing.T) {
	for name, c := range map[string]struct {
		options []kv.DatabaseOption
		write   bool
		cancel  bool
	}{
		"after a commit":            {write: true},
		"after reading":             {},
		"with a tracer":             {options: []kv.DatabaseOption{kv.WithTracer(&recorder{})}, write: true},
		"of a watch that has ended": {write: true, cancel: true},
	} {
		t.Run(name, func(t *testing.T) {
			db, _ := open(t, c.options...)
			set(t, db, "k", "v")
			w, tx := watchAndForget(t, db, c.write)
			if c.cancel {
				w.Cancel()
			}
			runtime.GC()
			if tx.Value() != nil {
				t.Error("the transaction is still in memory")
			}
			if isDone(w) != c.cancel {
				t.Errorf("the watch has ended: %v", w.Err())
			}
			runtime.KeepAlive(w)
		})
	}
}

// Somebody may cancel a watch while its transaction commits.
func TestAWatchMayEndBeforeItIsArmed(t *testing.T) {
	db, _ := open(t)
	tx := db.Begin(background)
	defer tx.Cancel()
	w, stays := tx.Watch([]byte("k")), tx.Watch([]byte("k"))
	w.Cancel()
	tx.Set([]byte("other"), nil)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	mustBe(t, w.Wait(background), kv.ErrTransactionCancelled)
	set(t, db, "k", "v")
	if err := stays.Wait(background); err != nil {
		t.Error(err)
	}
}
