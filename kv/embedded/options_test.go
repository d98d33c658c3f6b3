package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// What a small window cannot keep is gone for transactions that began before.
func TestASmallWindowMakesTransactionsTooOldSooner(t *testing.T) {
	const windowBytes = 64 << 10
	db, store := open(t, vfs.NewMem(), embedded.WithWindowBytes(windowBytes))
	defer closeStore(t, store)
	if limit := store.Status().Storage.WindowLimitBytes; limit != windowBytes {
		t.Errorf("the window may hold %d bytes, want %d", limit, windowBytes)
	}
	mustSet(t, db, "a", "1")
	old := db.Begin(context.Background())
	defer old.Cancel()
	if value, err := old.Get([]byte("a")).Wait(); err != nil || string(value) != "1" {
		t.Fatalf("a is %q (%v)", value, err)
	}
	for i := range 100 { // 16 times the window
		mustSet(t, db, fmt.Sprint("key", i), strings.Repeat("v", windowBytes/6))
	}
	// The store waits with what exceeds the window twice, so what can be read
	// has pushed the beginning out.
	expect(t, db, "key99", strings.Repeat("v", windowBytes/6))
	if _, err := old.Get([]byte("b")).Wait(); !errors.Is(err, kv.ErrTransactionTooOld) {
		t.Errorf("a read of before: %v, want transaction_too_old", err)
	}
	if held := store.Status().Storage.WindowBytes; held > 3*windowBytes {
		t.Errorf("the window holds %d bytes, the limit is %d", held, windowBytes)
	}
}

func TestABlockCacheOfTheSizeAskedForServesReads(t *testing.T) {
	fs, values := filled(t)
	// pass reads everything and returns how many blocks were not in the cache.
	pass := func(db *kv.Database, store *embedded.Store) int64 {
		before := store.Status().Storage.CacheMisses
		for key, value := range values {
			expect(t, db, key, value)
		}
		return store.Status().Storage.CacheMisses - before
	}
	db, store := open(t, fs, small(), embedded.WithCacheBytes(16<<10))
	for range 3 {
		if pass(db, store) == 0 {
			t.Error("a cache of 16 KiB holds everything")
		}
	}
	closeStore(t, store)
	// With room for all, reads find everything as soon as compactions, which
	// make new files, have come to their end.
	db, store = open(t, fs, small(), embedded.WithCacheBytes(64<<20))
	defer closeStore(t, store)
	for pass(db, store) > 0 {
		if t.Failed() {
			return
		}
	}
}

func TestTransactionsOfAllPrioritiesAreServed(t *testing.T) {
	db, store := open(t, vfs.NewMem())
	defer closeStore(t, store)
	for i, priority := range []kv.Priority{kv.PriorityBatch, kv.PriorityDefault, kv.PriorityImmediate} {
		count, err := kv.Transact(context.Background(), db, func(tx *kv.Transaction) (int, error) {
			value, err := tx.Get([]byte("count")).Wait()
			tx.Set([]byte("count"), append(value, 'x'))
			return len(value), err
		}, kv.WithPriority(priority))
		if err != nil || count != i {
			t.Errorf("priority %d: %d transactions before it, want %d (%v)", priority, count, i, err)
		}
	}
}

func TestSizesMayBeAsLargeAsNumbersGoButNotNegative(t *testing.T) {
	db, store := open(t, vfs.NewMem(), embedded.WithWindowBytes(math.MaxInt), embedded.WithCacheBytes(math.MaxInt64))
	// A limit takes effect from one step of the window to the next, each of
	// half a million versions.
	for first := store.Status().CommittedVersion; store.Status().CommittedVersion < first+1_500_000; {
		mustSet(t, db, "a", "1")
		expect(t, db, "a", "1")
	}
	closeStore(t, store)
	for _, option := range []embedded.Option{embedded.WithWindowBytes(-1), embedded.WithCacheBytes(-1)} {
		fs := vfs.NewMem()
		if _, _, err := embedded.Open("data", embedded.WithFS(fs), option); !errors.Is(err, kv.ErrInvalidOptionValue) {
			t.Errorf("a negative size: %v", err)
		}
		if _, err := fs.Stat("data"); err == nil {
			t.Error("a directory was made")
		}
	}
}
