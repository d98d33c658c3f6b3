package kv

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

// Transaction is a set of reads at one version and of writes that become
// visible together, at one later version, if nothing that it read was changed
// in between. It is safe for concurrent use.
//
// Writing methods return no error. The first invalid write (a key or value too
// large, an inverted range, a reserved key, a transaction grown too large) is
// remembered: every later read and Commit return it, and nothing is sent.
type Transaction struct {
	db     *Database
	parent context.Context
	// current is the attempt that operations go to.
	current atomic.Pointer[attempt]
	// managed says that Transact runs the transaction, so that it is certain to
	// end: only such a one may queue for a hot key.
	managed bool

	mu struct {
		sync.Mutex
		options        transactionOptions
		ended          error // Cancel or the time-out
		began          time.Time
		timer          *time.Timer
		retries        int
		conflicts      int           // in a row
		delay          time.Duration // last back-off
		maybeCommitted bool          // an earlier attempt had an unknown outcome
		ticket         *ticket       // for a hot key
		wanted         []byte        // the hot key that the last attempt lost on
	}

	// exclusive is held during Exclusively.
	exclusive sync.Mutex

	first attempt
}

var _ Reader = (*Transaction)(nil)

// Begin starts a transaction by hand. The caller commits, and retries with
// OnError; Transact does both and is what most programs want. Call Cancel when
// done, whatever happened; ctx ends all its work.
func (db *Database) Begin(ctx context.Context, options ...TransactionOption) *Transaction {
	tx := &Transaction{db: db, parent: ctx}
	tx.mu.options = db.options.transaction
	tx.mu.began = time.Now()
	tx.initAttempt(&tx.first)
	tx.SetOptions(options...)
	return tx
}

// SetOptions changes options of a transaction that has begun. A time-out still
// counts from the beginning of the transaction.
func (tx *Transaction) SetOptions(options ...TransactionOption) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	o := &tx.mu.options
	for _, option := range options {
		option(o)
	}
	if o.timeout > 0 || tx.mu.timer != nil {
		tx.setTimerLocked(o.timeout)
	}
	a := tx.current.Load()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.setOptionsLocked(o)
}

// setTimerLocked makes the transaction time out at d after its beginning, or
// never.
func (tx *Transaction) setTimerLocked(d time.Duration) {
	if tx.mu.timer != nil {
		tx.mu.timer.Stop()
		tx.mu.timer = nil
	}
	if d > 0 {
		tx.mu.timer = time.AfterFunc(time.Until(tx.mu.began.Add(d)), func() { tx.end(wire.ErrTransactionTimedOut) })
	}
}

// initAttempt makes a the current attempt.
func (tx *Transaction) initAttempt(a *attempt) {
	a.db, a.tx = tx.db, tx
	a.setOptionsLocked(&tx.mu.options)
	tx.current.Store(a)
}

func (a *attempt) setOptionsLocked(o *transactionOptions) {
	a.mu.options = attemptOptions{
		sizeLimitBytes:   o.sizeLimitBytes,
		priority:         o.priority,
		noReadYourWrites: o.noReadYourWrites,
		noSnapshotRYW:    o.noSnapshotRYW,
	}
	if o.err != nil {
		a.invalidateLocked(o.err)
	}
}

// Get implements Reader; it adds a read conflict on key, unless own writes
// alone determine the value.
func (tx *Transaction) Get(key []byte) Future[[]byte] {
	return Future[[]byte]{tx.current.Load().get(key, false)}
}

// GetKey implements Reader; it adds a read conflict on the keys between the
// selector's key and the result.
func (tx *Transaction) GetKey(selector KeySelector) Future[[]byte] {
	return Future[[]byte]{tx.current.Load().getKey(selector, false)}
}

// Range implements Reader; it adds a read conflict on what was iterated over,
// up to the last row if the iteration ended early.
func (tx *Transaction) Range(r KeyRange, options RangeOptions) *RangeResult {
	return tx.current.Load().rangeOf(r, options, false)
}

// RangeSelectors implements Reader, see Range.
func (tx *Transaction) RangeSelectors(begin, end KeySelector, options RangeOptions) *RangeResult {
	return tx.current.Load().rangeRead(begin, end, options, false)
}

// ReadVersion implements Reader.
func (tx *Transaction) ReadVersion() (Version, error) {
	a := tx.current.Load()
	if err := a.usable(); err != nil {
		return 0, err
	}
	return a.readVersion(nil)
}

