package embedded_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// begin asks for a read version with these options, once.
func begin(db *kv.Database, options ...kv.TransactionOption) error {
	tx := db.Begin(context.Background(), options...)
	defer tx.Cancel()
	_, err := tx.ReadVersion()
	return err
}

// While the storage server cannot keep up, batch transactions wait and are told
// so, and others begin. Transact tries them again until the store has caught up.
func TestBatchTransactionsWaitWhileTheStoreIsLoaded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stuck atomic.Bool
		free := make(chan struct{})
		fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
			if stuck.Load() && strings.Contains(op.Path, "storage") && op.Kind.ReadOrWrite() != errorfs.OpIsRead {
				<-free
			}
			return nil
		}))
		db, store := open(t, fs, small())
		defer closeStore(t, store)
		stuck.Store(true)
		for store.Status().LimitedBy == "workload" {
			if err := commitOnce(t, db, func(tx *kv.Transaction) {
				tx.Set([]byte("k"), make([]byte, kv.MaxValueBytes))
			}); err != nil {
				t.Fatal(err)
			}
			<-time.After(100 * time.Millisecond)
		}
		batch := kv.WithPriority(kv.PriorityBatch)
		for name, err := range map[string]error{
			"reads":  begin(db, batch),
			"writes": commitOnce(t, db, func(tx *kv.Transaction) { tx.Set([]byte("k"), nil) }, batch),
		} {
			if !errors.Is(err, kv.ErrBatchThrottled) {
				t.Errorf("a batch transaction that %s: %v", name, err)
			}
		}
		for _, p := range []kv.Priority{kv.PriorityDefault, kv.PriorityImmediate} {
			if err := begin(db, kv.WithPriority(p)); err != nil {
				t.Errorf("a transaction of priority %d: %v", p, err)
			}
		}
		done := make(chan error)
		go func() {
			_, err := kv.Transact(context.Background(), db, func(tx *kv.Transaction) (int, error) {
				_, err := tx.ReadVersion()
				tx.Set([]byte("batch"), []byte("done"))
				return 0, err
			}, batch)
			done <- err
		}()
		<-time.After(3 * time.Second)
		stuck.Store(false)
		close(free)
		if err := <-done; err != nil {
			t.Errorf("a batch transaction that is tried again: %v", err)
		}
		if s := store.Status().ReadVersions; s.RefusedBatch < 2 || s.StartsBatch != 1 || s.Held < 2 {
			t.Errorf("status %+v", s)
		}
	})
}

// A limit on a tag holds from its commit on, also after the store was opened
// again.
func TestALimitOnATagOutlivesTheStore(t *testing.T) {
	fs, ctx := vfs.NewMem(), context.Background()
	db, store := open(t, fs)
	for _, tag := range []string{"none", "free"} {
		if err := kv.ThrottleTag(ctx, db, kv.TagThrottle{Tag: tag}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := kv.UnthrottleTag(ctx, db, "free"); err != nil {
		t.Fatal(err)
	}
	check := func(when string, store *embedded.Store, db *kv.Database) {
		t.Helper()
		if err := begin(db, kv.WithTag("none"), kv.WithTag("free")); !errors.Is(err, kv.ErrTagThrottled) {
			t.Errorf("%s: a transaction with the tag: %v", when, err)
		}
		for name, err := range map[string]error{
			"another tag":       begin(db, kv.WithTag("free")),
			"a higher priority": begin(db, kv.WithTag("none"), kv.WithPriority(kv.PriorityImmediate)),
			"no tag":            begin(db),
		} {
			if err != nil {
				t.Errorf("%s: a transaction with %s: %v", when, name, err)
			}
		}
		if s := store.Status().ReadVersions; s.ThrottledTags != 1 || s.RefusedTag != 1 || len(s.Tags) != 2 {
			t.Errorf("%s: status %+v", when, s)
		}
	}
	check("at once", store, db)
	closeStore(t, store)
	db, store = open(t, fs)
	check("after opening again", store, db)
	if found, err := kv.UnthrottleTag(ctx, db, "none"); err != nil || !found {
		t.Errorf("taking the limit away: %v, %v", found, err)
	}
	if err := begin(db, kv.WithTag("none")); err != nil {
		t.Errorf("without the limit: %v", err)
	}
	closeStore(t, store)
}
