package fdb

import (
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plinthdb/plinth/kv"
)

// DatabaseOptions sets what concerns a database: for all transactions that begin
// afterwards on any handle of the same store.
type DatabaseOptions struct{ *database }

// databaseDefaults is the options that every transaction of a store begins with.
type databaseDefaults struct {
	current atomic.Pointer[[]kv.TransactionOption]
	// withPorts is include_port_in_address, which kv does not have.
	withPorts atomic.Bool
	mu        struct {
		sync.Mutex
		named []namedOption // in the order in which they were set first
	}
}

type namedOption struct {
	name   string
	option kv.TransactionOption
}

// list returns the options. It must not be changed.
func (d *databaseDefaults) list() []kv.TransactionOption {
	if options := d.current.Load(); options != nil {
		return *options
	}
	return nil
}

// set sets the option of a name, in place of the one that it had.
func (d *databaseDefaults) set(name string, option kv.TransactionOption) {
	d.mu.Lock()
	defer d.mu.Unlock()
	found := false
	for i := range d.mu.named {
		if d.mu.named[i].name == name {
			d.mu.named[i].option, found = option, true
		}
	}
	if !found {
		d.mu.named = append(d.mu.named, namedOption{name, option})
	}
	list := make([]kv.TransactionOption, len(d.mu.named))
	for i, n := range d.mu.named {
		list[i] = n.option
	}
	d.current.Store(&list)
}

// set sets a transaction option for the whole database.
func (o DatabaseOptions) set(name string, option kv.TransactionOption) error {
	if err := o.usable(); err != nil {
		return err
	}
	if err := kv.CheckOptions(option); err != nil {
		return told(slog.LevelDebug, err)
	}
	o.store.options.set(name, option)
	return nil
}

// ignore accepts an option that has no meaning here.
func (o DatabaseOptions) ignore() error { return o.usable() }

// defaultMaxRetryDelay is what the maximum retry delay is if nobody sets it.
const defaultMaxRetryDelay = time.Second

// milliseconds returns a duration from 0 to what FoundationDB accepts.
func milliseconds(name string, param int64) (time.Duration, error) {
	if param < 0 || param > math.MaxInt32 {
		return 0, refused(errInvalidOptionValue, "option %s: %d milliseconds are not between 0 and %d", name, param, math.MaxInt32)
	}
	return time.Duration(param) * time.Millisecond, nil
}

// retryLimit returns a limit of retries from -1, which is none.
func retryLimit(name string, param int64) (int, error) {
	if param < -1 || param > math.MaxInt32 {
		return 0, refused(errInvalidOptionValue, "option %s: a limit of %d retries is not between -1 and %d", name, param, math.MaxInt32)
	}
	return int(param), nil
}

// sizeLimit returns a limit of a transaction's bytes.
func sizeLimit(name string, param int64) (int, error) {
	if param < 32 || param > kv.MaxTransactionBytes {
		return 0, refused(errInvalidOptionValue, "option %s: %d bytes are not between 32 and %d", name, param, kv.MaxTransactionBytes)
	}
	return int(param), nil
}

// SetLocationCacheSize sets how many places of keys the client remembers. Here
// it needs to remember none; the option has no effect.
func (o DatabaseOptions) SetLocationCacheSize(param int64) error { return o.ignore() }

// SetMaxWatches sets how many watches can be outstanding, at most a million. The
// default is 10,000.
func (o DatabaseOptions) SetMaxWatches(param int64) error {
	if err := o.usable(); err != nil {
		return err
	}
	return told(slog.LevelDebug, o.store.db.SetMaxWatches(int(param)))
}

// SetMachineId says on which machine the program runs, to prefer servers near
// it. The option has no effect.
func (o DatabaseOptions) SetMachineId(param string) error { return o.ignore() }

// SetDatacenterId says in which data centre the program runs, to prefer servers
// near it. The option has no effect.
func (o DatabaseOptions) SetDatacenterId(param string) error { return o.ignore() }

// SetSnapshotRywEnable lets snapshot reads see own writes, the default from API
// version 300 on.
func (o DatabaseOptions) SetSnapshotRywEnable() error {
	return o.set("snapshot_ryw", kv.WithSnapshotReadYourWrites(true))
}

