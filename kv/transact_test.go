package kv_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
)

// open returns a database over a new model.
func open(t *testing.T, options ...kv.DatabaseOption) (*kv.Database, *model.Store) {
	t.Helper()
	store := model.New()
	db := kv.NewDatabase(store, options...)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, store
}

// hookOn returns a hook that calls f on each of the named calls.
func hookOn(name string, f func(ctx context.Context) error) func(context.Context, string) error {
	return func(ctx context.Context, call string) error {
		if call != name {
			return nil
		}
		return f(ctx)
	}
}

func mustBe(t *testing.T, err error, targets ...error) {
	t.Helper()
	for _, target := range targets {
		if !errors.Is(err, target) {
			t.Fatalf("error is %v, want one that is %v", err, target)
		}
	}
}

func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// set writes one key in a transaction of its own.
func set(t testing.TB, db *kv.Database, key, value string) {
	t.Helper()
	must(kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
		tx.Set([]byte(key), []byte(value))
		return 0, nil
	}))(t)
}

// get reads one key in a transaction of its own.
func get(t testing.TB, db *kv.Database, key string) string {
	t.Helper()
	value := must(kv.ReadTransact(background, db, func(r kv.Reader) ([]byte, error) {
		return r.Get([]byte(key)).Wait()
	}))(t)
	return valueText(value)
}

func TestAConflictingTransactionRunsAgain(t *testing.T) {
	db, _ := open(t)
	runs := 0
	_, err := kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
		runs++
		if _, err := tx.Get([]byte("k")).Wait(); err != nil {
			return 0, err
		}
		if runs == 1 {
			set(t, db, "k", "theirs")
		}
		tx.Set([]byte("k"), []byte("mine"))
		return 0, nil
	})
	if err != nil || runs != 2 || get(t, db, "k") != `"mine"` {
		t.Fatalf("error %v after %d runs, value %s", err, runs, get(t, db, "k"))
	}
}

func TestSnapshotReadsDoNotConflict(t *testing.T) {
	db, _ := open(t)
	tx := db.Begin(background)
	defer tx.Cancel()
	must(tx.Snapshot().Get([]byte("k")).Wait())(t)
	must(tx.Snapshot().Range(kv.AllKeys(), kv.RangeOptions{}).Slice())(t)
	set(t, db, "k", "theirs")
	tx.Set([]byte("mine"), nil)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

func TestAnErrorOfTheFunctionIsReturnedAsItIs(t *testing.T) {
	db, store := open(t)
	own := errors.New("own")
	_, err := kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
		tx.Set([]byte("k"), nil)
		return 0, own
	})
	if err != own || store.Calls("Commit") != 0 {
		t.Fatalf("error %v, %d commits", err, store.Calls("Commit"))
	}
}

func TestARetryableErrorOfTheFunctionRunsItAgain(t *testing.T) {
	db, _ := open(t)
	runs := 0
	f := func() (int, error) {
		if runs++; runs%3 != 0 {
			return 0, fmt.Errorf("inner: %w", kv.ErrTransactionTooOld)
		}
		return runs, nil
	}
	if got := must(kv.Transact(background, db, func(*kv.Transaction) (int, error) { return f() }))(t); got != 3 {
		t.Fatalf("%d runs, want 3", got)
	}
	if got := must(kv.ReadTransact(background, db, func(kv.Reader) (int, error) { return f() }))(t); got != 6 {
		t.Fatalf("%d runs, want 6", got)
	}
}

func TestTheRetryLimitEndsATransaction(t *testing.T) {
	db, _ := open(t)
	runs := 0
	_, err := kv.Transact(background, db, func(*kv.Transaction) (int, error) {
		runs++
		return 0, kv.ErrProcessBehind
	}, kv.WithRetryLimit(2), kv.WithMaxRetryDelay(time.Nanosecond))
	mustBe(t, err, kv.ErrProcessBehind)
	if runs != 3 {
		t.Fatalf("%d runs, want 3", runs)
	}
}

func TestBackOffDoublesUpToItsMaximum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, _ := open(t)
		last, runs := time.Now(), 0
		kv.Transact(background, db, func(*kv.Transaction) (int, error) {
			delay, want := time.Since(last), min(10*time.Millisecond<<max(runs-1, 0), time.Second)
			if runs > 0 && (delay < want/2 || delay > want) {
				t.Errorf("pause of %v before run %d, want %v to %v", delay, runs, want/2, want)
			}
			last = time.Now()
			runs++
			return 0, kv.ErrTransactionTooOld
		}, kv.WithRetryLimit(12))
	})
}

func TestAPanicPassesThroughAndCommitsNothing(t *testing.T) {
	db, store := open(t)
	var kept *kv.Transaction
	func() {
		defer func() {
			if recover() != "boo" {
				t.Fatal("the panic was lost")
			}
		}()
		kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
			kept = tx
			tx.Set([]byte("k"), nil)
			panic("boo")
		})
	}()
	mustBe(t, kept.Commit(), kv.ErrTransactionCancelled)
	if store.Calls("Commit") != 0 {
		t.Fatal("something was committed")
	}
}

