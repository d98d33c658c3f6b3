package kv

import (
	"bytes"
	"context"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wire"
)

// piece is a part of a range as the store answers it.
type piece struct {
	request wire.GetRangeRequest
	reply   wire.GetRangeReply
	rows    []wire.KeyValue // the rows of reply, the user's copies, if it was fetched ahead
	err     error

	// A piece that is fetched ahead is there when done is closed; cancel ends
	// its call. Both are nil for the others.
	cancel context.CancelCauseFunc
	done   chan struct{}
}

// fetch asks the store for the piece.
func (p *piece) fetch(ctx context.Context, a *attempt) {
	p.reply, p.err = a.calls().GetRange(ctx, &p.request)
	switch {
	case p.err != nil:
		p.err = callError(ctx, p.err)
	case p.reply.More && len(p.reply.Rows) == 0:
		p.err = wire.ErrInternal.With("store answered no rows of a range, but more to come")
	}
}

// setAhead says when to fetch the piece after one of n rows that has just come:
// at once, but for the first one, of which half has to be consumed, so that who
// looks at some rows only fetches nothing in vain.
func (r *storedRows) setAhead(n int) {
	r.aheadAt = n
	if r.fetches == 1 && !fault.Point("kv.range.aheadAtOnce") {
		r.aheadAt = n / 2
	}
}

// readAhead begins to fetch the piece after the present one, if it is time. There
// is one at most. What it brings is stored rows at the read version, so it makes
// no difference when it is fetched: own writes were fixed when the read began,
// and conflicts come from rows that are shown.
func (r *storedRows) readAhead() {
	if len(r.rows) > r.aheadAt {
		return
	}
	r.aheadAt = -1
	wanted := r.rowsWanted - len(r.rows)
	if r.rowsWanted > 0 && wanted <= 0 || r.empty() {
		return
	}
	p, ctx, err := r.newPiece(max(wanted, 0))
	if err != nil {
		return // the fetch in its time meets the same error
	}
	ctx, p.cancel = context.WithCancelCause(ctx)
	if r.attempt.db.enter() != nil {
		p.cancel(nil)
		return
	}
	p.done = make(chan struct{})
	r.ahead = p
	go p.run(ctx, r.attempt)
}

// run fetches the piece on a goroutine of its own. Whoever began it waits for
// done, and Close for the goroutine.
func (p *piece) run(ctx context.Context, a *attempt) {
	defer a.db.group.Done()
	defer close(p.done)
	stop := context.AfterFunc(a.db.ctx, func() { p.cancel(wire.ErrDatabaseClosed) })
	defer stop()
	if p.fetch(ctx, a); p.err == nil {
		p.rows = cloneRows(p.reply.Rows)
	}
}

// takeAhead returns the piece that was fetched ahead, and nil if there is none, or
// if it is not what is to be fetched now: own writes let the read skip a part.
func (r *storedRows) takeAhead() *piece {
	p := r.ahead
	if p == nil {
		return nil
	}
	begin, end := r.fetchBounds()
	if !bytes.Equal(p.request.Begin, begin) || !bytes.Equal(p.request.End, end) || fault.Point("kv.range.dropAhead") {
		r.stopAhead()
		return nil
	}
	<-p.done
	p.cancel(nil)
	r.ahead = nil
	return p
}

// stopAhead ends what is fetched ahead and waits for its end.
func (r *storedRows) stopAhead() {
	if p := r.ahead; p != nil {
		p.cancel(nil)
		<-p.done
		r.ahead = nil
	}
}
