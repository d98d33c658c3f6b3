package fdbclient

import (
	"errors"
	"fmt"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
)

// unitTests tests what the stack machine has no operation for.
type unitTests struct{ db fdb.Database }

// UnitTests implements machine.Client.
func (c *Client) UnitTests() error {
	u := unitTests{c.db}
	for _, test := range []struct {
		name string
		run  func() error
	}{
		{"the API version", u.apiVersion}, {"database options", u.databaseOptions}, {"options", u.options},
		{"watches", u.watches}, {"cancellation", u.cancellation}, {"retry limits", u.retryLimits},
		{"time-outs", u.timeouts}, {"locality", u.locality},
	} {
		if err := test.run(); err != nil {
			return fmt.Errorf("unit test of %s: %s", test.name, err) // no number for the stack
		}
	}
	return nil
}

// testPrefix is what all keys of the tests begin with.
const testPrefix = "unit tests/"

func (u unitTests) update(f func(tr fdb.Transaction) error) error {
	_, err := u.db.Transact(func(tr fdb.Transaction) (interface{}, error) { return nil, f(tr) })
	return err
}

func (u unitTests) set(key, value string) error {
	return u.update(func(tr fdb.Transaction) error {
		tr.Set(fdb.Key(testPrefix+key), []byte(value))
		return nil
	})
}

func (u unitTests) clear() error {
	return u.update(func(tr fdb.Transaction) error {
		r, err := fdb.PrefixRange([]byte(testPrefix))
		if err == nil {
			tr.ClearRange(r)
		}
		return err
	})
}

// expect returns an error unless err is FoundationDB's with that number.
func expect(what string, err error, code int) error {
	var e fdb.Error
	if errors.As(err, &e) && e.Code == code {
		return nil
	}
	return fmt.Errorf("%s: %v, want error %d", what, err, code)
}

// each returns the first error of some calls.
func each(calls ...func() error) error {
	for _, call := range calls {
		if err := call(); err != nil {
			return err
		}
	}
	return nil
}

// given returns a call with its argument.
func given[T any](set func(T) error, argument T) func() error {
	return func() error { return set(argument) }
}

// apiVersion is selected once.
func (u unitTests) apiVersion() error {
	if !fdb.IsAPIVersionSelected() {
		return errors.New("none is selected")
	}
	version := fdb.MustGetAPIVersion()
	for _, other := range []int{version - 1, version + 1} {
		if err := expect("another version", fdb.APIVersion(other), 2201); err != nil {
			return err
		}
	}
	return fdb.APIVersion(version)
}

// databaseOptions sets options and their defaults again.
func (u unitTests) databaseOptions() error {
	o := u.db.Options()
	return each(
		given(o.SetLocationCacheSize, 100001), given(o.SetMaxWatches, 10001), given(o.SetMaxWatches, 10000),
		given(o.SetDatacenterId, "dc_id"), given(o.SetMachineId, "machine_id"),
		o.SetSnapshotRywDisable, o.SetSnapshotRywEnable,
		given(o.SetTransactionLoggingMaxFieldLength, 1000),
		given(o.SetTransactionTimeout, 100000), given(o.SetTransactionTimeout, 0),
		given(o.SetTransactionMaxRetryDelay, 100), given(o.SetTransactionMaxRetryDelay, 1000),
		given(o.SetTransactionRetryLimit, 10), given(o.SetTransactionRetryLimit, -1),
		o.SetTransactionCausalReadRisky,
	)
}

// options reads a key of the system with every option that does not change what
// is read.
func (u unitTests) options() error {
	return u.update(func(tr fdb.Transaction) error {
		o := tr.Options()
		err := each(
			o.SetPrioritySystemImmediate, o.SetPriorityBatch, o.SetCausalReadRisky, o.SetCausalWriteRisky,
			o.SetReadYourWritesDisable, o.SetReadSystemKeys, o.SetAccessSystemKeys,
			given(o.SetTransactionLoggingMaxFieldLength, 1000), given(o.SetTimeout, 60*1000), given(o.SetRetryLimit, 50),
			given(o.SetMaxRetryDelay, 100), o.SetUsedDuringCommitProtectionDisable,
			given(o.SetDebugTransactionIdentifier, "my_transaction"), o.SetLogTransaction, o.SetReadLockAware, o.SetLockAware,
		)
		if err != nil {
			return err
		}
		_, err = tr.Get(fdb.Key("\xff")).Get()
		return err
	})
}

// watches are fired by a change, and not by writing the same value.
func (u unitTests) watches() error {
	var watches [3]fdb.FutureNil
	err := u.update(func(tr fdb.Transaction) error {
		tr.Set(fdb.Key(testPrefix+"0"), []byte("a"))
		tr.Set(fdb.Key(testPrefix+"2"), []byte("a"))
		for i := range watches {
			watches[i] = tr.Watch(fdb.Key(fmt.Append([]byte(testPrefix), i)))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := errors.Join(u.set("0", "b"), u.set("1", "b"), u.set("2", "a")); err != nil {
		return err
	}
	if err := errors.Join(watches[0].Get(), watches[1].Get()); err != nil {
		return err
	}
	watches[2].Cancel()
	if err := expect("a watch on a value that is the same", watches[2].Get(), 1101); err != nil {
		return err
	}
	return u.clear()
}

// cancellation ends a transaction and what is under way.
func (u unitTests) cancellation() error {
	tr, err := u.db.CreateTransaction()
	if err != nil {
		return err
	}
	stamp := tr.GetVersionstamp()
	tr.Set(fdb.Key(testPrefix+"lost"), nil)
	tr.Cancel()
	_, stampErr := stamp.Get()
	_, getErr := tr.Get(fdb.Key(testPrefix)).Get()
	return errors.Join(
		expect("a stamp", stampErr, 1025), expect("a read", getErr, 1025), expect("a commit", tr.Commit().Get(), 1025),
	)
}

// retryLimits bound how often a transaction runs.
func (u unitTests) retryLimits() error {
	for _, limit := range []int{0, 2} {
		runs := 0
		err := u.update(func(tr fdb.Transaction) error {
			runs++
			if err := tr.Options().SetRetryLimit(int64(limit)); err != nil {
				return err
			}
			return fdb.Error{Code: 1020}
		})
		if err := expect("the last run", err, 1020); err != nil {
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
	tr, err := u.db.CreateTransaction()
	if err != nil {
		return err
	}
	defer tr.Cancel()
	if err := tr.Options().SetTimeout(10); err != nil {
		return err
	}
	_, err = tr.GetVersionstamp().Get()
	return errors.Join(expect("a stamp", err, 1031), expect("a commit", tr.Commit().Get(), 1031))
}

// locality finds out where keys are.
func (u unitTests) locality() error {
	boundaries, err := u.db.LocalityGetBoundaryKeys(fdb.KeyRange{Begin: fdb.Key(""), End: fdb.Key("\xff")}, 0, 0)
	if err != nil {
		return err
	}
	return u.update(func(tr fdb.Transaction) error {
		for _, key := range append(boundaries, fdb.Key("k")) {
			addresses, err := tr.LocalityGetAddressesForKey(key).Get()
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
