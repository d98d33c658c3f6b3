package kv

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

// recentFor is how long a version counts as recent.
const recentFor = time.Second

// Database is a store, reached through a back-end. It is safe for concurrent
// use; a program needs one per store.
type Database struct {
	backend Backend
	options databaseOptions
	hot     hotKeys
	began   time.Time
	// counters is what Stats tells.
	counters counters

	// newest is the highest version seen, newestAt when it was, in nanoseconds
	// since began.
	newest   atomic.Int64
	newestAt atomic.Int64

	closed atomic.Bool // set under mu
	// ctx ends with Close, and with it the calls of the database's goroutines.
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu struct {
		sync.Mutex
		watches int // outstanding
	}
	group sync.WaitGroup // the goroutines of armed watches and of pieces fetched ahead
}

// NewDatabase returns a database over b. Programs rarely call it: the packages
// that provide back-ends, such as kv/embedded, do.
func NewDatabase(b Backend, options ...DatabaseOption) *Database {
	o := databaseOptions{
		maxWatches:  10_000,
		hotKeyQueue: true,
		transaction: defaultTransactionOptions(),
	}
	for _, option := range options {
		option(&o)
	}
	db := &Database{backend: b, options: o, began: time.Now()}
	db.ctx, db.cancel = context.WithCancelCause(context.Background())
	return db
}

// Close cancels all watches and makes every later use of the database fail
// with ErrDatabaseClosed. It returns when the goroutines that serve watches or
// fetch ahead have ended. Transactions under way are not interrupted, but cannot
// read or commit any more; the timers of their time-outs go on until they expire
// or the transaction is cancelled. The back-end is not closed: who made it does
// that.
func (db *Database) Close() error {
	db.mu.Lock()
	db.closed.Store(true)
	db.mu.Unlock()
	db.cancel(wire.ErrDatabaseClosed)
	db.group.Wait()
	return nil
}

// usable returns ErrDatabaseClosed after Close.
func (db *Database) usable() error {
	if db.closed.Load() {
		return wire.ErrDatabaseClosed
	}
	return nil
}

// enter counts a goroutine in, which Close then waits for.
func (db *Database) enter() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if err := db.usable(); err != nil {
		return err
	}
	db.group.Add(1) // under mu: Close does not wait yet
	return nil
}

// noteVersion remembers that the store has reached v.
func (db *Database) noteVersion(v wire.Version) {
	for {
		old := db.newest.Load()
		if int64(v) < old {
			return
		}
		if db.newest.CompareAndSwap(old, int64(v)) {
			db.newestAt.Store(int64(time.Since(db.began)))
			return
		}
	}
}

// distrustVersion makes the next blind write ask for a version: the store says
// that the one it was given is too old, which a recovery makes it at once.
func (db *Database) distrustVersion() { db.newestAt.Store(-int64(recentFor)) }

// recentVersion returns a version that the store reached not long ago, if one
// is known.
func (db *Database) recentVersion() (wire.Version, bool) { return db.versionWithin(recentFor) }

// versionWithin is recentVersion for a version that was seen less than d ago.
func (db *Database) versionWithin(d time.Duration) (wire.Version, bool) {
	v := db.newest.Load()
	age := time.Since(db.began) - time.Duration(db.newestAt.Load())
	return wire.Version(v), v > 0 && age < d
}
