package fdb

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plinthdb/plinth/kv"
)

// withoutStore returns a database that has no store: what it is asked for must
// end within the client.
func withoutStore(t *testing.T) Database {
	s := &store{db: kv.NewDatabase(nil), ctx: context.Background()}
	t.Cleanup(func() { _ = s.db.Close() })
	return Database{&database{store: s}}
}

// atVersion begins a transaction as a process does that has selected version.
func atVersion(db Database, version int) Transaction {
	tx, defaults := db.begin()
	t := newTransaction(db.database, tx, defaults)
	t.version = version
	return Transaction{t}
}

// pauses passes a retryable error to OnError until that gives up, a hundred
// times at most. It returns how often the transaction might go on, and the
// longest pause.
func pauses(tr Transaction) (retries int, longest time.Duration) {
	for ; retries < 100; retries++ {
		began := time.Now()
		if tr.OnError(Error{1020}).Get() != nil {
			break
		}
		longest = max(longest, time.Since(began))
	}
	return retries, longest
}

// An API version below 610 threw the database's limits away with the first
// retry, and retried for ever.
func TestARetryLeavesTheLimitsOfTheDatabase(t *testing.T) {
	const (
		timeout, ownTimeout = time.Hour, 10 * time.Hour
		limit, ownLimit     = 40, 50
		delay, ownDelay     = 15 * time.Millisecond, 10 * time.Second
	)
	for _, version := range []int{600, 730} {
		for own, set := range map[string]func(o TransactionOptions) error{
			"nothing":     func(o TransactionOptions) error { return nil },
			"time-out":    func(o TransactionOptions) error { return o.SetTimeout(ownTimeout.Milliseconds()) },
			"retry limit": func(o TransactionOptions) error { return o.SetRetryLimit(ownLimit) },
			"retry delay": func(o TransactionOptions) error { return o.SetMaxRetryDelay(ownDelay.Milliseconds()) },
		} {
			persists := func(option string) bool { return option == own && version >= 610 }
			synctest.Test(t, func(t *testing.T) {
				db := withoutStore(t)
				for _, err := range []error{
					db.Options().SetTransactionTimeout(timeout.Milliseconds()),
					db.Options().SetTransactionRetryLimit(limit),
					db.Options().SetTransactionMaxRetryDelay(delay.Milliseconds()),
				} {
					if err != nil {
						t.Fatal(err)
					}
				}
				begun := func() Transaction {
					tr := atVersion(db, version)
					if err := set(tr.Options()); err != nil {
						t.Fatal(err)
					}
					if err := tr.OnError(Error{1020}).Get(); err != nil {
						t.Fatal(err)
					}
					return tr
				}
				tr := begun()
				retries, longest := pauses(tr)
				if want := map[bool]int{false: limit, true: ownLimit}[persists("retry limit")]; retries+1 != want {
					t.Errorf("%d, own %s: %d retries, want %d", version, own, retries+1, want)
				}
				if (longest > delay) != persists("retry delay") {
					t.Errorf("%d, own %s: a pause of %v", version, own, longest)
				}
				tr.Cancel()

				tr = begun()
				<-time.After(timeout + time.Second)
				if err := tr.Commit().Get(); (err == error(Error{1031})) == persists("time-out") {
					t.Errorf("%d, own %s: after an hour: %v", version, own, err)
				}
				tr.Cancel()
			})
		}
	}
}

// Both options bound each pause, which would grow up to a second.
func TestTheMaximumRetryDelayBoundsEveryPause(t *testing.T) {
	const most = 15 * time.Millisecond
	for name, ask := range map[string]func(d DatabaseOptions, begin func() TransactionOptions) error{
		"nobody": func(_ DatabaseOptions, begin func() TransactionOptions) error { begin(); return nil },
		"the database": func(d DatabaseOptions, begin func() TransactionOptions) error {
			err := d.SetTransactionMaxRetryDelay(most.Milliseconds())
			begin()
			return err
		},
		"the transaction": func(_ DatabaseOptions, begin func() TransactionOptions) error {
			return begin().SetMaxRetryDelay(most.Milliseconds())
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			db := withoutStore(t)
			var tr Transaction
			if err := ask(db.Options(), func() TransactionOptions { tr = atVersion(db, 730); return tr.Options() }); err != nil {
				t.Fatal(err)
			}
			defer tr.Cancel()
			if _, longest := pauses(tr); longest <= 0 || (longest > most) != (name == "nobody") {
				t.Errorf("%s sets it: a pause of %v", name, longest)
			}
		})
	}
}
