package kvclient

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/plinthdb/plinth/kv"
)

// unitTests tests what the stack machine has no operation for.
type unitTests struct {
	ctx context.Context
	db  *kv.Database
}

// UnitTests implements machine.Client.
func (c *Client) UnitTests() error {
	u := unitTests{c.ctx, c.db}
	for _, test := range []struct {
		name string
		run  func() error
	}{
		{"options", u.options}, {"watches", u.watches}, {"cancellation", u.cancellation},
		{"retry limits", u.retryLimits}, {"time-outs", u.timeouts}, {"locality", u.locality},
	} {
		if err := test.run(); err != nil {
			return fmt.Errorf("unit test of %s: %s", test.name, err) // no number for the stack
		}
	}
	return nil
}

// testPrefix is what all keys of the tests begin with.
const testPrefix = "unit tests/"

func (u unitTests) update(f func(tx *kv.Transaction) error, options ...kv.TransactionOption) error {
	_, err := kv.Transact(u.ctx, u.db, func(tx *kv.Transaction) (struct{}, error) { return struct{}{}, f(tx) }, options...)
	return err
}

func (u unitTests) set(key, value string) error {
	return u.update(func(tx *kv.Transaction) error {
		tx.Set([]byte(testPrefix+key), []byte(value))
		return nil
	})
}

func (u unitTests) clear() error {
	return u.update(func(tx *kv.Transaction) error {
		tx.ClearRange(kv.PrefixRange([]byte(testPrefix)))
		return nil
	})
}

// expect returns an error unless got wraps want.
func expect(what string, got, want error) error {
	if errors.Is(got, want) {
		return nil
	}
	return fmt.Errorf("%s: %v, want %v", what, got, want)
}

// options reads a key of the system with every option that does not change what
// is read.
func (u unitTests) options() error {
	return u.update(func(tx *kv.Transaction) error {
		_, err := tx.Get([]byte("\xff")).Wait()
		return err
	}, kv.WithPriority(kv.PriorityImmediate), kv.WithPriority(kv.PriorityBatch),
		kv.WithCausalReadRisky(true), kv.WithCausalWriteRisky(true), kv.WithReadYourWrites(false),
		kv.WithReadSystemKeys(true), kv.WithSystemKeys(true), kv.WithLogFieldLimit(1000),
		kv.WithTimeout(time.Minute), kv.WithRetryLimit(50), kv.WithMaxRetryDelay(100*time.Millisecond),
		kv.WithUsedDuringCommitProtection(false), kv.WithDebugID("my_transaction"), kv.WithTransactionLog(true),
		kv.WithReadLockAware(true), kv.WithLockAware(true))
}

// watches are fired by a change, and not by writing the same value.
func (u unitTests) watches() error {
	var watches [3]*kv.Watch
	err := u.update(func(tx *kv.Transaction) error {
		tx.Set([]byte(testPrefix+"0"), []byte("a"))
		tx.Set([]byte(testPrefix+"2"), []byte("a"))
		for i := range watches {
			watches[i] = tx.Watch(fmt.Append([]byte(testPrefix), i))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := errors.Join(u.set("0", "b"), u.set("1", "b"), u.set("2", "a")); err != nil {
		return err
	}
	if err := errors.Join(watches[0].Wait(u.ctx), watches[1].Wait(u.ctx)); err != nil {
		return err
	}
	watches[2].Cancel()
	if err := expect("a watch on a value that is the same", watches[2].Wait(u.ctx), kv.ErrTransactionCancelled); err != nil {
		return err
	}
	return u.clear()
}

// cancellation ends a transaction and what is under way.
func (u unitTests) cancellation() error {
	tx := u.db.Begin(u.ctx)
	stamp := tx.Versionstamp()
	tx.Set([]byte(testPrefix+"lost"), nil)
	tx.Cancel()
	_, stampErr := stamp.Wait()
	_, getErr := tx.Get([]byte(testPrefix)).Wait()
	return errors.Join(
		expect("a stamp", stampErr, kv.ErrTransactionCancelled),
		expect("a read", getErr, kv.ErrTransactionCancelled),
		expect("a commit", tx.Commit(), kv.ErrTransactionCancelled),
	)
}

// retryLimits bound how often a transaction runs.
func (u unitTests) retryLimits() error {
	for _, limit := range []int{0, 2} {
		runs := 0
		err := u.update(func(*kv.Transaction) error {
			runs++
			return kv.ErrNotCommitted
		}, kv.WithRetryLimit(limit))
		if err := expect("the last run", err, kv.ErrNotCommitted); err != nil {
			return err
		}
		if runs != 1+limit {
			return fmt.Errorf("%d runs with a limit of %d", runs, limit)
		}
	}
	return nil
}

// timeouts end a transaction that would wait for ever.
func (u unitTests) timeouts() error {
	tx := u.db.Begin(u.ctx, kv.WithTimeout(10*time.Millisecond))
	defer tx.Cancel()
	_, err := tx.Versionstamp().Wait()
	return errors.Join(
		expect("a stamp", err, kv.ErrTransactionTimedOut),
		expect("a commit", tx.Commit(), kv.ErrTransactionTimedOut),
	)
}

// locality finds out where keys are.
func (u unitTests) locality() error {
	boundaries, err := u.db.BoundaryKeys(u.ctx, kv.AllKeys(), 0)
	if err != nil {
		return err
	}
	return u.update(func(tx *kv.Transaction) error {
		for _, key := range append(boundaries, []byte("k")) {
			addresses, err := tx.AddressesForKey(key).Wait()
			if err != nil {
				return err
			}
			if len(addresses) == 0 {
				return fmt.Errorf("key %q is nowhere", key)
			}
		}
		return nil
	})
}
