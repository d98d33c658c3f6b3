package fdb

import (
	"log/slog"
	"time"

	"github.com/plinthdb/plinth/kv"
)

// TransactionOptions sets what concerns one transaction. Options are forgotten
// when the transaction is run again, but for time-out, retry limit, maximum
// retry delay and authorization token; so set them in the function that is given
// to Transact.
type TransactionOptions struct{ *transaction }

// set sets an option of kv. A value that is out of range is an error at once.
func (o TransactionOptions) set(option kv.TransactionOption) error {
	if err := kv.CheckOptions(option); err != nil {
		return told(slog.LevelDebug, err)
	}
	o.current().SetOptions(option)
	return nil
}

// setLimit sets an option that API versions from 610 on keep over retries.
func (o TransactionOptions) setLimit(option kv.TransactionOption) error {
	o.mu.Lock()
	o.mu.limited = true
	o.mu.Unlock()
	return o.set(option)
}

// ignore accepts an option that has no meaning here.
func (o TransactionOptions) ignore() error { return nil }

// SetTimeout ends the transaction, all its retries together, so many
// milliseconds after it began: with transaction_timed_out (1031). 0 is never.
func (o TransactionOptions) SetTimeout(param int64) error {
	d, err := milliseconds("timeout", param)
	if err != nil {
		return err
	}
	return o.setLimit(kv.WithTimeout(d))
}

// SetRetryLimit lets the transaction be run again at most so many times; -1 is
// no limit.
func (o TransactionOptions) SetRetryLimit(param int64) error {
	n, err := retryLimit("retry_limit", param)
	if err != nil {
		return err
	}
	return o.setLimit(kv.WithRetryLimit(n))
}

// SetMaxRetryDelay bounds the pause before a retry, in milliseconds. The default
// is 1,000.
func (o TransactionOptions) SetMaxRetryDelay(param int64) error {
	d, err := milliseconds("max_retry_delay", param)
	if err != nil {
		return err
	}
	return o.setLimit(kv.WithMaxRetryDelay(d))
}

// SetSizeLimit bounds the bytes of keys, values and conflict ranges, from 32 to
// 10,000,000, the default. Beyond it the error is transaction_too_large (2101).
func (o TransactionOptions) SetSizeLimit(param int64) error {
	n, err := sizeLimit("size_limit", param)
	if err != nil {
		return err
	}
	return o.set(kv.WithSizeLimit(n))
}

// SetPrioritySystemImmediate lets no load of the store hold the start of the
// transaction back; its commit waits like any other. It is for tools.
func (o TransactionOptions) SetPrioritySystemImmediate() error {
	return o.set(kv.WithPriority(kv.PriorityImmediate))
}

// SetPriorityBatch lets the transaction give way to all others: while the store
// is loaded it waits when it begins, and fails with error 1051 after a second.
func (o TransactionOptions) SetPriorityBatch() error {
	return o.set(kv.WithPriority(kv.PriorityBatch))
}

// SetReadYourWritesDisable lets reads not see own writes. It must be set before
// the first read and write: client_invalid_operation (2000).
func (o TransactionOptions) SetReadYourWritesDisable() error {
	return o.set(kv.WithReadYourWrites(false))
}

// SetSnapshotRywEnable lets snapshot reads see own writes, the default from API
// version 300 on.
func (o TransactionOptions) SetSnapshotRywEnable() error {
	return o.set(kv.WithSnapshotReadYourWrites(true))
}

// SetSnapshotRywDisable lets snapshot reads not see own writes.
func (o TransactionOptions) SetSnapshotRywDisable() error {
	return o.set(kv.WithSnapshotReadYourWrites(false))
}

// SetBypassUnreadable lets reads see what versionstamped operations of the
// transaction wrote, with the bytes that stand in place of the stamp. Without
// it they fail with accessed_unreadable (1036).
func (o TransactionOptions) SetBypassUnreadable() error {
	return o.set(kv.WithBypassUnreadable(true))
}

// SetNextWriteNoWriteConflictRange lets the next write add no write conflict.
func (o TransactionOptions) SetNextWriteNoWriteConflictRange() error {
	if o.version < versionAbsentOperand {
		o.mu.Lock()
		o.mu.withoutConflict = true
		o.mu.Unlock()
	}
	o.current().NextWriteWithoutConflict()
	return nil
}

// SetAccessSystemKeys lets the transaction read and write the keys that begin
// with the byte 0xff.
func (o TransactionOptions) SetAccessSystemKeys() error { return o.set(kv.WithSystemKeys(true)) }

// SetReadSystemKeys lets the transaction read the keys that begin with the byte
// 0xff.
func (o TransactionOptions) SetReadSystemKeys() error { return o.set(kv.WithReadSystemKeys(true)) }

// SetRawAccess gives access to keys outside all tenants. There are no tenants;
// the option has no effect.
func (o TransactionOptions) SetRawAccess() error { return o.ignore() }

// SetLockAware lets the transaction read and write although the database is
// locked.
func (o TransactionOptions) SetLockAware() error { return o.set(kv.WithLockAware(true)) }

// SetReadLockAware lets the transaction read although the database is locked.
func (o TransactionOptions) SetReadLockAware() error { return o.set(kv.WithReadLockAware(true)) }

// SetReportConflictingKeys lets the transaction say what its commit conflicted
// on, under \xff\xff/transaction/conflicting_keys/.
func (o TransactionOptions) SetReportConflictingKeys() error {
	return o.set(kv.WithReportConflictingKeys(true))
}