// SetReadVersion makes the transaction read at v, a version got from
// ReadVersion or CommittedVersion of another. It must come before any read is
// waited for: ErrReadVersionAlreadySet.
func (tx *Transaction) SetReadVersion(v Version) { tx.current.Load().setReadVersion(v) }

// Snapshot implements Reader.
func (tx *Transaction) Snapshot() Reader { return snapshot{tx} }

// snapshot is the Reader that adds no conflicts.
type snapshot struct{ tx *Transaction }

func (s snapshot) Get(key []byte) Future[[]byte] {
	return Future[[]byte]{s.tx.current.Load().get(key, true)}
}

func (s snapshot) GetKey(selector KeySelector) Future[[]byte] {
	return Future[[]byte]{s.tx.current.Load().getKey(selector, true)}
}

func (s snapshot) Range(r KeyRange, options RangeOptions) *RangeResult {
	return s.tx.current.Load().rangeOf(r, options, true)
}

func (s snapshot) RangeSelectors(begin, end KeySelector, options RangeOptions) *RangeResult {
	return s.tx.current.Load().rangeRead(begin, end, options, true)
}

func (s snapshot) ReadVersion() (Version, error) { return s.tx.ReadVersion() }

func (s snapshot) Snapshot() Reader { return s }

// Reset forgets all reads and writes, as if the transaction had just begun.
// Options, time-out and the count of retries stay. Futures and watches of
// before fail with ErrTransactionCancelled.
func (tx *Transaction) Reset() {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.resetLocked()
}

func (tx *Transaction) resetLocked() *attempt {
	next := new(attempt)
	if tx.mu.ended != nil {
		next.mu.ended, next.mu.cause = tx.mu.ended, tx.mu.ended
		next.mu.settled, next.mu.settleErr = true, tx.mu.ended
	}
	tx.current.Load().end(wire.ErrTransactionCancelled.With("transaction was reset"))
	tx.initAttempt(next)
	return next
}

// Cancel ends the transaction: whatever is under way or follows fails with
// ErrTransactionCancelled. After Commit has returned it only frees resources;
// during it the outcome is unknown. It may be called several times.
func (tx *Transaction) Cancel() { tx.end(wire.ErrTransactionCancelled) }

func (tx *Transaction) end(cause error) {
	tx.mu.Lock()
	if tx.mu.ended == nil {
		tx.mu.ended = cause
	}
	if tx.mu.timer != nil {
		tx.mu.timer.Stop()
		tx.mu.timer = nil
	}
	t := tx.mu.ticket
	tx.mu.ticket = nil
	tx.mu.Unlock()
	if t != nil {
		tx.db.hot.release(t, ticketUnused)
	}
	tx.current.Load().end(cause)
}

// ApproximateSize returns the bytes of mutations and conflict ranges so far,
// which count against the size limit.
func (tx *Transaction) ApproximateSize() int {
	a := tx.current.Load()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sizeLocked()
}

// CommittedVersion returns the version of the successful Commit. A transaction
// that has not been committed, or that wrote nothing, has none:
// ErrNoCommitVersion.
func (tx *Transaction) CommittedVersion() (Version, error) {
	a := tx.current.Load()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.mu.settled {
		return 0, wire.ErrNoCommitVersion.With("transaction has not been committed")
	}
	if a.mu.reply.Version == 0 {
		return 0, wire.ErrNoCommitVersion
	}
	return a.mu.reply.Version, nil
}

// Versionstamp returns the future stamp of the commit, the one that
// SetVersionstampedKey and SetVersionstampedValue write. Call it before the
// commit and wait for it afterwards: a wait inside the function given to
// Transact would never end.
func (tx *Transaction) Versionstamp() Future[Stamp] {
	return Future[Stamp]{(*stampOp)(tx.current.Load())}
}

// stampOp is an attempt as the source of its stamp.
type stampOp attempt

func (o *stampOp) wait() (Stamp, error) {
	a := (*attempt)(o)
	a.mu.Lock()
	defer a.mu.Unlock()
	for !a.mu.settled {
		if a.mu.outcome == nil {
			a.mu.outcome = make(chan struct{})
		}
		outcome, ctx := a.mu.outcome, a.contextLocked()
		a.mu.Unlock()
		select {
		case <-outcome:
			a.mu.Lock()
		case <-ctx.Done():
			a.mu.Lock()
			if !a.mu.settled {
				return Stamp{}, endError(ctx)
			}
		}
	}
	switch {
	case a.mu.settleErr != nil:
		return Stamp{}, a.mu.settleErr
	case a.mu.reply.Version == 0:
		return Stamp{}, wire.ErrNoCommitVersion
	}
	return a.mu.reply.Stamp, nil
}
