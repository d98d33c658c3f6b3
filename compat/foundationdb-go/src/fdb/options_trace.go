package fdb

import (
	"math"

	"github.com/plinthdb/plinth/kv"
)

// identify names the transaction in its log.
func (o TransactionOptions) identify(id string) error {
	if err := o.set(kv.WithDebugID(id)); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mu.identified = true
	return nil
}

// SetDebugTransactionIdentifier names the transaction in its log, by 1 to 100
// bytes (error 2006).
func (o TransactionOptions) SetDebugTransactionIdentifier(param string) error {
	return o.identify(param)
}

// SetLogTransaction logs what the transaction does, at level debug to the
// default logger of log/slog. It needs a name first, see
// SetDebugTransactionIdentifier: client_invalid_operation (2000).
func (o TransactionOptions) SetLogTransaction() error {
	o.mu.Lock()
	identified := o.mu.identified
	o.mu.Unlock()
	if !identified {
		return refused(errInvalidOperation, "option log_transaction needs the option debug_transaction_identifier first")
	}
	o.current().SetOptions(kv.WithTransactionLog(true))
	return nil
}

// SetTransactionLoggingEnable is SetDebugTransactionIdentifier and
// SetLogTransaction.
//
// Deprecated: use those.
func (o TransactionOptions) SetTransactionLoggingEnable(param string) error {
	if err := o.identify(param); err != nil {
		return err
	}
	return o.SetLogTransaction()
}

// SetTransactionLoggingMaxFieldLength cuts keys and values in the log after so
// many bytes; a negative number is no limit.
func (o TransactionOptions) SetTransactionLoggingMaxFieldLength(param int64) error {
	return o.set(kv.WithLogFieldLimit(logFieldLimit(param)))
}

// logFieldLimit returns a limit of kv: 0 bytes, which FoundationDB allows, show
// one.
func logFieldLimit(param int64) int {
	if param < 0 {
		return -1
	}
	return int(min(max(param, 1), math.MaxInt32))
}

// SetDebugRetryLogging has no effect in FoundationDB either.
func (o TransactionOptions) SetDebugRetryLogging(param string) error { return o.ignore() }

// SetServerRequestTracing asks servers to trace the transaction; the option has
// no effect.
func (o TransactionOptions) SetServerRequestTracing() error { return o.ignore() }

// The lengths of an identifier of a span, of FoundationDB 7.1 and later.
const (
	oldSpanBytes = 16
	spanBytes    = 33
)

// SetSpanParent gives the span to which the transaction belongs, in 33 bytes (16
// in FoundationDB 7.1; another length is error 2006). The package records no
// spans.
func (o TransactionOptions) SetSpanParent(param []byte) error {
	if len(param) != spanBytes && len(param) != oldSpanBytes {
		return refused(errInvalidOptionValue, "option span_parent: a span has %d bytes, not %d", spanBytes, len(param))
	}
	return nil
}