// SetSpecialKeySpaceRelaxed lets a read of the keys under \xff\xff go over any
// number of their modules.
func (o TransactionOptions) SetSpecialKeySpaceRelaxed() error {
	return o.set(kv.WithSpecialKeysRelaxed(true))
}

// SetSpecialKeySpaceEnableWrites lets the transaction write the keys under
// \xff\xff that can be written.
func (o TransactionOptions) SetSpecialKeySpaceEnableWrites() error {
	return o.set(kv.WithSpecialKeyWrites(true))
}

// SetTag adds a tag of at most 16 bytes (error 2110) by which transactions can
// be throttled; a transaction can have five (error 2109). A store inside the
// process throttles those that it was told to (error 1213), see kv.ThrottleTag.
func (o TransactionOptions) SetTag(param string) error { return o.set(kv.WithTag(param)) }

// SetAutoThrottleTag is SetTag.
func (o TransactionOptions) SetAutoThrottleTag(param string) error { return o.set(kv.WithTag(param)) }

// grvCacheAge is how old a read version of use_grv_cache may be.
const grvCacheAge = 100 * time.Millisecond

// SetUseGrvCache lets the transaction read at a version that this process saw a
// tenth of a second ago at most.
func (o TransactionOptions) SetUseGrvCache() error {
	return o.set(kv.WithCachedReadVersion(grvCacheAge))
}

// SetCausalReadRisky allows a read version that may be old after a fault. It is
// exact here all the same; the option has no effect.
func (o TransactionOptions) SetCausalReadRisky() error { return o.ignore() }

// SetCausalReadDisable has no effect in FoundationDB either.
func (o TransactionOptions) SetCausalReadDisable() error { return o.ignore() }

// SetCausalWriteRisky allows a commit to be applied twice after a fault. Here it
// never is for that reason; the option has no effect.
func (o TransactionOptions) SetCausalWriteRisky() error { return o.ignore() }

// SetIncludePortInAddress makes LocalityGetAddressesForKey return addresses with
// their ports, as API versions from 630 on always do.
func (o TransactionOptions) SetIncludePortInAddress() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mu.withPorts = true
	return nil
}

// SetReadAheadDisable has no effect.
//
// Deprecated: it has none in FoundationDB either.
func (o TransactionOptions) SetReadAheadDisable() error { return o.ignore() }

// SetReadServerSideCacheEnable is the default; it has no effect.
func (o TransactionOptions) SetReadServerSideCacheEnable() error { return o.ignore() }

// SetReadServerSideCacheDisable asks the store not to cache what is read. It is
// a hint that has no effect here.
func (o TransactionOptions) SetReadServerSideCacheDisable() error { return o.ignore() }

// SetReadPriorityNormal is the default; it has no effect.
func (o TransactionOptions) SetReadPriorityNormal() error { return o.ignore() }

// SetReadPriorityLow is a hint that has no effect here.
func (o TransactionOptions) SetReadPriorityLow() error { return o.ignore() }

// SetReadPriorityHigh is a hint that has no effect here.
func (o TransactionOptions) SetReadPriorityHigh() error { return o.ignore() }

// SetDurabilityDatacenter has no effect in FoundationDB either.
func (o TransactionOptions) SetDurabilityDatacenter() error { return o.ignore() }

// SetDurabilityRisky has no effect in FoundationDB either: a commit that
// returned is on disk.
func (o TransactionOptions) SetDurabilityRisky() error { return o.ignore() }

// SetDurabilityDevNullIsWebScale has no effect: a commit that returned is on
// disk.
//
// Deprecated: it has none in FoundationDB either.
func (o TransactionOptions) SetDurabilityDevNullIsWebScale() error { return o.ignore() }

// SetInitializeNewDatabase is for the first transaction ever of a FoundationDB
// cluster and is refused with unsupported_operation (2108).
func (o TransactionOptions) SetInitializeNewDatabase() error {
	return refused(errUnsupported, "option initialize_new_database: Plinth initializes a store when it makes it")
}

// SetBypassStorageQuota lets the transaction exceed a tenant's quota. There are
// none; the option has no effect.
func (o TransactionOptions) SetBypassStorageQuota() error { return o.ignore() }

// SetAuthorizationToken gives a token for tenants. A store without tenants, as
// FoundationDB without authorization, ignores it.
func (o TransactionOptions) SetAuthorizationToken(param string) error { return o.ignore() }

// SetUsedDuringCommitProtectionDisable has no effect: an operation during the
// commit fails by itself and never harms the commit here.
func (o TransactionOptions) SetUsedDuringCommitProtectionDisable() error { return o.ignore() }

// SetUseProvisionalProxies is for FoundationDB's tools; it has no effect.
func (o TransactionOptions) SetUseProvisionalProxies() error { return o.ignore() }

// SetExpensiveClearCostEstimationEnable refines the cost of clears for
// throttling. A store inside the process does not throttle by cost; the option
// has no effect.
func (o TransactionOptions) SetExpensiveClearCostEstimationEnable() error { return o.ignore() }

// SetAutomaticIdempotency finds out what became of a commit whose answer was
// lost, instead of failing with commit_unknown_result (1021); in Transact the
// function is then applied exactly once. It costs a little with each commit, see
// Plinth's kv.WithExactlyOnce.
func (o TransactionOptions) SetAutomaticIdempotency() error {
	return o.set(kv.WithExactlyOnce(true))
}
