package kv

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

// calls is the store as a transaction, or the database itself, calls it. It is the
// one place that decides what a call leaves behind for those who look on: numbers
// in the statistics, a span, lines of the log. Nothing else in this package calls
// the back-end (K16).
type calls struct {
	db *Database
	// counted says that the statistics count the calls: those of transactions,
	// not those that the client makes of its own.
	counted bool
	traced  bool   // leave spans
	log     *txLog // nil: write no log
}

var _ Backend = calls{}

// calls returns the store as the attempt calls it.
func (a *attempt) calls() calls {
	if a.db.options.logger == nil {
		return calls{db: a.db, counted: true, traced: a.tx.span() != nil}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.callsLocked()
}

func (a *attempt) callsLocked() calls {
	return calls{db: a.db, counted: true, traced: a.tx.span() != nil, log: a.logLocked()}
}

// calls returns the store for a call that belongs to no transaction. It is logged
// if the defaults for transactions say so.
func (db *Database) calls() calls {
	return calls{db: db, traced: db.options.tracer != nil, log: db.logOf(&db.options.transaction.attempt)}
}

// own returns the same for calls that the client makes of its own, which the
// statistics do not count.
func (c calls) own() calls {
	c.counted = false
	return c
}

// observed reports whether somebody looks on, apart from the statistics.
func (c *calls) observed() bool { return c.traced || c.log != nil }

// callKind is a kind of calls of the store.
type callKind uint8

const (
	callReadVersion callKind = iota
	callGet
	callGetRange
	callGetKey
	callCommit
	countedKinds // how many kinds the statistics tell apart

	callWatch callKind = iota - 1
	callEstimate
	callSplit
	callLocate
	callStatus
	callSettle // the search for a lost answer, with the calls that it makes
	callKinds  // how many there are
)

// spanNames are the names of the kinds' spans.
var spanNames = [callKinds]string{
	callReadVersion: "plinth.read_version",
	callGet:         "plinth.get",
	callGetRange:    "plinth.get_range",
	callGetKey:      "plinth.get_key",
	callCommit:      "plinth.commit",
	callWatch:       "plinth.watch",
	callEstimate:    "plinth.estimate_bytes",
	callSplit:       "plinth.split_points",
	callLocate:      "plinth.locate",
	callStatus:      "plinth.status",
	callSettle:      "plinth.settle",
}

// call is a call of the store under way.
type call struct {
	calls
	kind  callKind
	began time.Duration // on the clock of the database
	span  Span          // nil if nobody records it
}

// begin begins a call and returns the context for it.
func (c calls) begin(ctx context.Context, kind callKind) (context.Context, call) {
	k := call{calls: c, kind: kind, began: c.db.clock()}
	if c.traced {
		ctx, k.span = c.db.options.tracer.Start(ctx, spanNames[kind])
	}
	return ctx, k
}

// end ends the call.
func (c *call) end(err error) {
	if c.counted && c.kind < countedKinds {
		c.db.counters.calls[c.kind].observe(c.db.clock() - c.began)
		if err != nil && errors.Is(err, wire.ErrTransactionTooOld) {
			c.db.counters.tooOld.Add(1)
		}
	}
	if c.span != nil {
		endSpan(c.span, err)
	}
}

// endRead ends a call that brought so many keys or rows (what says which).
func (c *call) endRead(what string, n, bytes int, err error) {
	if c.counted {
		read := &c.db.counters.rowsRead
		if c.kind == callGet {
			read = &c.db.counters.keysRead
		}
		read.Add(uint64(n))
		c.db.counters.bytesRead.Add(uint64(bytes))
	}
	if c.span != nil {
		c.span.Set(slog.Int(what, n), slog.Int("plinth.bytes", bytes))
	}
	c.end(err)
}

// ReadVersion implements Backend.
func (c calls) ReadVersion(ctx context.Context, r wire.ReadVersionRequest) (wire.ReadVersionReply, error) {
	ctx, call := c.begin(ctx, callReadVersion)
	reply, err := c.db.backend.ReadVersion(ctx, r)
	c.log.readVersion(ctx, reply.Version, err)
	call.end(err)
	return reply, err
}

// GetValues implements Backend.
func (c calls) GetValues(ctx context.Context, r *wire.GetValuesRequest) (wire.GetValuesReply, error) {
	ctx, call := c.begin(ctx, callGet)
	reply, err := c.db.backend.GetValues(ctx, r)
	c.log.get(ctx, r, &reply, err)
	call.endRead("plinth.keys", len(reply.Values), valuesBytes(reply.Values), err)
	return reply, err
}

// GetRange implements Backend.
func (c calls) GetRange(ctx context.Context, r *wire.GetRangeRequest) (wire.GetRangeReply, error) {
	ctx, call := c.begin(ctx, callGetRange)
	reply, err := c.db.backend.GetRange(ctx, r)
	c.log.getRange(ctx, r, &reply, err)
	call.endRead("plinth.rows", len(reply.Rows), rowsBytes(reply.Rows), err)
	return reply, err
}

// GetKey implements Backend.
func (c calls) GetKey(ctx context.Context, r *wire.GetKeyRequest) (wire.GetKeyReply, error) {
	ctx, call := c.begin(ctx, callGetKey)
	reply, err := c.db.backend.GetKey(ctx, r)
	c.log.getKey(ctx, r, reply.Key, err)
	call.end(err)
	return reply, err
}

// Watch implements Backend. Its span lasts as long as the watch is armed.
func (c calls) Watch(ctx context.Context, r *wire.WatchRequest) (wire.WatchReply, error) {
	ctx, call := c.begin(ctx, callWatch)
	c.log.watchArmed(ctx, r)
	reply, err := c.db.backend.Watch(ctx, r)
	c.log.watchAnswered(ctx, r.Key, reply.Version, err)
	call.end(err)
	return reply, err
}

// Commit implements Backend.
func (c calls) Commit(ctx context.Context, r *wire.CommitRequest) (wire.CommitReply, error) {
	ctx, call := c.begin(ctx, callCommit)
	reply, err := c.db.backend.Commit(ctx, r)
	if err != nil && c.counted && errors.Is(err, wire.ErrNotCommitted) && !isOpen(err, r) {
		c.db.counters.conflicts.Add(1)
	}
	c.log.commit(ctx, r, reply, err)
	call.end(err)
	return reply, err
}

// storeStatus asks backend, which is the database's.
func (c calls) storeStatus(ctx context.Context, backend StatusBackend) (wire.StoreStatus, error) {
	ctx, call := c.begin(ctx, callStatus)
	s, err := backend.StoreStatus(ctx)
	c.log.status(ctx, err)
	call.end(err)
	return s, err
}

// locator returns the back-end as one, ErrUnsupportedOperation if it is none.
func (c calls) locator() (Locator, error) {
	if err := c.db.usable(); err != nil {
		return nil, err
	}
	if l, ok := c.db.backend.(Locator); ok {
		return locatorCalls{c, l}, nil
	}
	return nil, wire.ErrUnsupportedOperation.With("this store does not say where its keys are")
}

// locatorCalls is calls for a back-end that is a Locator.
type locatorCalls struct {
	calls
	backend Locator
}

// EstimateBytes implements Locator.
func (c locatorCalls) EstimateBytes(ctx context.Context, begin, end []byte) (int64, error) {
	ctx, call := c.begin(ctx, callEstimate)
	n, err := c.backend.EstimateBytes(ctx, begin, end)
	c.log.estimate(ctx, begin, end, n, err)
	call.end(err)
	return n, err
}

// SplitPoints implements Locator.
func (c locatorCalls) SplitPoints(ctx context.Context, r *wire.SplitRequest) (wire.SplitReply, error) {
	ctx, call := c.begin(ctx, callSplit)
	reply, err := c.backend.SplitPoints(ctx, r)
	c.log.split(ctx, r, len(reply.Keys), err)
	call.end(err)
	return reply, err
}

// Locate implements Locator.
func (c locatorCalls) Locate(ctx context.Context, r *wire.LocateRequest) (wire.LocateReply, error) {
	ctx, call := c.begin(ctx, callLocate)
	reply, err := c.backend.Locate(ctx, r)
	c.log.locate(ctx, r, len(reply.Shards), err)
	call.end(err)
	return reply, err
}
