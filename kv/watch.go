package kv

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wire"
)

// Watch tells when the value of one key changes from what a transaction saw.
// It is armed by the transaction's successful commit and outlives it.
type Watch struct {
	db    *Database
	calls calls // as the transaction made them
	// ctx is the transaction's, for what it holds; nil if nobody looks on.
	ctx  context.Context
	key  []byte
	done chan struct{}

	mu struct {
		sync.Mutex
		// seen gives the value that the transaction saw. It holds all of the
		// transaction, so it is nil from when the watch is armed or has ended.
		seen     *getOp
		finished bool
		err      error
		cancel   context.CancelCauseFunc // of the call, once armed
	}
}

// Watch returns a watch on key, relative to the value that a Get at this place
// would return. If the transaction does not commit, the watch fails with the
// transaction's end. The reading adds no conflict.
//
// A database has a limit of outstanding watches; beyond it the watch fails
// with ErrTooManyWatches. Cancel a watch that is not needed any more.
func (tx *Transaction) Watch(key []byte) *Watch {
	a := tx.current.Load()
	w := &Watch{db: tx.db, calls: a.calls().own(), key: append([]byte{}, key...), done: make(chan struct{})}
	if w.calls.observed() {
		w.ctx = context.WithoutCancel(tx.context())
	}
	if err := tx.db.admitWatch(); err != nil {
		w.mu.finished, w.mu.err = true, err
		close(w.done)
		w.calls.log.watchEnded(w.ctx, w.key, err)
		return w
	}
	w.mu.seen = a.get(key, true) // nobody else knows w yet
	a.mu.Lock()
	err := a.usableLocked()
	if err == nil && a.mu.options.noReadYourWrites {
		err = wire.ErrWatchesDisabled
	}
	if err == nil {
		a.mu.watches = append(a.mu.watches, w)
	}
	a.mu.Unlock()
	if err != nil {
		w.finish(err)
	}
	return w
}

