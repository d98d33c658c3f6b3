package kv

import (
	"errors"
	"log/slog"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

// clock returns the time since the database was made.
func (db *Database) clock() time.Duration { return time.Since(db.began) }

// startCounting counts a transaction in; finish counts it out.
func (tx *Transaction) startCounting() {
	tx.db.counters.started.Add(1)
	tx.startTrace()
}

// finish notes that the transaction has ended, unless it already has: with err, or
// well if that is nil, having committed writes at version if that is not 0.
func (tx *Transaction) finish(version wire.Version, err error) {
	tx.mu.Lock()
	if tx.mu.finished {
		tx.mu.Unlock()
		return
	}
	tx.mu.finished = true
	took, attempts, a := time.Since(tx.mu.began), tx.mu.retries+1, tx.current.Load()
	tx.mu.Unlock()
	c := &tx.db.counters
	c.transaction.observe(took)
	switch {
	case err != nil:
		c.failed.Add(1)
		c.failures.add(errorNumber(err))
	case version > 0:
		c.committed.Add(1)
	default:
		c.readOnly.Add(1)
	}
	if span := tx.span(); span != nil {
		a.describe(span, attempts, version)
		endSpan(span, err)
	}
}

// reopenLocked reports whether the transaction, which was reset, has to be
// counted in again since it had ended.
func (tx *Transaction) reopenLocked() bool {
	reopens := tx.mu.finished && tx.mu.ended == nil
	if reopens {
		tx.mu.finished = false
	}
	return reopens
}

// failure returns why the attempt was not committed.
func (a *attempt) failure() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.mu.settleErr
}

// noteRetry notes that another try follows after err.
func (tx *Transaction) noteRetry(err error) {
	tx.db.counters.retries.add(errorNumber(err))
	if span := tx.span(); span != nil {
		span.Event("plinth.retry", slog.Int("plinth.error", errorNumber(err)))
	}
}

// noteLostAnswer notes that what became of a commit has to be found out.
func (tx *Transaction) noteLostAnswer() {
	tx.db.counters.lostAnswers.Add(1)
	if span := tx.span(); span != nil {
		span.Event("plinth.lost_answer")
	}
}

// errorNumber returns the number of err, 0 if it has none.
func errorNumber(err error) int {
	var e *wire.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}
