package kv

import (
	"context"
)

// Database is a store, reached through a back-end. It is safe for concurrent
// use; a program needs one per store.
type Database struct {
	backend Backend
	options databaseOptions
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
	return &Database{backend: b, options: o}
}

// Close cancels all watches and makes every later use of the database fail
// with ErrDatabaseClosed. It returns when no goroutine of the database is
// left. The back-end is not closed: who made it does that.
func (db *Database) Close() error { return errUnfinished }

// Begin starts a transaction by hand. The caller commits, and retries with
// OnError; Transact does both and is what most programs want. Call Cancel when
// done, whatever happened; ctx ends all its work.
func (db *Database) Begin(ctx context.Context, options ...TransactionOption) *Transaction {
	return &Transaction{}
}
