package kv

import (
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

// DatabaseOption changes how NewDatabase makes a Database.
type DatabaseOption func(*databaseOptions)

type databaseOptions struct {
	maxWatches  int
	hotKeyQueue bool
	transaction transactionOptions
}

// WithTransactionDefaults gives every transaction of the database these
// options; its own come after them.
func WithTransactionDefaults(options ...TransactionOption) DatabaseOption {
	return func(o *databaseOptions) {
		for _, option := range options {
			option(&o.transaction)
		}
	}
}

// WithMaxWatches limits the watches that may be outstanding at once. The
// default is 10,000.
func WithMaxWatches(n int) DatabaseOption {
	return func(o *databaseOptions) { o.maxWatches = n }
}

// WithHotKeyQueue says whether transactions that would only conflict with one
// another line up instead (see the package comment). It is on by default.
func WithHotKeyQueue(on bool) DatabaseOption {
	return func(o *databaseOptions) { o.hotKeyQueue = on }
}

// Priority orders transactions under overload.
type Priority = wire.Priority

// The priorities.
const (
	PriorityDefault   = wire.PriorityDefault   // ordinary transactions
	PriorityBatch     = wire.PriorityBatch     // work that gives way to everything else
	PriorityImmediate = wire.PriorityImmediate // system work that is never held back
)

// TransactionOption changes one transaction, in all its retries. A value that
// is out of range makes the transaction fail with ErrInvalidOptionValue.
type TransactionOption func(*transactionOptions)

type transactionOptions struct {
	timeout          time.Duration
	retryLimit       int // negative: none
	maxRetryDelay    time.Duration
	sizeLimitBytes   int
	priority         Priority
	noReadYourWrites bool
	noSnapshotRYW    bool
	err              error // first invalid value
}

// WithTimeout ends the transaction, all its retries together, with
// ErrTransactionTimedOut after d. 0 is no time-out.
func WithTimeout(d time.Duration) TransactionOption {
	return func(o *transactionOptions) {
		if d < 0 {
			o.invalid("time-out %v is negative", d)
			return
		}
		o.timeout = d
	}
}

// WithRetryLimit lets a transaction be tried again at most n times; then the
// error of the last try is returned. A negative n is no limit, the default.
func WithRetryLimit(n int) TransactionOption {
	return func(o *transactionOptions) { o.retryLimit = n }
}

// WithMaxRetryDelay bounds the pause before a retry. The default is a second.
func WithMaxRetryDelay(d time.Duration) TransactionOption {
	return func(o *transactionOptions) {
		if d < 0 {
			o.invalid("maximum retry delay %v is negative", d)
			return
		}
		o.maxRetryDelay = d
	}
}

// WithSizeLimit lowers the limit on the transaction's size from
// MaxTransactionBytes to bytes, at least 32.
func WithSizeLimit(bytes int) TransactionOption {
	return func(o *transactionOptions) {
		if bytes < 32 || bytes > MaxTransactionBytes {
			o.invalid("size limit %d is not between 32 and %d", bytes, MaxTransactionBytes)
			return
		}
		o.sizeLimitBytes = bytes
	}
}

// WithPriority sets the priority of the transaction's start.
func WithPriority(p Priority) TransactionOption {
	return func(o *transactionOptions) {
		if p > PriorityImmediate {
			o.invalid("priority %d is unknown", p)
			return
		}
		o.priority = p
	}
}

// WithReadYourWrites says whether reads see the transaction's own writes. They
// do by default.
func WithReadYourWrites(on bool) TransactionOption {
	return func(o *transactionOptions) { o.noReadYourWrites = !on }
}

// WithSnapshotReadYourWrites says whether snapshot reads see the transaction's
// own writes. They do by default.
func WithSnapshotReadYourWrites(on bool) TransactionOption {
	return func(o *transactionOptions) { o.noSnapshotRYW = !on }
}

func (o *transactionOptions) invalid(format string, args ...any) {
	if o.err == nil {
		o.err = wire.ErrInvalidOptionValue.With(format, args...)
	}
}

func defaultTransactionOptions() transactionOptions {
	return transactionOptions{
		retryLimit:     -1,
		maxRetryDelay:  time.Second,
		sizeLimitBytes: MaxTransactionBytes,
	}
}
