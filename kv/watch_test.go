package kv_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
)

// watch commits a transaction that runs before and then watches key.
func watch(t *testing.T, db *kv.Database, key string, before func(tx *kv.Transaction)) *kv.Watch {
	t.Helper()
	return must(kv.Transact(background, db, func(tx *kv.Transaction) (*kv.Watch, error) {
		if before != nil {
			before(tx)
		}
		return tx.Watch([]byte(key)), nil
	}))(t)
}

func isDone(w *kv.Watch) bool {
	select {
	case <-w.Done():
		return true
	default:
		return false
	}
}

func TestAWatchFiresWhenTheValueChanges(t *testing.T) {
	for name, c := range map[string]struct {
		before func(tx *kv.Transaction) // in the watching transaction
		change func(tx *kv.Transaction) // in another one
	}{
		"set":         {nil, func(tx *kv.Transaction) { tx.Set([]byte("k"), []byte("new")) }},
		"clear":       {nil, func(tx *kv.Transaction) { tx.Clear([]byte("k")) }},
		"empty":       {func(tx *kv.Transaction) { tx.Clear([]byte("k")) }, func(tx *kv.Transaction) { tx.Set([]byte("k"), nil) }},
		"own write":   {func(tx *kv.Transaction) { tx.Set([]byte("k"), []byte("own")) }, func(tx *kv.Transaction) { tx.Set([]byte("k"), []byte("old")) }},
		"own atomics": {func(tx *kv.Transaction) { tx.AppendIfFits([]byte("k"), []byte("!")) }, func(tx *kv.Transaction) { tx.Set([]byte("k"), []byte("old")) }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db, _ := open(t)
				set(t, db, "k", "old")
				w := watch(t, db, "k", c.before)
				set(t, db, "other", "v")
				set(t, db, "k", must(kv.ReadTransact(background, db, func(r kv.Reader) (string, error) {
					value, err := r.Get([]byte("k")).Wait()
					if value == nil {
						return "to be cleared", err
					}
					return string(value), err
				}))(t)) // the same value again
				if name != "empty" {
					synctest.Wait()
					if isDone(w) {
						t.Fatal("fired although the value is the same")
					}
				}
				must(kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
					c.change(tx)
					return 0, nil
				}))(t)
				if err := w.Wait(background); err != nil || w.Err() != nil {
					t.Fatalf("errors %v and %v", err, w.Err())
				}
			})
		})
	}
}

func TestAWatchSeesAChangeBetweenReadingAndArming(t *testing.T) {
	db, _ := open(t)
	tx := db.Begin(background)
	defer tx.Cancel()
	must(tx.Get([]byte("j")).Wait())(t)
	w := tx.Watch([]byte("k"))
	set(t, db, "k", "theirs")
	tx.Set([]byte("mine"), nil)
	if err := tx.Commit(); err != nil {
		t.Fatalf("watching must not conflict: %v", err)
	}
	if err := w.Wait(background); err != nil {
		t.Fatal(err)
	}
}

func TestAWatchOfATransactionThatFailsFails(t *testing.T) {
	db, _ := open(t)
	tx := db.Begin(background)
	w := tx.Watch([]byte("k"))
	tx.Reset()
	mustBe(t, w.Wait(background), kv.ErrTransactionCancelled)
	must(tx.Get([]byte("k")).Wait())(t)
	w = tx.Watch([]byte("k"))
	set(t, db, "k", "theirs")
	tx.Set([]byte("mine"), nil)
	mustBe(t, tx.Commit(), kv.ErrNotCommitted)
	mustBe(t, w.Wait(background), kv.ErrNotCommitted)
	tx.Cancel()
	mustBe(t, tx.Watch([]byte("k")).Wait(background), kv.ErrTransactionCancelled)
}

// TestAWatchOutlivesItsTransactionAndEndsByItself also checks K11: Close ends it.
func TestAWatchOutlivesItsTransactionAndEndsByItself(t *testing.T) {
	for name, options := range map[string][]kv.DatabaseOption{
		"unobserved": nil,
		"traced":     {kv.WithTracer(&recorder{})},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { outliveAndEnd(t, options) })
		})
	}
}

func outliveAndEnd(t *testing.T, options []kv.DatabaseOption) {
	db, _ := open(t, options...)
	ctx, cancel := context.WithCancel(background)
	w := must(kv.Transact(ctx, db, func(tx *kv.Transaction) (*kv.Watch, error) { return tx.Watch([]byte("k")), nil }))(t)
	mustBe(t, func() error { cancel(); return w.Wait(ctx) }(), context.Canceled)
	synctest.Wait()
	if isDone(w) {
		t.Fatal("ended with the context of its transaction")
	}
	w.Cancel()
	w.Cancel()
	mustBe(t, w.Wait(background), kv.ErrTransactionCancelled)
	w = watch(t, db, "k", nil)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	mustBe(t, w.Wait(background), kv.ErrDatabaseClosed)
}

func TestAWatchIsArmedAgainAfterErrorsThatPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store := open(t)
		errorsLeft := 3
		store.Hook = hookOn("Watch", func(context.Context) error {
			if errorsLeft--; errorsLeft >= 0 {
				return kv.ErrTransactionTooOld
			}
			return nil
		})
		w := watch(t, db, "k", nil)
		set(t, db, "k", "v")
		if err := w.Wait(background); err != nil {
			t.Fatal(err)
		}
		if n := store.Calls("Watch"); n != 4 {
			t.Fatalf("asked %d times, want 4", n)
		}
	})
}

