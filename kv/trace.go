package kv

import (
	"context"
	"log/slog"

	"github.com/plinthdb/plinth/internal/wire"
)

// Tracer makes the spans of a database's transactions, see WithTracer. The module
// kv/otelkv adapts OpenTelemetry's; the interface is here so that the client does
// not depend on it.
type Tracer interface {
	// Start begins a span below the one that ctx holds, if any, and returns a
	// context that holds the new one. The span is nil if nobody records it;
	// those below it are then not begun.
	Start(ctx context.Context, name string) (context.Context, Span)
}

// Span is a piece of work under way. It is safe for concurrent use, and what comes
// after End has no effect.
type Span interface {
	// Set gives the span attributes, whose values are integers.
	Set(attributes ...slog.Attr)
	// Event notes that something has happened now.
	Event(name string, attributes ...slog.Attr)
	// End ends the span; err is why the work failed, nil if it did not.
	End(err error)
}

// WithTracer has every transaction leave spans: one for the whole of it,
// "plinth.transaction", below the span of its context, and below that one for
// each call of the store, "plinth.read_version", "plinth.get",
// "plinth.get_range", "plinth.get_key", "plinth.commit", "plinth.estimate_bytes",
// "plinth.split_points", "plinth.locate", "plinth.status" and "plinth.watch". The
// last one lasts until the watch has fired or failed, so it outlives the
// transaction's. If the answer to a commit is lost, the calls that find out what
// became of it are below "plinth.settle". What belongs to no transaction,
// Database.BoundaryKeys, is below the span of its own context.
//
// Their attributes are numbers, never keys or values. The transaction's:
// plinth.attempts, plinth.read_version of the last try, and if it has committed
// writes, plinth.commit_version, plinth.mutations and plinth.bytes. Its events:
// plinth.retry with the plinth.error that caused it, and plinth.lost_answer.
// Those of reads: plinth.keys or plinth.rows, and plinth.bytes. A failed span
// has plinth.error, the number of the error.
func WithTracer(t Tracer) DatabaseOption {
	return func(o *databaseOptions) { o.tracer = t }
}

// trace is the span of one transaction.
type trace struct {
	ctx  context.Context // holds the span
	span Span            // nil: not recorded
}

// startTrace begins the span of the transaction, if there is a tracer.
func (tx *Transaction) startTrace() {
	if t := tx.db.options.tracer; t != nil {
		ctx, span := t.Start(tx.parent, "plinth.transaction")
		tx.trace.Store(&trace{ctx: ctx, span: span})
	}
}

// context returns the transaction's context, which holds its span if there is one.
func (tx *Transaction) context() context.Context {
	if t := tx.trace.Load(); t != nil {
		return t.ctx
	}
	return tx.parent
}

// span returns the transaction's span, nil if nobody records it.
func (tx *Transaction) span() Span {
	if t := tx.trace.Load(); t != nil {
		return t.span
	}
	return nil
}

// endSpan ends a span, with the number of err if it failed.
func endSpan(span Span, err error) {
	if err != nil {
		span.Set(slog.Int("plinth.error", errorNumber(err)))
	}
	span.End(err)
}

// describe gives the transaction's span what is known at its end. version is that
// of the commit, 0 if nothing was written.
func (a *attempt) describe(span Span, attempts int, version wire.Version) {
	a.mu.Lock()
	defer a.mu.Unlock()
	span.Set(slog.Int("plinth.attempts", attempts), slog.Int64("plinth.read_version", int64(a.mu.version)))
	if version == 0 {
		return
	}
	mutations := 0
	for list := wire.ReadMutations(a.mu.mutations); ; mutations++ {
		if _, ok, err := list.Next(); !ok || err != nil {
			break
		}
	}
	span.Set(slog.Int64("plinth.commit_version", int64(version)),
		slog.Int("plinth.mutations", mutations), slog.Int("plinth.bytes", len(a.mu.mutations)))
}