// SetSnapshotRywDisable lets snapshot reads not see own writes.
func (o DatabaseOptions) SetSnapshotRywDisable() error {
	return o.set("snapshot_ryw", kv.WithSnapshotReadYourWrites(false))
}

// SetTransactionLoggingMaxFieldLength cuts keys and values in the logs of all
// transactions, see TransactionOptions.SetTransactionLoggingMaxFieldLength.
func (o DatabaseOptions) SetTransactionLoggingMaxFieldLength(param int64) error {
	return o.set("transaction_logging_max_field_length", kv.WithLogFieldLimit(logFieldLimit(param)))
}

// SetTransactionTimeout ends every transaction after so many milliseconds, see
// TransactionOptions.SetTimeout.
func (o DatabaseOptions) SetTransactionTimeout(param int64) error {
	d, err := milliseconds("transaction_timeout", param)
	if err != nil {
		return err
	}
	return o.set("timeout", kv.WithTimeout(d))
}

// SetTransactionRetryLimit bounds the retries of every transaction, see
// TransactionOptions.SetRetryLimit.
func (o DatabaseOptions) SetTransactionRetryLimit(param int64) error {
	n, err := retryLimit("transaction_retry_limit", param)
	if err != nil {
		return err
	}
	return o.set("retry_limit", kv.WithRetryLimit(n))
}

// SetTransactionMaxRetryDelay bounds the pause before a retry, in milliseconds,
// see TransactionOptions.SetMaxRetryDelay.
func (o DatabaseOptions) SetTransactionMaxRetryDelay(param int64) error {
	d, err := milliseconds("transaction_max_retry_delay", param)
	if err != nil {
		return err
	}
	return o.set("max_retry_delay", kv.WithMaxRetryDelay(d))
}

// SetTransactionSizeLimit bounds the bytes of every transaction, see
// TransactionOptions.SetSizeLimit.
func (o DatabaseOptions) SetTransactionSizeLimit(param int64) error {
	n, err := sizeLimit("transaction_size_limit", param)
	if err != nil {
		return err
	}
	return o.set("size_limit", kv.WithSizeLimit(n))
}

// SetTransactionCausalReadRisky allows read versions that may be old after a
// fault. They are exact here all the same; the option has no effect.
func (o DatabaseOptions) SetTransactionCausalReadRisky() error { return o.ignore() }

// SetTransactionIncludePortInAddress makes LocalityGetAddressesForKey return
// addresses with their ports.
//
// Deprecated: addresses hold the port from API version 630 on.
func (o DatabaseOptions) SetTransactionIncludePortInAddress() error {
	if err := o.usable(); err != nil {
		return err
	}
	o.store.options.withPorts.Store(true)
	return nil
}

// SetTransactionBypassUnreadable lets every transaction read what its
// versionstamped operations wrote, see TransactionOptions.SetBypassUnreadable.
func (o DatabaseOptions) SetTransactionBypassUnreadable() error {
	return o.set("bypass_unreadable", kv.WithBypassUnreadable(true))
}

// SetTransactionUsedDuringCommitProtectionDisable has no effect: an operation
// during a commit fails by itself and never harms the commit here.
func (o DatabaseOptions) SetTransactionUsedDuringCommitProtectionDisable() error { return o.ignore() }

// SetTransactionReportConflictingKeys lets every transaction say what it
// conflicted on, see TransactionOptions.SetReportConflictingKeys.
func (o DatabaseOptions) SetTransactionReportConflictingKeys() error {
	return o.set("report_conflicting_keys", kv.WithReportConflictingKeys(true))
}

// SetUseConfigDatabase is for FoundationDB's own tools and is refused with
// unsupported_operation (2108).
func (o DatabaseOptions) SetUseConfigDatabase() error {
	return refused(errUnsupported, "option use_config_database: there is no configuration database")
}

// SetTestCausalReadRisky looks for the faults of causal_read_risky, which has
// no effect here; neither has this.
func (o DatabaseOptions) SetTestCausalReadRisky(param int64) error { return o.ignore() }

// SetTransactionAutomaticIdempotency applies every transaction exactly once, see
// TransactionOptions.SetAutomaticIdempotency.
func (o DatabaseOptions) SetTransactionAutomaticIdempotency() error {
	return o.set("automatic_idempotency", kv.WithExactlyOnce(true))
}
