package kv

import (
	"context"
	"errors"
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
	// trace is the transaction's span, nil if the database has no tracer.
	trace atomic.Pointer[trace]
	// managed says that Transact runs the transaction, so that it is certain to
	// end: only such a one may queue for a hot key.
	managed bool

	mu struct {
		sync.Mutex
		options        transactionOptions
		begun          *transactionOptions // as of Begin, nil while they are options
		conflicting    []KeyRange          // of the last commit that conflicted
		ended          error               // Cancel or the time-out
		finished       bool                // it was counted out, see finish
		began          time.Time
		timer          *time.Timer
		retries        int
		conflicts      int           // in a row
		delay          time.Duration // last back-off
		maybeCommitted bool          // an earlier attempt had an unknown outcome
		ticket         *ticket       // for a hot key
		wanted         []byte        // the hot key that the last attempt lost on
		exclusive      chan struct{} // see turn; nil until first needed
	}

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
	tx.startCounting()
	tx.initAttempt(&tx.first)
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.applyLocked(options)
	return tx
}

// SetOptions changes options of a transaction that has begun, until OnError or
// Reset make it try again: as in FoundationDB, only time-out, retry limit and
// maximum retry delay outlive an OnError. Options that were given to Begin,
// Transact or the database hold for every try. A time-out still counts from the
// beginning of the transaction.
func (tx *Transaction) SetOptions(options ...TransactionOption) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.mu.begun == nil {
		begun := tx.mu.options
		tx.mu.begun = &begun
	}
	tx.applyLocked(options)
}

func (tx *Transaction) applyLocked(options []TransactionOption) {
	o := &tx.mu.options
	for _, option := range options {
		option(o)
	}
	tx.setTimerLocked()
	a := tx.current.Load()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.setOptionsLocked(o)
}

// setTimerLocked makes the transaction time out as its options say.
func (tx *Transaction) setTimerLocked() {
	if tx.mu.timer != nil {
		tx.mu.timer.Stop()
		tx.mu.timer = nil
	}
	if d := tx.mu.options.timeout; d > 0 && tx.mu.ended == nil {
		began := tx.mu.began
		tx.mu.timer = time.AfterFunc(time.Until(began.Add(d)), func() { tx.timeOut(began) })
	}
}

// timeOut ends the transaction, unless it was reset since it began then.
func (tx *Transaction) timeOut(began time.Time) {
	tx.mu.Lock()
	if tx.mu.began != began {
		tx.mu.Unlock()
		return
	}
	tx.endAndUnlock(wire.ErrTransactionTimedOut)
}

// restoreLocked takes back what SetOptions changed, but for what outlives an
// OnError.
func (tx *Transaction) restoreLocked() {
	if tx.mu.begun == nil {
		return
	}
	now := tx.mu.options
	tx.mu.options = *tx.mu.begun
	o := &tx.mu.options
	o.timeout, o.retryLimit, o.maxRetryDelay, o.err = now.timeout, now.retryLimit, now.maxRetryDelay, now.err
}

// initAttempt makes a the current attempt.
func (tx *Transaction) initAttempt(a *attempt) {
	a.db, a.tx, a.again = tx.db, tx, tx.mu.retries > 0
	a.setOptionsLocked(&tx.mu.options)
	tx.current.Store(a)
}

func (a *attempt) setOptionsLocked(o *transactionOptions) {
	if o.attempt.noReadYourWrites && !a.mu.options.noReadYourWrites && a.usedLocked() {
		a.invalidateLocked(wire.ErrClientInvalidOperation.With("read-your-writes cannot be switched off after a read or write"))
	}
	a.mu.options = o.attempt
	a.widenOptionsLocked()
	if o.err != nil {
		a.invalidateLocked(o.err)
	}
}

// usedLocked reports whether anything was read or written.
func (a *attempt) usedLocked() bool {
	return a.mu.hasRead || len(a.mu.mutations) > 0 || len(a.mu.writeConflicts) > 0 || len(a.mu.readConflicts) > 0
}

// Get implements Reader; it adds a read conflict on key, unless own writes
// alone determine the value.
func (tx *Transaction) Get(key []byte) Future[[]byte] {
	return Future[[]byte]{tx.current.Load().getAny(key, false)}
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
	return Future[[]byte]{s.tx.current.Load().getAny(key, true)}
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

// Reset forgets all reads and writes, as if the transaction had just begun: the
// options are those of its beginning, the time-out and the retries count anew,
// and a transaction that has timed out can be used again. One that was
// cancelled cannot, and an option that was out of range stays an error. Futures
// and watches of before fail with ErrTransactionCancelled.
func (tx *Transaction) Reset() {
	tx.mu.Lock()
	if errors.Is(tx.mu.ended, wire.ErrTransactionTimedOut) {
		tx.mu.ended = nil
	}
	if invalid := tx.mu.options.err; tx.mu.begun != nil {
		tx.mu.options, tx.mu.begun = *tx.mu.begun, nil
		tx.mu.options.err = invalid
	}
	tx.mu.retries, tx.mu.conflicts, tx.mu.delay, tx.mu.maybeCommitted = 0, 0, 0, false
	tx.mu.conflicting = nil
	tx.mu.began = time.Now()
	tx.setTimerLocked()
	tx.resetLocked()
	reopens := tx.reopenLocked()
	tx.mu.Unlock()
	if reopens {
		tx.startCounting()
	}
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
	tx.endAndUnlock(cause)
}

// endAndUnlock ends the transaction and unlocks it, then its attempt of that
// moment: a reset may follow at once.
func (tx *Transaction) endAndUnlock(cause error) {
	a := tx.current.Load()
	if tx.mu.ended == nil {
		tx.mu.ended = cause
	}
	if tx.mu.timer != nil {
		tx.mu.timer.Stop()
		tx.mu.timer = nil
	}
	t, finished := tx.mu.ticket, tx.mu.finished
	tx.mu.ticket = nil
	tx.mu.Unlock()
	if t != nil {
		tx.db.hot.release(t, ticketUnused)
	}
	if counted := a.end(cause); !counted && !finished {
		tx.finish(0, a.failure())
	}
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
		if a.mu.invalid != nil {
			return Stamp{}, a.mu.invalid // it will never be committed
		}
		if a.mu.outcome == nil {
			a.mu.outcome = make(chan struct{})
		}
		outcome, ctx, ended := a.mu.outcome, a.contextLocked(), (<-chan struct{})(nil)
		if !a.mu.committing { // otherwise the commit says how it ended
			ended = ctx.Done()
		}
		a.mu.Unlock()
		select {
		case <-outcome:
			a.mu.Lock()
		case <-ended:
			a.mu.Lock()
			if !a.mu.settled && !a.mu.committing {
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
