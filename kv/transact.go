package kv

import "context"

// Transact runs f in a transaction, commits it, and returns f's result. If the
// commit conflicts, or f or the commit fails with an error that is Retryable,
// it runs f again from the beginning, in a fresh transaction: f must have no
// effect but through tx, or one that may happen several times.
//
// An error of f that is not retryable is returned as it is, and nothing is
// committed. A panic of f passes through; nothing is committed. When ctx ends
// the error wraps its cause, and f is not run any more.
//
// After ErrCommitUnknownResult the transaction is run again too. The first run
// may have been committed after all, so such a transaction may apply twice.
// Make it idempotent where that matters.
func Transact[T any](ctx context.Context, db *Database, f func(tx *Transaction) (T, error), options ...TransactionOption) (T, error) {
	var none T
	return none, errUnfinished
}

// ReadTransact runs f with a reader of one version, and runs it again if a
// read fails with an error that is Retryable. It never conflicts with anybody.
func ReadTransact[T any](ctx context.Context, db *Database, f func(r Reader) (T, error), options ...TransactionOption) (T, error) {
	var none T
	return none, errUnfinished
}
