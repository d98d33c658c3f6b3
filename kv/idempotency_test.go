package kv_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// addExactlyOnce adds one to the key "k" in a transaction of its own.
func addExactlyOnce(ctx context.Context, db *kv.Database, options ...kv.TransactionOption) (tx *kv.Transaction, runs int, err error) {
	_, err = kv.Transact(ctx, db, func(t *kv.Transaction) (int, error) {
		tx = t
		runs++
		t.Add([]byte("k"), []byte{1})
		return 0, nil
	}, append([]kv.TransactionOption{kv.WithMaxRetryDelay(0)}, options...)...)
	return tx, runs, err
}

// loseFirst makes the first n answers to commits be lost.
func loseFirst(n int) func(context.Context) error {
	return func(context.Context) error {
		if n--; n >= 0 {
			return kv.ErrCommitUnknownResult
		}
		return nil
	}
}

func TestALostAnswerIsFoundOut(t *testing.T) {
	for _, lost := range []error{kv.ErrCommitUnknownResult, kv.ErrClusterVersionChanged} {
		db, store := open(t)
		set(t, db, "before", "")
		store.AfterCommit = func(context.Context) error { return lost }
		var watch *kv.Watch
		var stamp kv.Future[kv.Stamp]
		tx, runs, err := addExactlyOnce(background, db)
		if err != nil || runs != 1 || get(t, db, "k") != `"\x01"` {
			t.Fatalf("error %v after %d runs, value %s", err, runs, get(t, db, "k"))
		}
		must(kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
			watch, stamp = tx.Watch([]byte("k")), tx.Versionstamp()
			tx.SetVersionstampedValue([]byte("stamp"), make([]byte, wire.StampBytes+4))
			return 0, nil
		}))(t)
		if got := must(stamp.Wait())(t); got != kv.Stamp([]byte(string(store.Rows()[2].Value))) {
			t.Errorf("stamp %x, stored %x", got, store.Rows()[2].Value)
		}
		if v, err := tx.CommittedVersion(); err != nil || v >= must(db.Begin(background).ReadVersion())(t) {
			t.Errorf("committed at %d, %v", v, err)
		}
		store.AfterCommit = nil
		set(t, db, "k", "changed")
		if err := watch.Wait(background); err != nil {
			t.Error(err)
		}
	}
}

func TestOnlyTransactWantsExactlyOnceByDefault(t *testing.T) {
	for name, c := range map[string]struct {
		defaults []kv.TransactionOption
		own      []kv.TransactionOption
		transact bool
		ids      int
	}{
		"Transact":          {transact: true, ids: 1},
		"Transact, off":     {own: []kv.TransactionOption{kv.WithExactlyOnce(false)}, transact: true},
		"database off":      {defaults: []kv.TransactionOption{kv.WithExactlyOnce(false)}, transact: true},
		"database off, on":  {defaults: []kv.TransactionOption{kv.WithExactlyOnce(false)}, own: []kv.TransactionOption{kv.WithExactlyOnce(true)}, transact: true, ids: 1},
		"Begin":             {},
		"Begin, on":         {own: []kv.TransactionOption{kv.WithExactlyOnce(true)}, ids: 1},
		"Begin, own id":     {own: []kv.TransactionOption{kv.WithIdempotencyID(make([]byte, 255))}, ids: 1},
		"smallest size":     {own: []kv.TransactionOption{kv.WithSizeLimit(32)}, transact: true, ids: 1},
		"database on":       {defaults: []kv.TransactionOption{kv.WithExactlyOnce(true)}, ids: 1},
		"own id, then off":  {own: []kv.TransactionOption{kv.WithIdempotencyID(make([]byte, 16)), kv.WithExactlyOnce(false)}, transact: true},
		"off, then own id":  {own: []kv.TransactionOption{kv.WithExactlyOnce(false), kv.WithIdempotencyID(make([]byte, 16))}, transact: true, ids: 1},
		"no hot key queues": {transact: true, ids: 1},
	} {
		t.Run(name, func(t *testing.T) {
			db, store := open(t, kv.WithTransactionDefaults(c.defaults...), kv.WithHotKeyQueue(name != "no hot key queues"))
			var err error
			if c.transact {
				_, _, err = addExactlyOnce(background, db, c.own...)
			} else {
				tx := db.Begin(background, c.own...)
				defer tx.Cancel()
				tx.Set([]byte("k"), nil)
				err = tx.Commit()
			}
			if err != nil || store.IDs() != c.ids {
				t.Errorf("%d ids are stored, want %d (%v)", store.IDs(), c.ids, err)
			}
		})
	}
}