// slowCommit is a store that learns late which versions are committed.
type slowCommit struct {
	*model.Store
	known atomic.Int64 // the newest read version; 0: no bound
}

func (s *slowCommit) ReadVersion(ctx context.Context, req wire.ReadVersionRequest) (wire.ReadVersionReply, error) {
	reply, err := s.Store.ReadVersion(ctx, req)
	if known := kv.Version(s.known.Load()); known > 0 {
		reply.Version = min(reply.Version, known)
	}
	return reply, err
}

// A storage server has a change before the store says that it is committed. Who
// waits with a watch and then reads must find the change all the same. (The
// simulation's workload Watches found it at 14eb105; its seed was not kept.)
func TestAWatchFiresOnlyWhenItsChangeCanBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &slowCommit{Store: model.New()}
		db := kv.NewDatabase(store)
		defer db.Close()
		set(t, db, "k", "old")
		w := watch(t, db, "k", nil)
		tx := db.Begin(background)
		defer tx.Cancel()
		store.known.Store(int64(must(tx.ReadVersion())(t)))
		set(t, db, "k", "new")
		synctest.Wait()
		if isDone(w) {
			t.Fatal("fired before anybody could read the change")
		}
		store.known.Store(0)
		if err := w.Wait(background); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAnErrorThatDoesNotPassEndsAWatch(t *testing.T) {
	db, store := open(t)
	store.Hook = hookOn("Watch", func(context.Context) error { return kv.ErrIO })
	mustBe(t, watch(t, db, "k", nil).Wait(background), kv.ErrIO)
}

func TestWatchesAreLimited(t *testing.T) {
	db, _ := open(t, kv.WithMaxWatches(2))
	first, second := watch(t, db, "k", nil), watch(t, db, "k", nil)
	mustBe(t, watch(t, db, "k", nil).Wait(background), kv.ErrTooManyWatches)
	first.Cancel()
	third := watch(t, db, "k", nil)
	set(t, db, "k", "v")
	for _, w := range []*kv.Watch{second, third} {
		if err := w.Wait(background); err != nil {
			t.Fatal(err)
		}
	}
	watch(t, db, "k", nil).Cancel()
}

func TestTheLimitOfWatchesCanBeChanged(t *testing.T) {
	db, _ := open(t)
	mustBe(t, db.SetMaxWatches(-1), kv.ErrInvalidOptionValue)
	mustBe(t, db.SetMaxWatches(1_000_001), kv.ErrInvalidOptionValue)
	if err := db.SetMaxWatches(1); err != nil {
		t.Fatal(err)
	}
	first := watch(t, db, "k", nil)
	mustBe(t, watch(t, db, "k", nil).Wait(background), kv.ErrTooManyWatches)
	if err := db.SetMaxWatches(2); err != nil {
		t.Fatal(err)
	}
	second := watch(t, db, "k", nil)
	set(t, db, "k", "v")
	for _, w := range []*kv.Watch{first, second} {
		if err := w.Wait(background); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAWatchOnWhatCannotBeReadFailsAlone(t *testing.T) {
	db, store := open(t)
	stamped := func(tx *kv.Transaction) { tx.SetVersionstampedValue([]byte("k"), stampParam("", 0)) }
	mustBe(t, watch(t, db, "k", stamped).Wait(background), kv.ErrAccessedUnreadable)
	mustBe(t, watch(t, db, "\xff", nil).Wait(background), kv.ErrKeyOutsideLegalRange)
	if len(store.Rows()) != 1 {
		t.Fatal("the transaction was not committed")
	}
	tx := db.Begin(background, kv.WithReadYourWrites(false))
	defer tx.Cancel()
	mustBe(t, tx.Watch([]byte("k")).Wait(background), kv.ErrWatchesDisabled)
}

// Found by seeds 48 and 89 at 80cee57 (AutomaticIdempotency): the time-out of a
// transaction came between the store's answer to its commit and Commit's
// return, which was nil, and its stamp and watches failed all the same.
func TestWhatEndsATransactionDuringItsCommitLeavesTheOutcomeToTheCommit(t *testing.T) {
	for _, lost := range []error{nil, kv.ErrIO} {
		db, store := open(t)
		tx := db.Begin(background)
		tx.Set([]byte("k"), nil)
		stamp, watch := tx.Versionstamp(), tx.Watch([]byte("watched"))
		told := make(chan error, 1)
		store.AfterCommit = func(context.Context) error {
			tx.Cancel()
			go func() {
				_, err := stamp.Wait()
				told <- err
			}()
			return lost
		}
		if err := tx.Commit(); !errors.Is(err, lost) {
			t.Fatalf("Commit: %v, want %v", err, lost)
		}
		if _, err := stamp.Wait(); !errors.Is(err, lost) {
			t.Errorf("the stamp after a commit with error %v: %v", lost, err)
		}
		if err := <-told; !errors.Is(err, lost) {
			t.Errorf("the stamp during a commit with error %v: %v", lost, err)
		}
		if err := watch.Err(); !errors.Is(err, lost) {
			t.Errorf("the watch after a commit with error %v: %v", lost, err)
		}
		watch.Cancel()
	}
}