// TestTheFunctionDoesNotRunAfterItsContext checks K8.
func TestTheFunctionDoesNotRunAfterItsContext(t *testing.T) {
	db, store := open(t)
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(background)
	defer cancel(nil)
	runs := 0
	for range 2 { // ends during the first run; ended before the second call
		_, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (int, error) {
			runs++
			cancel(cause)
			tx.Set([]byte("k"), nil)
			return 0, kv.ErrNotCommitted
		})
		mustBe(t, err, cause, kv.ErrTransactionCancelled)
	}
	if runs != 1 || store.Calls("Commit") != 0 {
		t.Fatalf("%d runs, %d commits", runs, store.Calls("Commit"))
	}
}

func TestTheEndOfTheContextInterruptsAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, _ := open(t)
		ctx, cancel := context.WithTimeout(background, 5*time.Second)
		defer cancel()
		began := time.Now()
		_, err := kv.Transact(ctx, db, func(*kv.Transaction) (int, error) { return 0, kv.ErrDatabaseLocked })
		mustBe(t, err, context.DeadlineExceeded)
		if took := time.Since(began); took != 5*time.Second {
			t.Fatalf("took %v", took)
		}
	})
}

func TestTheTimeOutCountsAllTriesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, _ := open(t)
		began := time.Now()
		_, err := kv.Transact(background, db, func(*kv.Transaction) (int, error) {
			return 0, kv.ErrProcessBehind
		}, kv.WithTimeout(7*time.Second))
		mustBe(t, err, kv.ErrTransactionTimedOut)
		if took := time.Since(began); took != 7*time.Second {
			t.Fatalf("took %v", took)
		}
	})
}

func TestATimeOutThatIsSetLateCountsFromTheBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, _ := open(t)
		began, tx := time.Now(), db.Begin(background)
		defer tx.Cancel()
		<-time.After(2 * time.Second)
		tx.SetOptions(kv.WithTimeout(time.Hour))
		tx.SetOptions(kv.WithTimeout(3 * time.Second))
		_, err := tx.Versionstamp().Wait()
		mustBe(t, err, kv.ErrTransactionTimedOut)
		if took := time.Since(began); took != 3*time.Second {
			t.Fatalf("took %v", took)
		}
		mustBe(t, tx.OnError(kv.ErrNotCommitted), kv.ErrTransactionTimedOut)
		tx.Reset()
		must(tx.ReadVersion())(t)
	})
}

func TestCancelInterruptsAReadUnderWay(t *testing.T) {
	db, store := open(t)
	reading := make(chan struct{})
	store.Hook = hookOn("GetValues", func(ctx context.Context) error {
		close(reading)
		<-ctx.Done()
		return ctx.Err()
	})
	tx := db.Begin(background)
	future := tx.Get([]byte("k"))
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			_, err := future.Wait()
			if !errors.Is(err, kv.ErrTransactionCancelled) {
				t.Errorf("error %v", err)
			}
		})
	}
	<-reading
	tx.Cancel()
	group.Wait()
	_, err := tx.Get([]byte("k")).Wait()
	mustBe(t, err, kv.ErrTransactionCancelled)
}

func TestACommitThatIsInterruptedHasAnUnknownOutcome(t *testing.T) {
	for _, how := range []string{"context", "cancel", "time-out"} {
		t.Run(how, func(t *testing.T) {
			db, store := open(t)
			ctx, cancel := context.WithCancel(background)
			defer cancel()
			var tx *kv.Transaction
			store.AfterCommit = func(ctx context.Context) error {
				switch how {
				case "context":
					cancel()
				case "cancel":
					go tx.Cancel()
				case "time-out":
					tx.SetOptions(kv.WithTimeout(time.Nanosecond))
				}
				<-ctx.Done()
				return ctx.Err()
			}
			tx = db.Begin(ctx)
			defer tx.Cancel()
			tx.Set([]byte("k"), nil)
			if err := tx.Commit(); !kv.MaybeCommitted(err) {
				t.Fatalf("error %v", err)
			}
		})
	}
}

func TestAnUnknownOutcomeIsNotForgottenWhenTheContextEnds(t *testing.T) {
	db, store := open(t)
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	store.AfterCommit = func(context.Context) error {
		cancel()
		return kv.ErrCommitUnknownResult
	}
	_, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (int, error) {
		tx.Set([]byte("k"), nil)
		return 0, nil
	})
	mustBe(t, err, context.Canceled)
	if !kv.MaybeCommitted(err) {
		t.Fatalf("error %v does not say that it may be committed", err)
	}
}

func TestAnUnknownOutcomeIsNotForgottenAtTheRetryLimit(t *testing.T) {
	db, store := open(t)
	store.AfterCommit = func(context.Context) error { return kv.ErrCommitUnknownResult }
	runs := 0
	_, err := kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
		if runs++; runs == 2 {
			return 0, kv.ErrProcessBehind
		}
		tx.Set([]byte("k"), nil)
		return 0, nil
	}, kv.WithRetryLimit(1), kv.WithExactlyOnce(false))
	mustBe(t, err, kv.ErrCommitUnknownResult, kv.ErrProcessBehind)
}