func TestReadersStoreNoIDs(t *testing.T) {
	db, store := open(t)
	must(kv.Transact(background, db, func(tx *kv.Transaction) ([]byte, error) { return tx.Get([]byte("k")).Wait() }))(t)
	get(t, db, "k")
	if store.IDs() != 0 || store.Calls("Commit") != 0 {
		t.Errorf("%d ids, %d commits", store.IDs(), store.Calls("Commit"))
	}
}

func TestIDsOfTheWrongLengthAreRefused(t *testing.T) {
	db, store := open(t)
	for _, n := range []int{0, 15, 256} {
		_, _, err := addExactlyOnce(background, db, kv.WithIdempotencyID(make([]byte, n)))
		if !errors.Is(err, kv.ErrInvalidOptionValue) || store.Calls("Commit") > 0 {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// In a loop by hand, Commit itself finds out.
func TestCommitSaysForCertainWhatItsLostAnswerWas(t *testing.T) {
	db, store := open(t)
	commit := func(ctx context.Context) error {
		tx := db.Begin(ctx, kv.WithExactlyOnce(true))
		defer tx.Cancel()
		tx.Add([]byte("k"), []byte{1})
		return tx.Commit()
	}
	store.AfterCommit = loseFirst(1)
	if err := commit(background); err != nil {
		t.Fatal(err)
	}
	first := true
	store.Hook = hookOn("Commit", func(context.Context) error {
		if first {
			first = false
			return kv.ErrCommitUnknownResult // never arrives
		}
		return nil
	})
	mustBe(t, commit(background), kv.ErrNotCommitted)
	if got := get(t, db, "k"); got != `"\x01"` {
		t.Fatalf("value %s", got)
	}
}

func TestAnExpiredIDEndsTheTransaction(t *testing.T) {
	db, store := open(t)
	store.AfterCommit = func(context.Context) error {
		store.ExpireIDs()
		return kv.ErrCommitUnknownResult
	}
	_, runs, err := addExactlyOnce(background, db)
	mustBe(t, err, kv.ErrCommitResultExpired)
	if runs != 1 || kv.Retryable(err) || !kv.MaybeCommitted(err) {
		t.Fatalf("%d runs, %v", runs, err)
	}
}

// Nothing has expired since the transaction's read version, so the look is to
// be believed.
func TestIDsThatExpiredBeforeATransactionDoNotConcernIt(t *testing.T) {
	db, store := open(t)
	set(t, db, "k", "\x00")
	store.ExpireIDs()
	must(db.Begin(background).ReadVersion())(t)
	store.AfterCommit = loseFirst(1)
	if _, runs, err := addExactlyOnce(background, db); err != nil || runs != 1 {
		t.Fatalf("%d runs, %v", runs, err)
	}
}

// What ends the search leaves the outcome unknown, and nothing runs again.
func TestWhatEndsTheSearchLeavesTheOutcomeUnknown(t *testing.T) {
	cancelled := errors.New("cancelled")
	for name, c := range map[string]struct {
		call    string
		fail    error
		options []kv.TransactionOption
	}{
		"no version":       {call: "ReadVersion", fail: kv.ErrIO},
		"no look":          {call: "GetRange", fail: kv.ErrIO},
		"no fence":         {call: "Commit", fail: kv.ErrDatabaseClosed},
		"limit of retries": {call: "GetValues", fail: kv.ErrProcessBehind, options: []kv.TransactionOption{kv.WithRetryLimit(3)}},
		"context":          {call: "GetRange", fail: cancelled},
		"during the pause": {call: "GetRange", fail: kv.ErrFutureVersion},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db, store := open(t)
				must(db.Begin(background).ReadVersion())(t)
				ctx, cancel := context.WithCancelCause(background)
				defer cancel(nil)
				lost := false
				store.AfterCommit = func(context.Context) error {
					lost = true
					return kv.ErrCommitUnknownResult
				}
				store.Hook = func(_ context.Context, call string) error {
					switch {
					case call == "Commit" && c.call == call && !lost: // never arrives
						lost = true
						return kv.ErrCommitUnknownResult
					case call != c.call || !lost:
						return nil
					}
					if name == "context" || name == "during the pause" {
						cancel(cancelled)
					}
					return c.fail
				}
				_, runs, err := addExactlyOnce(ctx, db, c.options...)
				mustBe(t, err, kv.ErrCommitUnknownResult)
				if runs != 1 || c.fail != kv.ErrFutureVersion && !errors.Is(err, c.fail) {
					t.Errorf("%d runs, %v", runs, err)
				}
				if calls := store.Calls("GetValues"); name == "limit of retries" && calls != 4 {
					t.Errorf("%d looks", calls)
				}
			})
		})
	}
}

func TestATimeOutDuringTheSearchStaysOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store := open(t)
		store.AfterCommit = loseFirst(1)
		store.Hook = hookOn("GetRange", func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		})
		_, runs, err := addExactlyOnce(background, db, kv.WithTimeout(1))
		mustBe(t, err, kv.ErrTransactionTimedOut)
		if runs > 1 || !kv.MaybeCommitted(err) {
			t.Errorf("%d runs, %v", runs, err)
		}
	})
}

// Two transactions that stand for one: one is applied, both succeed.
func TestTransactionsWithTheSameIDAreAppliedOnce(t *testing.T) {
	db, store := open(t)
	id := kv.WithIdempotencyID(bytes.Repeat([]byte("id"), 8))
	first := true
	_, outer, err := addMeanwhile(db, id, func() {
		if first {
			first = false
			if _, _, err := addExactlyOnce(background, db, id); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil || outer != 1 || get(t, db, "k") != `"\x01"` || store.IDs() != 1 {
		t.Fatalf("%v after %d runs, value %s, %d ids", err, outer, get(t, db, "k"), store.IDs())
	}
}

// addMeanwhile is addExactlyOnce, and does something between the read version and the
// commit.
func addMeanwhile(db *kv.Database, option kv.TransactionOption, meanwhile func()) (tx *kv.Transaction, runs int, err error) {
	_, err = kv.Transact(background, db, func(t *kv.Transaction) (int, error) {
		runs++
		if _, err := t.ReadVersion(); err != nil {
			return 0, err
		}
		t.Add([]byte("k"), []byte{1})
		meanwhile()
		return 0, nil
	}, option)
	return tx, runs, err
}

// A read version of the future is above that of the fence: the first copy could
// still commit behind a fence below it.
func TestAFenceBelowTheReadVersionIsNone(t *testing.T) {
	db, store := open(t)
	now := must(db.Begin(background).ReadVersion())(t)
	ahead := now + 1000 // a hundred commits of the model
	lost := true
	store.Hook = hookOn("Commit", func(context.Context) error {
		defer func() { lost = false }()
		if lost {
			return kv.ErrCommitUnknownResult
		}
		return nil
	})
	tx := db.Begin(background, kv.WithExactlyOnce(true), kv.WithMaxRetryDelay(0))
	defer tx.Cancel()
	tx.SetReadVersion(ahead)
	tx.Set([]byte("k"), nil)
	mustBe(t, tx.Commit(), kv.ErrNotCommitted)
	if v := must(db.Begin(background).ReadVersion())(t); v <= ahead {
		t.Errorf("the fence is at %d, the read version is %d", v, ahead)
	}
}
