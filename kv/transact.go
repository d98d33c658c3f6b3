package kv

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

// Transact runs f in a transaction, commits it, and returns f's result. If the
// commit conflicts, or f or the commit fails with an error that is Retryable,
// it runs f again from the beginning, in a fresh transaction: f must have no
// effect but through tx, or one that may happen several times.
//
// An error of f that is not retryable is returned as it is, and nothing of this
// run is committed. A panic of f passes through in the same way. (One of a
// function left with OnCommit, or given to WithCommitHook, passes through too,
// after the commit.) When ctx ends the error wraps its cause, and f is not run
// any more.
//
// When Transact returns nil the transaction was applied exactly once, and the
// result is that of the run that was: if the answer to a commit is lost,
// Transact finds out what became of it before it goes on (see WithExactlyOnce).
// If the error is MaybeCommitted it is applied once or not at all, and nobody
// knows: the context, the time-out, the retry limit or the store ended first
// (ErrCommitUnknownResult, wrapping the cause, or ErrTransactionTimedOut), or
// finding out took so long that the store has forgotten
// (ErrCommitResultExpired). After any other error nothing is applied.
//
// Under WithExactlyOnce(false) f is run again without knowing. Once the outcome
// of a try is unknown, every error that Transact returns is MaybeCommitted: what
// is not so by itself, an error of f too, is wrapped by ErrCommitUnknownResult.
// After a panic nobody knows either.
func Transact[T any](ctx context.Context, db *Database, f func(tx *Transaction) (T, error), options ...TransactionOption) (T, error) {
	tx := db.Begin(ctx, options...)
	tx.managed = true
	defer tx.Cancel()
	unknown := false // what became of an earlier commit
	for {
		var result T
		err := tx.startable()
		if err == nil {
			result, err = f(tx)
		}
		if err == nil {
			if err = tx.Commit(); err == nil {
				return result, nil
			}
			unknown = unknown || wire.MaybeCommitted(err)
		}
		if err = tx.OnError(err); err != nil {
			var none T
			return none, outcomeError(err, unknown)
		}
	}
}

// outcomeError returns err as the error that Transact ends with. With unknown, it
// says that the transaction may have been committed.
func outcomeError(err error, unknown bool) error {
	if unknown && !wire.MaybeCommitted(err) {
		return wire.ErrCommitUnknownResult.Because(err)
	}
	return err
}

// ReadTransact runs f with a reader of one version, and runs it again if a
// read fails with an error that is Retryable. It never conflicts with anybody.
func ReadTransact[T any](ctx context.Context, db *Database, f func(r Reader) (T, error), options ...TransactionOption) (T, error) {
	tx := db.Begin(ctx, options...)
	defer tx.Cancel()
	for {
		var result T
		err := tx.startable()
		if err == nil {
			result, err = f(tx.Snapshot())
		}
		if err == nil {
			tx.finish(0, nil)
			return result, nil
		}
		if err = tx.OnError(err); err != nil {
			var none T
			return none, err
		}
	}
}

// startable returns why an attempt cannot even begin.
func (tx *Transaction) startable() error {
	if err := tx.db.usable(); err != nil {
		return err
	}
	if tx.parent.Err() != nil {
		return endError(tx.parent)
	}
	return tx.current.Load().usable()
}

const (
	// firstDelay doubles with each retry up to the maximum of the options.
	firstDelay = 10 * time.Millisecond
	// firstConflictDelay is the same for conflicts, from the second one on:
	// what the conflict was with is committed by now, so there is nothing to
	// wait for but a better chance.
	firstConflictDelay = time.Millisecond
	// undelayedWithTicket is how many conflicts in a row a transaction that is
	// first in the queue of a hot key answers at once.
	undelayedWithTicket = 4
)