func TestAnUnknownOutcomeRunsAgainIfThatIsWanted(t *testing.T) {
	db, store := open(t)
	lost := 2
	store.AfterCommit = func(context.Context) error {
		if lost--; lost >= 0 {
			return kv.ErrCommitUnknownResult
		}
		return nil
	}
	must(kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
		tx.Add([]byte("k"), []byte{1})
		return 0, nil
	}, kv.WithExactlyOnce(false)))(t)
	// Applied three times: what the comment of Transact warns of.
	if got := get(t, db, "k"); got != `"\x03"` {
		t.Fatalf("value %s", got)
	}
}

// The write of the first try is stored, whatever the second one says.
func TestAnUnknownOutcomeIsNotForgottenOverAnErrorThatEndsTheRetries(t *testing.T) {
	errOwn := errors.New("the function's own")
	for name, c := range map[string]struct {
		second func(tx *kv.Transaction) error
		want   error
	}{
		"of the function": {func(*kv.Transaction) error { return errOwn }, errOwn},
		"of the client": {func(tx *kv.Transaction) error {
			tx.Set(make([]byte, kv.MaxKeyBytes+1), nil)
			return nil
		}, kv.ErrKeyTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			db, store := open(t)
			store.AfterCommit = loseFirst(1)
			runs := 0
			_, err := kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
				if runs++; runs == 2 {
					return 0, c.second(tx)
				}
				tx.Set([]byte("k"), []byte("stored"))
				return 0, nil
			}, kv.WithExactlyOnce(false))
			mustBe(t, err, kv.ErrCommitUnknownResult, c.want)
			if !kv.MaybeCommitted(err) {
				t.Errorf("error %v does not say that it may be committed", err)
			}
			if got := get(t, db, "k"); got != `"stored"` {
				t.Errorf("value %s", got)
			}
		})
	}
}

// What f learns from a transaction of its own says nothing about this one.
func TestAnErrorThatOnlyLooksLikeAnUnknownOutcomeWrapsNothing(t *testing.T) {
	errOwn := errors.New("the function's own")
	for _, exactlyOnce := range []bool{false, true} {
		db, _ := open(t)
		runs := 0
		_, err := kv.Transact(background, db, func(*kv.Transaction) (int, error) {
			if runs++; runs == 1 {
				return 0, kv.ErrCommitUnknownResult
			}
			return 0, errOwn
		}, kv.WithExactlyOnce(exactlyOnce))
		if err != errOwn {
			t.Errorf("exactly once %v: error %v", exactlyOnce, err)
		}
	}
}

func TestALockedDatabaseIsTriedAgain(t *testing.T) {
	db, store := open(t)
	store.SetLocked(true)
	runs := 0
	must(kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
		_, err := tx.Get([]byte("k")).Wait()
		if runs++; runs == 1 {
			mustBe(t, err, kv.ErrDatabaseLocked)
			store.SetLocked(false)
		}
		return 0, err
	}))(t)
}

func TestAClosedDatabaseRefuses(t *testing.T) {
	db, _ := open(t)
	tx := db.Begin(background)
	defer tx.Cancel()
	tx.Set([]byte("k"), nil)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	mustBe(t, tx.Commit(), kv.ErrDatabaseClosed)
	_, err := tx.Get([]byte("other")).Wait()
	mustBe(t, err, kv.ErrDatabaseClosed)
	_, err = kv.Transact(background, db, func(*kv.Transaction) (int, error) { return 0, nil })
	mustBe(t, err, kv.ErrDatabaseClosed)
	mustBe(t, db.Begin(background).Watch([]byte("k")).Err(), kv.ErrDatabaseClosed)
}

// TestTransfersKeepTheirSum is many goroutines that move money.
func TestTransfersKeepTheirSum(t *testing.T) {
	const accounts, movers, moves = 5, 8, 60
	db, _ := open(t)
	key := func(i int) []byte { return []byte{'a', byte(i % accounts)} }
	must(kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
		for i := range accounts {
			tx.Set(key(i), []byte{100})
		}
		return 0, nil
	}))(t)
	var group sync.WaitGroup
	for m := range movers {
		group.Go(func() {
			for i := range moves {
				_, err := kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
					return 0, move(tx, key(m+i), key(m*i+1))
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	sum := 0
	for row, err := range db.Begin(background).Range(kv.AllKeys(), kv.RangeOptions{}).All() {
		if err != nil {
			t.Fatal(err)
		}
		sum += int(row.Value[0])
	}
	if sum != 100*accounts {
		t.Fatalf("sum %d", sum)
	}
}

func move(tx *kv.Transaction, from, to []byte) error {
	source, target := tx.Get(from), tx.Get(to)
	s, err := source.Wait()
	if err != nil {
		return err
	}
	d, err := target.Wait()
	if err != nil {
		return err
	}
	if string(from) == string(to) || s[0] == 0 || d[0] == 255 {
		return nil
	}
	tx.Set(from, []byte{s[0] - 1})
	tx.Set(to, []byte{d[0] + 1})
	return nil
}

var _ kv.Backend = (*model.Store)(nil)
