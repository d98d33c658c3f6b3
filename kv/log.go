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
// logger of the database (see WithLogger): what the store answered to each of its
// calls, each mutation that it commits, each watch that is armed, answered and
// ended, each search for a lost answer, each retry. The context of a line is that
// of what it tells, so a handler finds the trace in it. It needs a name (WithDebugID), given
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
func (a *attempt) logLocked() *txLog { return a.db.logOf(&a.mu.options) }

// logOf returns the log of a transaction with these options, nil if it has none.
func (db *Database) logOf(o *attemptOptions) *txLog {
	if !o.logs || db.options.logger == nil {
		return nil
	}
	rare := o.rarelyUsed()
	return &txLog{
		logger:     db.options.logger.With("transaction", rare.debugID),
		fieldBytes: cmp.Or(rare.logFieldBytes, defaultLogFieldBytes),
	}
}

// event writes one line. ctx is the context of what is told, for handlers that
// take the trace from it.
func (l *txLog) event(ctx context.Context, event string, attributes ...slog.Attr) {
	l.logger.LogAttrs(ctx, slog.LevelDebug, event, attributes...)
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

// failure is the error that a line tells, nil if there is none.
func failure(err error) slog.Attr { return slog.Any("error", err) }

// readVersion logs how a read version came, or why not.
func (l *txLog) readVersion(ctx context.Context, v wire.Version, err error) {
	if l != nil {
		l.event(ctx, "read version", slog.Int64("version", int64(v)), failure(err))
	}
}

// cachedVersion logs that the version is one that was seen before.
func (l *txLog) cachedVersion(ctx context.Context, v wire.Version) {
	if l != nil {
		l.event(ctx, "read version", slog.Int64("version", int64(v)), slog.Bool("cached", true))
	}
}

// get logs each key that the store was asked for, and what it has there: own
// writes are not in it.
func (l *txLog) get(ctx context.Context, r *wire.GetValuesRequest, reply *wire.GetValuesReply, err error) {
	if l == nil {
		return
	}
	for i, key := range r.Keys {
		var value []byte
		if i < len(reply.Values) {
			value = reply.Values[i]
		}
		l.event(ctx, "get", l.field("key", key), slog.Bool("present", value != nil), slog.Int("bytes", len(value)), failure(err))
	}
}

// getRange logs one piece of a range.
func (l *txLog) getRange(ctx context.Context, r *wire.GetRangeRequest, reply *wire.GetRangeReply, err error) {
	if l != nil {
		l.event(ctx, "get range", l.field("begin", r.Begin), l.field("end", r.End), slog.Bool("reverse", r.Reverse),
			slog.Int("rows", len(reply.Rows)), slog.Bool("more", reply.More), failure(err))
	}
}

// getKey logs the key that a selector names.
func (l *txLog) getKey(ctx context.Context, r *wire.GetKeyRequest, key []byte, err error) {
	if l != nil {
		l.event(ctx, "get key", l.field("selector", r.Selector.Key), slog.Bool("or_equal", r.Selector.OrEqual),
			slog.Int("offset", r.Selector.Offset), l.field("key", key), failure(err))
	}
}

// watchArmed logs that the store watches a key from now on.
func (l *txLog) watchArmed(ctx context.Context, r *wire.WatchRequest) {
	if l != nil {
		l.event(ctx, "watch armed", l.field("key", r.Key), slog.Bool("present", r.Value != nil), slog.Int("bytes", len(r.Value)),
			slog.Int64("version", int64(r.Version)))
	}
}

// watchAnswered logs that the store has seen a change at version, or why it does
// not watch any more.
func (l *txLog) watchAnswered(ctx context.Context, key []byte, version wire.Version, err error) {
	if l != nil {
		l.event(ctx, "watch answered", l.field("key", key), slog.Int64("version", int64(version)), failure(err))
	}
}

// watchEnded logs that a watch has fired or failed.
func (l *txLog) watchEnded(ctx context.Context, key []byte, err error) {
	if l != nil {
		l.event(ctx, "watch ended", l.field("key", key), slog.Bool("fired", err == nil), failure(err))
	}
}

// estimate logs the size of a range.
func (l *txLog) estimate(ctx context.Context, begin, end []byte, bytes int64, err error) {
	if l != nil {
		l.event(ctx, "estimate range bytes", l.field("begin", begin), l.field("end", end), slog.Int64("bytes", bytes), failure(err))
	}
}

// split logs into how many chunks a range was split.
func (l *txLog) split(ctx context.Context, r *wire.SplitRequest, points int, err error) {
	if l != nil {
		l.event(ctx, "split points", l.field("begin", r.Begin), l.field("end", r.End), slog.Int64("chunk_bytes", r.ChunkBytes),
			slog.Int("points", points), failure(err))
	}
}

// locate logs on how many shards the keys of a range are.
func (l *txLog) locate(ctx context.Context, r *wire.LocateRequest, shards int, err error) {
	if l != nil {
		l.event(ctx, "locate", l.field("begin", r.Begin), l.field("end", r.End), slog.Int("limit", r.Limit),
			slog.Int("shards", shards), failure(err))
	}
}

// status logs that the store was asked how it is.
func (l *txLog) status(ctx context.Context, err error) {
	if l != nil {
		l.event(ctx, "status", failure(err))
	}
}

// commit logs what was sent, and what became of it.
func (l *txLog) commit(ctx context.Context, r *wire.CommitRequest, reply wire.CommitReply, err error) {
	if l == nil {
		return
	}
	list := wire.ReadMutations(r.Mutations)
	for range maxLoggedMutations {
		m, ok, listErr := list.Next()
		if !ok || listErr != nil {
			break
		}
		l.event(ctx, "mutation", slog.Int("type", int(m.Type)), l.field("param1", m.Param1), l.field("param2", m.Param2))
	}
	l.event(ctx, "commit", slog.Int64("read_version", int64(r.ReadVersion)), slog.Int64("version", int64(reply.Version)),
		slog.Int("bytes", r.Bytes()), slog.Int("read_conflicts", len(r.ReadConflicts)), slog.Int("write_conflicts", len(r.WriteConflicts)),
		failure(err))
}

// lostAnswer logs that what became of a commit has to be found out.
func (l *txLog) lostAnswer(ctx context.Context, err error) {
	if l != nil {
		l.event(ctx, "lost answer", failure(err))
	}
}

// settled logs what was found out: the version of the commit, or an error.
func (l *txLog) settled(ctx context.Context, version wire.Version, err error) {
	if l != nil {
		l.event(ctx, "settled", slog.Int64("version", int64(version)), failure(err))
	}
}

// retry logs that another try follows after err.
func (l *txLog) retry(ctx context.Context, err error) {
	if l != nil {
		l.event(ctx, "retry", failure(err))
	}
}