// OnError readies the transaction for another try after err: if err is
// Retryable and the retry limit is not reached, it waits for the back-off,
// resets the transaction and returns nil. Otherwise it returns err, or the end
// of the context. To call it without an error (nil, or number 0) is
// ErrClientInvalidOperation, as in FoundationDB, and changes nothing.
func (tx *Transaction) OnError(err error) error {
	if succeeded(err) {
		return wire.ErrClientInvalidOperation.With("OnError was called without an error")
	}
	if err = tx.tryAgain(err); err != nil {
		tx.finish(0, err)
	}
	return err
}

// tryAgain is OnError, but for counting.
func (tx *Transaction) tryAgain(err error) error {
	if !wire.Retryable(err) || tx.current.Load().isUnsettled() {
		return tx.lastError(err)
	}
	delay, ok := tx.prepareRetry(err)
	if !ok {
		return tx.lastError(err)
	}
	tx.current.Load().calls().log.retry(tx.context(), err)
	tx.noteRetry(err)
	tx.mu.Lock()
	tx.restoreLocked()
	next, reopens := tx.resetLocked(), tx.reopenLocked()
	tx.mu.Unlock()
	if reopens {
		tx.startCounting()
	}
	if err := next.pause(delay); err != nil {
		return tx.lastError(err)
	}
	return nil
}

// succeeded reports whether err is none.
func succeeded(err error) bool {
	var numbered *wire.Error
	return err == nil || errors.As(err, &numbered) && numbered.Code == 0
}

// lastError returns err as the error that the transaction ends with. If it is
// one of the client's own, an earlier try of unknown outcome must not be
// forgotten over it.
func (tx *Transaction) lastError(err error) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	ownError := wire.Retryable(err) || errors.Is(err, wire.ErrTransactionCancelled)
	if tx.mu.maybeCommitted && ownError && !wire.MaybeCommitted(err) {
		return wire.ErrCommitUnknownResult.Because(err)
	}
	return err
}

// prepareRetry counts a retry and returns how long to wait before it; ok is
// false if the limit of retries is reached.
func (tx *Transaction) prepareRetry(err error) (delay time.Duration, ok bool) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if wire.MaybeCommitted(err) {
		tx.mu.maybeCommitted = true
	}
	if limit := tx.mu.options.retryLimit; limit >= 0 && tx.mu.retries >= limit {
		return 0, false
	}
	tx.mu.retries++
	if errors.Is(err, wire.ErrNotCommitted) {
		tx.mu.conflicts++
		return tx.conflictDelayLocked(), true
	}
	tx.mu.conflicts = 0
	if t := tx.mu.ticket; t != nil {
		tx.mu.ticket = nil
		tx.db.hot.release(t, ticketUnused)
	}
	tx.mu.delay = min(max(2*tx.mu.delay, firstDelay), tx.mu.options.maxRetryDelay)
	return jitter(tx.mu.delay), true
}

// conflictDelayLocked returns the pause after the latest of some conflicts in
// a row.
func (tx *Transaction) conflictDelayLocked() time.Duration {
	free := 1
	if tx.mu.ticket != nil || tx.mu.wanted != nil {
		free = undelayedWithTicket
	}
	n := tx.mu.conflicts - free
	if n <= 0 {
		return 0
	}
	return jitter(min(firstConflictDelay<<min(n-1, 20), tx.mu.options.maxRetryDelay))
}

// jitter returns a random time between half of d and d.
func jitter(d time.Duration) time.Duration {
	if d <= 1 {
		return d
	}
	return d/2 + rand.N(d/2)
}

// pause waits for d, or until the attempt is ended.
func (a *attempt) pause(d time.Duration) error {
	if a.tx.parent.Err() != nil {
		return endError(a.tx.parent)
	}
	if d <= 0 {
		return a.usable()
	}
	ctx, err := a.callContext()
	if err != nil {
		return err
	}
	return rest(ctx, d)
}

// rest waits for d, or returns the end of ctx.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return endError(ctx)
	}
}
