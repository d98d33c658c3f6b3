package workload

import (
	"time"

	"github.com/plinthdb/plinth/kv"
)

// Defaults are options of the database that the workloads run on, and what it
// gives its transactions. The zero value is that of kv.
type Defaults struct {
	// NoHotKeyQueue switches the queues for hot keys off.
	NoHotKeyQueue bool
	// ReadAhead has iterations fetch ahead, which an embedded store does not by
	// itself.
	ReadAhead bool
	// RetryLimit, MaxRetryDelay, Timeout and SizeLimitBytes hold for every
	// transaction that has none of its own; 0 is kv's default.
	RetryLimit             int
	MaxRetryDelay, Timeout time.Duration
	SizeLimitBytes         int
}

// Options returns the options of the database.
func (d Defaults) Options() []kv.DatabaseOption {
	var options []kv.TransactionOption
	if d.RetryLimit > 0 {
		options = append(options, kv.WithRetryLimit(d.RetryLimit))
	}
	if d.MaxRetryDelay > 0 {
		options = append(options, kv.WithMaxRetryDelay(d.MaxRetryDelay))
	}
	if d.SizeLimitBytes > 0 {
		options = append(options, kv.WithSizeLimit(d.SizeLimitBytes))
	}
	options = append(options, kv.WithTimeout(d.Timeout), kv.WithReadAhead(d.ReadAhead))
	return []kv.DatabaseOption{kv.WithHotKeyQueue(!d.NoHotKeyQueue), kv.WithTransactionDefaults(options...)}
}

// Unlimited are the options of a transaction that is not to have the defaults'
// limits, nor to wait for a lock: it prepares or checks what others do.
func Unlimited() []kv.TransactionOption {
	return []kv.TransactionOption{
		kv.WithRetryLimit(-1), kv.WithTimeout(0), kv.WithSizeLimit(kv.MaxTransactionBytes), kv.WithLockAware(true),
	}
}
