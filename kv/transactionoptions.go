package kv

import (
	"slices"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

// WithTimeout ends the transaction, all its retries together, with
// ErrTransactionTimedOut d after its beginning or last Reset. 0 is no time-out.
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
		o.attempt.sizeLimitBytes = bytes
	}
}

// WithPriority sets the priority of the transaction's start. It matters while
// the store is loaded: see Priority.
func WithPriority(p Priority) TransactionOption {
	return func(o *transactionOptions) {
		if p > PriorityImmediate {
			o.invalid("priority %d is unknown", p)
			return
		}
		o.attempt.priority = p
	}
}

// WithReadYourWrites says whether reads see the transaction's own writes. They
// do by default. Switching it off after a read or write makes the transaction
// fail with ErrClientInvalidOperation.
func WithReadYourWrites(on bool) TransactionOption {
	return func(o *transactionOptions) { o.attempt.noReadYourWrites = !on }
}

// WithSnapshotReadYourWrites says whether snapshot reads see the transaction's
// own writes. They do by default.
func WithSnapshotReadYourWrites(on bool) TransactionOption {
	return func(o *transactionOptions) { o.attempt.noSnapshotRYW = !on }
}

// WithBypassUnreadable lets reads see keys and values that versionstamped
// operations of the same transaction wrote, with the bytes that were given in
// place of the stamp, instead of failing with ErrAccessedUnreadable.
func WithBypassUnreadable(on bool) TransactionOption {
	return func(o *transactionOptions) { o.attempt.bypassUnreadable = on }
}

// WithReadSystemKeys lets the transaction read the keys of the system, from
// \xff up to \xff\xff. They are like other keys: range reads and selectors go
// on from user keys to them.
func WithReadSystemKeys(on bool) TransactionOption {
	return func(o *transactionOptions) { o.attempt.readSystemKeys = on }
}

// WithSystemKeys lets the transaction read and write the keys of the system. The
// store acts on DatabaseLockedKey, MetadataVersionKey and the rows of limits on
// tags, and keeps its id and notes of its own there: write only what you know.
func WithSystemKeys(on bool) TransactionOption {
	return func(o *transactionOptions) { o.attempt.readSystemKeys, o.attempt.writeSystemKeys = on, on }
}

// WithLockAware lets the transaction read and write although the database is
// locked, see LockDatabase.
func WithLockAware(on bool) TransactionOption {
	return func(o *transactionOptions) { o.attempt.lockAware, o.attempt.readOnly = on, false }
}

// WithReadLockAware lets the transaction read although the database is locked.
// It must not write: its commit would fail with ErrTransactionReadOnly. After
// WithLockAware it changes nothing.
func WithReadLockAware(on bool) TransactionOption {
	return func(o *transactionOptions) {
		if !o.attempt.lockAware || o.attempt.readOnly {
			o.attempt.lockAware, o.attempt.readOnly = on, on
		}
	}
}

// WithReportConflictingKeys makes a commit that fails with ErrNotCommitted say
// what conflicted, see Transaction.ConflictingKeys. It costs the resolver a
// little.
func WithReportConflictingKeys(on bool) TransactionOption {
	return func(o *transactionOptions) { o.attempt.reportConflicts = on }
}

// WithFirstInBatch lets no transaction be applied before this one at the same
// commit version. If all that write a kind of key have the option, the first
// eight bytes of their versionstamps tell them apart, and can serve as a
// revision. It ends the batch before, so many of them take more time together.
func WithFirstInBatch(on bool) TransactionOption {
	return func(o *transactionOptions) { o.attempt.firstInBatch = on }
}

// WithSpecialKeysRelaxed lets one read of special keys go over any number of
// modules, or none.
func WithSpecialKeysRelaxed(on bool) TransactionOption {
	return func(o *transactionOptions) { o.attempt.specialRelaxed = on }
}

// WithSpecialKeyWrites lets the transaction write special keys.
func WithSpecialKeyWrites(on bool) TransactionOption {
	return func(o *transactionOptions) { o.attempt.specialWrites = on }
}

// The limits of tags, FoundationDB's.
const (
	maxTags     = 5
	maxTagBytes = wire.MaxTagBytes
)

// WithTag adds the transaction to a group whose starts are counted, and can be
// limited by ThrottleTag; it may be in five. A tag has at most sixteen bytes. The
// errors are ErrTooManyTags and ErrTagTooLong. Beyond a limit the transaction
// waits for up to a second when it begins, then fails with ErrTagThrottled,
// which Transact takes for a reason to try again.
func WithTag(tag string) TransactionOption {
	return func(o *transactionOptions) {
		tags := o.attempt.rarelyUsed().tags
		switch {
		case len(tag) > maxTagBytes:
			o.fail(wire.ErrTagTooLong.With("transaction tag %q is longer than the limit of %d bytes", tag, maxTagBytes))
		case slices.Contains(tags, tag):
		case len(tags) >= maxTags:
			o.fail(wire.ErrTooManyTags.With("transaction tag %q is beyond the limit of %d tags", tag, maxTags))
		default:
			o.attempt.rarely(func(r *rareOptions) { r.tags = append(slices.Clip(tags), tag) })
		}
	}
}

// WithCausalReadRisky is accepted for programs that have it. It allows a read
// version that may not show the newest commits after a fault; here that would
// save nothing, so read versions are exact with it too.
func WithCausalReadRisky(bool) TransactionOption { return func(*transactionOptions) {} }

// WithCausalWriteRisky is accepted for programs that have it. It allows a
// commit to be applied twice after a fault; here it never is for that reason.
func WithCausalWriteRisky(bool) TransactionOption { return func(*transactionOptions) {} }

// WithUsedDuringCommitProtection is accepted for programs that switch it off.
// An operation during the commit fails by itself here, and never makes the
// commit look as if it had failed.
func WithUsedDuringCommitProtection(bool) TransactionOption {
	return func(*transactionOptions) {}
}

// maxCachedVersionAge bounds WithCachedReadVersion: the window of the store is
// five seconds.
const maxCachedVersionAge = 4 * time.Second

// WithCachedReadVersion lets the first try read at a version that this Database
// saw at most maxAge ago, instead of asking for one: it may not see commits of
// that time by other processes or Databases, nor that the database was locked
// since. 0, the default, always asks. So does a retry, and a transaction with a
// tag or batch priority, whose start the store may hold back. FoundationDB's
// use_grv_cache has an age of 100 ms.
func WithCachedReadVersion(maxAge time.Duration) TransactionOption {
	return func(o *transactionOptions) {
		if maxAge < 0 || maxAge > maxCachedVersionAge {
			o.invalid("age %v of a read version is not between 0 and %v", maxAge, maxCachedVersionAge)
			return
		}
		o.attempt.rarely(func(r *rareOptions) { r.maxVersionAge = maxAge })
	}
}
