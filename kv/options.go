package kv

import (
	"context"
	"log/slog"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

// DatabaseOption changes how NewDatabase makes a Database.
type DatabaseOption func(*databaseOptions)

type databaseOptions struct {
	maxWatches  int
	hotKeyQueue bool
	logger      *slog.Logger
	tracer      Tracer // nil: none
	commitHooks []func(context.Context, CommitEvent)
	transaction transactionOptions
}

// WithTransactionDefaults gives every transaction of the database these
// options; its own come after them. WithIdempotencyID cannot be one of them: all
// transactions would have the same id, and each would pass for the one before.
// With it every transaction fails with ErrInvalidOptionValue. The transactions of
// a default WithDebugID share its name in logs.
func WithTransactionDefaults(options ...TransactionOption) DatabaseOption {
	return func(o *databaseOptions) {
		for _, option := range options {
			option(&o.transaction)
		}
		if id := &o.transaction.attempt.idempotency.id; *id != nil {
			*id = nil
			o.transaction.invalid("an idempotency id stands for one transaction, so it cannot be a default; WithExactlyOnce can")
		}
	}
}

// WithMaxWatches limits the watches that may be outstanding at once. The
// default is 10,000, the greatest number a million; beyond it, or below zero,
// every transaction fails with ErrInvalidOptionValue.
func WithMaxWatches(n int) DatabaseOption {
	return func(o *databaseOptions) {
		if n < 0 || n > maxMaxWatches {
			o.transaction.invalid("limit of %d watches is not between 0 and %d", n, maxMaxWatches)
			return
		}
		o.maxWatches = n
	}
}

const maxMaxWatches = 1_000_000

// WithHotKeyQueue says whether transactions that would only conflict with one
// another line up instead (see the package comment). It is on by default.
func WithHotKeyQueue(on bool) DatabaseOption {
	return func(o *databaseOptions) { o.hotKeyQueue = on }
}

// WithLogger takes the logs of transactions that have WithTransactionLog.
func WithLogger(logger *slog.Logger) DatabaseOption {
	return func(o *databaseOptions) { o.logger = logger }
}

// Priority says what becomes of a transaction that begins while the store is
// loaded: while the storage server is behind the commits, or its memory or that
// for commits fills up. It concerns the start alone: reads and commits
// are served alike.
type Priority = wire.Priority

// The priorities.
const (
	// PriorityDefault is for ordinary transactions. They are held back, for up to
	// a tenth of a second, only while one of the store's limits is reached.
	PriorityDefault = wire.PriorityDefault
	// PriorityBatch is for work that gives way to everything else. It is held
	// back from half of a limit on; after a second the transaction fails with
	// ErrBatchThrottled, which Transact takes for a reason to try again.
	PriorityBatch = wire.PriorityBatch
	// PriorityImmediate is for work that an overload must not hold back, such as
	// what ends it. No load makes it wait at its start; a limit on one of its tags
	// can, and with too many transactions waiting it fails with
	// ErrGRVProxyMemoryLimit, after all others. Its commit has no priority: like
	// any, it waits for a storage server that is behind, for up to a second, and
	// then fails with ErrProcessBehind, or with ErrCommitProxyMemoryLimit.
	PriorityImmediate = wire.PriorityImmediate
)

// TransactionOption changes one transaction. Given to Transact or Begin, or as a
// default of the database, it holds for all its retries; see SetOptions for the
// other way. A value that is out of range makes the transaction fail with
// ErrInvalidOptionValue, see CheckOptions.
type TransactionOption func(*transactionOptions)

// transactionOptions is what the options of a transaction amount to.
type transactionOptions struct {
	timeout       time.Duration
	retryLimit    int // negative: none
	maxRetryDelay time.Duration
	attempt       attemptOptions
	err           error // first invalid value
}

// attemptOptions is what each try needs of its transaction's options.
type attemptOptions struct {
	sizeLimitBytes int
	rare           *rareOptions // nil: the zero value
	idempotency    idempotency
	priority       Priority

	noReadYourWrites, noSnapshotRYW, bypassUnreadable bool
	readSystemKeys, writeSystemKeys                   bool
	lockAware, readOnly                               bool
	reportConflicts, firstInBatch                     bool
	specialRelaxed, specialWrites                     bool
	logs, noReadAhead                                 bool
}

// rareOptions are apart, so that transactions without them stay small. They are
// shared between tries and never changed: see rarely.
type rareOptions struct {
	maxVersionAge time.Duration // of a read version that was seen before; 0: asked for
	tags          []string
	debugID       string
	logFieldBytes int // 0: the default, -1: no limit
}

// rarely changes rare options.
func (o *attemptOptions) rarely(change func(r *rareOptions)) {
	r := o.rarelyUsed()
	change(&r)
	o.rare = &r
}

// rarelyUsed returns the rare options.
func (o *attemptOptions) rarelyUsed() rareOptions {
	if o.rare == nil {
		return rareOptions{}
	}
	return *o.rare
}

// givesWay says that the store may let others start first, and must be asked.
func (o *attemptOptions) givesWay() bool {
	return o.priority == PriorityBatch || len(o.rarelyUsed().tags) > 0
}

// readEnd bounds the keys that can be read.
func (o *attemptOptions) readEnd() string {
	if o.readSystemKeys {
		return wire.MaxKey
	}
	return wire.SystemPrefix
}

// writeEnd bounds the keys that can be written.
func (o *attemptOptions) writeEnd() string {
	if o.writeSystemKeys {
		return wire.MaxKey
	}
	return wire.SystemPrefix
}

func (o *transactionOptions) invalid(format string, args ...any) {
	o.fail(wire.ErrInvalidOptionValue.With(format, args...))
}

func (o *transactionOptions) fail(err error) {
	if o.err == nil {
		o.err = err
	}
}

func defaultTransactionOptions() transactionOptions {
	return transactionOptions{
		retryLimit:    -1,
		maxRetryDelay: time.Second,
		attempt:       attemptOptions{sizeLimitBytes: MaxTransactionBytes},
	}
}

// CheckOptions returns the error that a transaction with these options would
// fail with, nil if there is none.
func CheckOptions(options ...TransactionOption) error {
	o := defaultTransactionOptions()
	for _, option := range options {
		option(&o)
	}
	return o.err
}
