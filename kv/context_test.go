package kv_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/plinthdb/plinth/kv"
)

// Every call that waits for the store ends with its context, with an error that
// wraps the context's cause: one that has ended before, or ends during the first
// call of the store.
func TestTheEndOfAContextEndsEveryCallWithItsCause(t *testing.T) {
	mine := errors.New("mine")
	for name, c := range observedCalls() {
		if name == "Transaction.Watch, cancelled" { // waits for nothing
			continue
		}
		for _, before := range []bool{true, false} {
			db, store := open(t, kv.WithTransactionDefaults(kv.WithExactlyOnce(true)))
			ctx, cancel := context.WithCancelCause(background)
			w := newObservedWorld(t, ctx, db, store)
			store.Hook = func(ctx context.Context, _ string) error {
				cancel(mine)
				return ctx.Err()
			}
			if before || name == "Transaction.OnError" { // which calls nothing
				cancel(mine)
			}
			if err := c.do(w); !errors.Is(err, mine) {
				t.Errorf("%s, ended before it %t: %v", name, before, err)
			}
		}
	}
}

// So do pauses, and waits for others.
func TestTheEndOfAContextEndsEveryPause(t *testing.T) {
	mine := errors.New("mine")
	for name, wait := range map[string]func(ctx context.Context, db *kv.Database, tx *kv.Transaction) error{
		"pause before a try": func(_ context.Context, _ *kv.Database, tx *kv.Transaction) error {
			return tx.OnError(kv.ErrProcessBehind)
		},
		"turn": func(_ context.Context, _ *kv.Database, tx *kv.Transaction) error {
			held, done := make(chan struct{}), make(chan struct{})
			defer close(done)
			go func() {
				_ = tx.Exclusively(func() error {
					close(held)
					<-done
					return nil
				})
			}()
			<-held
			return tx.Exclusively(func() error { return errors.New("ran") })
		},
		"stamp": func(_ context.Context, _ *kv.Database, tx *kv.Transaction) error {
			return second(tx.Versionstamp().Wait())
		},
		"watch": func(ctx context.Context, db *kv.Database, _ *kv.Transaction) error {
			return must(kv.Transact(background, db, func(tx *kv.Transaction) (*kv.Watch, error) { return tx.Watch([]byte("k")), nil }))(t).Wait(ctx)
		},
		"lock": func(ctx context.Context, db *kv.Database, _ *kv.Transaction) error {
			if err := kv.LockDatabase(background, db, kv.LockID{1}); err != nil {
				return err
			}
			return second(kv.Transact(ctx, db, func(tx *kv.Transaction) (int, error) { tx.Set([]byte("k"), nil); return 0, nil }))
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			db, _ := open(t)
			ctx, cancel := context.WithCancelCause(background)
			tx := db.Begin(ctx)
			defer tx.Cancel()
			go func() {
				synctest.Wait()
				cancel(mine)
			}()
			if err := wait(ctx, db, tx); !errors.Is(err, mine) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}
