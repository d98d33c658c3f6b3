package kv

import (
	"cmp"
	"context"
	"log/slog"

	"github.com/plinthdb/plinth/internal/wire"
)

const (
	// defaultLogFieldBytes is how much of a key or value is logged.
	defaultLogFieldBytes = 256
	// maxDebugIDBytes is the longest name of a transaction, as in FoundationDB.
	maxDebugIDBytes = 100
	// maxLoggedMutations bounds what one commit logs.
	maxLoggedMutations = 1000
)

// WithDebugID names the transaction in logs, in 1 to 100 bytes.
func WithDebugID(id string) TransactionOption {
	return func(o *transactionOptions) {
		if id == "" || len(id) > maxDebugIDBytes {
			o.invalid("name %.40q of a transaction has %d bytes, not between 1 and %d", id, len(id), maxDebugIDBytes)
			return
		}
		o.attempt.rarely(func(r *rareOptions) { r.debugID = id })
	}
}

// WithTransactionLog logs what the transaction does, at level debug, to the
// logger of the database (see WithLogger). It needs a name (WithDebugID), given
// before: without one the transaction fails with ErrClientInvalidOperation.
func WithTransactionLog(on bool) TransactionOption {
	return func(o *transactionOptions) {
		if on && o.attempt.rarelyUsed().debugID == "" {
			o.fail(wire.ErrClientInvalidOperation.With("a transaction that logs needs a name: WithDebugID"))
			return
		}
		o.attempt.logs = on
	}
}

// WithLogFieldLimit cuts keys and values in the log after so many bytes, 256 by
// default; -1 is no limit.
func WithLogFieldLimit(bytes int) TransactionOption {
	return func(o *transactionOptions) {
		if bytes == 0 || bytes < -1 {
			o.invalid("limit of %d bytes for a logged key or value is neither positive nor -1", bytes)
			return
		}
		o.attempt.rarely(func(r *rareOptions) { r.logFieldBytes = bytes })
	}
}

// txLog writes the log of one transaction. A nil one writes nothing.
type txLog struct {
	logger     *slog.Logger
	fieldBytes int // -1: no limit
}

// logLocked returns the log of the attempt, nil if it has none.
func (a *attempt) logLocked() *txLog {
	o := &a.mu.options
	if !o.logs || a.db.options.logger == nil {
		return nil
	}
	rare := o.rarelyUsed()
	return &txLog{
		logger:     a.db.options.logger.With("transaction", rare.debugID),
		fieldBytes: cmp.Or(rare.logFieldBytes, defaultLogFieldBytes),
	}
}

// log is logLocked for who does not hold the lock.
func (a *attempt) log() *txLog {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.logLocked()
}

func (l *txLog) event(event string, attributes ...slog.Attr) {
	l.logger.LogAttrs(context.Background(), slog.LevelDebug, event, attributes...)
}

// field returns key or value b as the log shows it.
func (l *txLog) field(name string, b []byte) slog.Attr {
	cut := ""
	if l.fieldBytes > 0 && len(b) > l.fieldBytes {
		b, cut = b[:l.fieldBytes], "..."
	}
	return slog.String(name, escape(b)+cut)
}

// escape returns b with each byte that is not printable ASCII as \x and its hex
// digits.
func escape(b []byte) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, len(b))
	for _, c := range b {
		switch {
		case c == '\\':
			out = append(out, '\\', '\\')
		case c >= 0x20 && c < 0x7f:
			out = append(out, c)
		default:
			out = append(out, '\\', 'x', digits[c>>4], digits[c&15])
		}
	}
	return string(out)
}

// readVersion logs how a read version came, or why not.
func (l *txLog) readVersion(v wire.Version, err error) {
	if l != nil {
		l.event("read version", slog.Int64("version", int64(v)), slog.Any("error", err))
	}
}

// get logs one Get that came back from the store.
func (l *txLog) get(key, value []byte, err error) {
	if l != nil {
		l.event("get", l.field("key", key), slog.Bool("present", value != nil), slog.Int("bytes", len(value)), slog.Any("error", err))
	}
}

// rangeRead logs one piece of a range.
func (l *txLog) rangeRead(r *wire.GetRangeRequest, reply *wire.GetRangeReply, err error) {
	if l != nil {
		l.event("get range", l.field("begin", r.Begin), l.field("end", r.End), slog.Bool("reverse", r.Reverse),
			slog.Int("rows", len(reply.Rows)), slog.Bool("more", reply.More), slog.Any("error", err))
	}
}

// commit logs what was sent, and what became of it.
func (l *txLog) commit(r *wire.CommitRequest, reply wire.CommitReply, err error) {
	if l == nil {
		return
	}
	list := wire.ReadMutations(r.Mutations)
	for range maxLoggedMutations {
		m, ok, listErr := list.Next()
		if !ok || listErr != nil {
			break
		}
		l.event("mutation", slog.Int("type", int(m.Type)), l.field("param1", m.Param1), l.field("param2", m.Param2))
	}
	l.event("commit", slog.Int64("read_version", int64(r.ReadVersion)), slog.Int64("version", int64(reply.Version)),
		slog.Int("bytes", r.Bytes()), slog.Int("read_conflicts", len(r.ReadConflicts)), slog.Int("write_conflicts", len(r.WriteConflicts)),
		slog.Any("error", err))
}

// retry logs that another try follows after err.
func (l *txLog) retry(err error) {
	if l != nil {
		l.event("retry", slog.Any("error", err))
	}
}