// Wait returns nil once the value has changed, or the error that ended the
// watch. A transaction that begins then sees the change, unless the value has
// changed back since. The end of ctx ends the wait, not the watch.
func (w *Watch) Wait(ctx context.Context) error {
	select {
	case <-w.done:
		return w.Err()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Done returns a channel that is closed when the watch has fired or failed.
func (w *Watch) Done() <-chan struct{} { return w.done }

// Err returns nil while Done is open and if the watch fired, otherwise the
// error that ended it.
func (w *Watch) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.err
}

// Cancel ends the watch with ErrTransactionCancelled, unless it has fired.
func (w *Watch) Cancel() { w.finish(wire.ErrTransactionCancelled.With("watch was cancelled")) }

// finish ends the watch, unless it has ended.
func (w *Watch) finish(err error) {
	if w.finishOnce(err) {
		w.calls.log.watchEnded(w.ctx, w.key, err)
	}
}

// finishOnce is finish, but for the log. It reports whether it ended the watch.
func (w *Watch) finishOnce(err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.finished {
		return false
	}
	w.mu.finished, w.mu.err, w.mu.seen = true, err, nil
	if w.mu.cancel != nil {
		w.mu.cancel(wire.ErrTransactionCancelled)
	}
	w.db.dismissWatch()
	close(w.done)
	return true
}

// arm begins to watch a key whose value was read at version, or written at it.
func (w *Watch) arm(version wire.Version) {
	value, ended, err := w.seenValue()
	if ended {
		return
	}
	if err != nil {
		w.finish(err)
		return
	}
	ctx, err := w.start()
	if err != nil {
		w.finish(err)
		return
	}
	if ctx == nil {
		return
	}
	go func() {
		defer w.db.group.Done()
		w.finish(w.run(ctx, &wire.WatchRequest{Key: w.key, Value: value, Version: version}))
	}()
}

// seenValue returns the value that the transaction saw, which it reads if that
// has not been done; ended says that the watch has ended already. The value is
// a copy: the one that was read shares its memory with others.
func (w *Watch) seenValue() (value []byte, ended bool, err error) {
	w.mu.Lock()
	seen := w.mu.seen
	w.mu.Unlock()
	if seen == nil {
		return nil, true, nil
	}
	value, err = seen.wait()
	return bytes.Clone(value), false, err
}

// start counts a goroutine for the watch and returns its context, nil if the
// watch has ended already.
func (w *Watch) start() (context.Context, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.finished {
		return nil, nil
	}
	if err := w.db.enter(); err != nil {
		return nil, err
	}
	w.mu.seen = nil
	parent := w.db.ctx
	if w.ctx != nil {
		parent = withValues{w.db.ctx, w.ctx}
	}
	ctx, cancel := context.WithCancelCause(parent)
	w.mu.cancel = cancel
	return ctx, nil
}

// withValues is a context that ends as the one does and holds what the other
// does, too. The one comes first, so that what package context keeps in it is
// found: it then needs no goroutine to pass the end on.
type withValues struct {
	context.Context
	values context.Context
}

// Value implements context.Context.
func (c withValues) Value(key any) any {
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.values.Value(key)
}

// run asks the back-end, again and again after errors that pass. The value is
// what counts: at whatever version the store is asked anew, it fires if it
// holds another one.
func (w *Watch) run(ctx context.Context, request *wire.WatchRequest) error {
	var delay time.Duration
	for {
		var reply wire.WatchReply
		var err error
		if fault.Point("kv.watch.armAgain") {
			err = wire.ErrProcessBehind
		} else {
			reply, err = w.calls.Watch(ctx, request)
		}
		if err == nil {
			return w.awaitVisible(ctx, reply.Version)
		}
		if ctx.Err() != nil || !wire.Retryable(err) {
			return callError(ctx, err)
		}
		delay = min(max(2*delay, firstDelay), time.Second)
		if err := rest(ctx, jitter(delay)); err != nil {
			return err
		}
		newest, err := w.calls.ReadVersion(ctx, wire.ReadVersionRequest{})
		if err == nil {
			again := *request
			again.Version = newest.Version
			request = &again
		}
	}
}

// awaitVisible returns once every transaction that begins sees the change at
// version. A storage server can have it before the store calls that version
// committed, so the user of a watch that fired would find the old value still.
func (w *Watch) awaitVisible(ctx context.Context, version wire.Version) error {
	var delay time.Duration
	for {
		newest, err := w.calls.ReadVersion(ctx, wire.ReadVersionRequest{})
		if err == nil && newest.Version >= version {
			return nil
		}
		if ctx.Err() != nil || err != nil && !wire.Retryable(err) {
			return callError(ctx, err)
		}
		delay = min(max(2*delay, firstConflictDelay), time.Second)
		if err := rest(ctx, jitter(delay)); err != nil {
			return err
		}
	}
}

// readWatched reads what the watches of the attempt are relative to. A watch
// on a key that cannot be read fails by itself, not the transaction.
func (a *attempt) readWatched() error {
	a.mu.Lock()
	watches := a.mu.watches
	a.mu.Unlock()
	for _, w := range watches {
		_, _, err := w.seenValue()
		switch {
		case err == nil, errors.Is(err, wire.ErrAccessedUnreadable),
			errors.Is(err, wire.ErrKeyTooLarge), errors.Is(err, wire.ErrKeyOutsideLegalRange):
		default:
			return err
		}
	}
	return nil
}

// SetMaxWatches changes the limit of outstanding watches, see WithMaxWatches;
// those that there are stay. The error is ErrInvalidOptionValue for a limit out
// of range.
func (db *Database) SetMaxWatches(n int) error {
	if n < 0 || n > maxMaxWatches {
		return wire.ErrInvalidOptionValue.With("limit of %d watches is not between 0 and %d", n, maxMaxWatches)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	db.options.maxWatches = n // guarded by mu once the database is made
	return nil
}

// admitWatch counts a new watch.
func (db *Database) admitWatch() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if err := db.usable(); err != nil {
		return err
	}
	if db.mu.watches >= db.options.maxWatches {
		return wire.ErrTooManyWatches.With("%d watches are outstanding on this database; cancel some, or raise the limit", db.mu.watches)
	}
	db.mu.watches++
	return nil
}

// dismissWatch counts a watch that has ended.
func (db *Database) dismissWatch() {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.mu.watches--
}
