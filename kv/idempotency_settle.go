package kv

import (
	"context"
	"errors"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

// lookBytes is how much of the rows of ids is read at a time.
const lookBytes = 128 << 10

// settle finds out what became of a commit that the back-end answered with err,
// if err leaves that open and the commit has an idempotency id (K12). It
// returns a reply, or an error that says what is known: ErrNotCommitted if it
// never will be committed, ErrCommitResultExpired, or ErrCommitUnknownResult
// because of what kept it from finding out; such a transaction must not be run
// again.
func (a *attempt) settle(ctx context.Context, request *wire.CommitRequest, err error) (wire.CommitReply, error) {
	if len(request.IdempotencyID) == 0 || !isOpen(err, request) {
		return wire.CommitReply{}, err
	}
	a.tx.noteLostAnswer()
	calls := a.calls().own()
	ctx, call := calls.begin(ctx, callSettle)
	calls.log.lostAnswer(ctx, err)
	s := settlement{db: a.db, calls: calls, request: request, absent: request.ReadVersion}
	reply, err := a.search(ctx, &s)
	calls.log.settled(ctx, reply.Version, err)
	call.end(err)
	return reply, err
}

// search is settle, but for those who look on.
func (a *attempt) search(ctx context.Context, s *settlement) (wire.CommitReply, error) {
	limit, maxDelay := a.tx.retryBounds()
	var delay time.Duration
	for round := 0; ; round++ {
		if ctx.Err() != nil {
			return wire.CommitReply{}, a.unsettled(interrupted(ctx))
		}
		reply, settled, err := s.round(ctx)
		switch {
		case settled && errors.Is(err, wire.ErrCommitResultExpired):
			return reply, a.unsettled(err)
		case settled:
			return reply, err
		case ctx.Err() != nil:
			continue
		case !wire.Retryable(err), limit >= 0 && round >= limit:
			return reply, a.unsettled(wire.ErrCommitUnknownResult.Because(err))
		}
		delay = min(max(2*delay, firstDelay), maxDelay)
		_ = rest(ctx, jitter(delay)) // the loop looks at ctx
	}
}

// isOpen reports whether err leaves open what became of request. A conflict on
// its own id is one with another copy of itself.
func isOpen(err error, request *wire.CommitRequest) bool {
	if wire.MaybeCommitted(err) {
		return true
	}
	var conflict *wire.ConflictError
	if !errors.As(err, &conflict) {
		return false
	}
	for _, r := range conflict.Ranges {
		if wire.IsIdempotencyConflict(r, request.IdempotencyID) {
			return true
		}
	}
	return false
}

// unsettled notes that nobody knows what became of the commit, so that OnError
// does not run the transaction again, and returns err.
func (a *attempt) unsettled(err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mu.unsettled = true
	return err
}

// isUnsettled reports whether the commit was left open for good.
func (a *attempt) isUnsettled() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.mu.unsettled
}

// retryBounds returns the limit of retries, negative if there is none, and the
// longest pause before one.
func (tx *Transaction) retryBounds() (limit int, maxDelay time.Duration) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.mu.options.retryLimit, tx.mu.options.maxRetryDelay
}

// settlement is the search for one commit of unknown outcome. DESIGN.md has the
// proof that what it finds is true, wherever the request still is.
type settlement struct {
	db      *Database
	calls   calls // those of the transaction
	request *wire.CommitRequest
	// absent is a version up to which the id is known not to be stored. The
	// request cannot commit at its read version or before.
	absent wire.Version
}

// round looks for the id and, if it is not there, fences the request off: it
// commits nothing, with the id as read and write conflict. If that succeeds the
// request has not been committed and never will be.
//
// With settled true, reply and err are what became of the request; otherwise
// err is why it is still open.
func (s *settlement) round(ctx context.Context) (reply wire.CommitReply, settled bool, err error) {
	if err := s.db.usable(); err != nil {
		return reply, false, err
	}
	now, err := s.calls.ReadVersion(ctx, wire.ReadVersionRequest{})
	if err != nil {
		return reply, false, err
	}
	s.db.noteVersion(now.Version)
	reply, err = s.look(ctx, now.Version)
	if err != nil {
		return reply, errors.Is(err, wire.ErrCommitResultExpired), err
	}
	if reply.Version > 0 {
		return reply, true, nil
	}
	fence, err := s.calls.Commit(ctx, fenceRequest(s.request, now.Version))
	if err != nil {
		return reply, false, err
	}
	s.db.noteVersion(fence.Version)
	if fence.Version <= s.request.ReadVersion {
		return reply, false, wire.ErrFutureVersion.With("read version %d is not reached yet", s.request.ReadVersion)
	}
	return reply, true, wire.ErrNotCommitted.With("transaction was not committed, and will not be; run it again")
}

// fenceRequest returns the commit that keeps request from being committed after
// it, and fails if request has been since version.
func fenceRequest(request *wire.CommitRequest, version wire.Version) *wire.CommitRequest {
	id := []wire.KeyRange{wire.IdempotencyConflict(request.IdempotencyID)}
	return &wire.CommitRequest{ReadVersion: version, ReadConflicts: id, WriteConflicts: id, LockAware: true}
}

// look looks for the id among those stored up to version. The reply's version
// is 0 if it is not there. It returns ErrCommitResultExpired if it is not there
// and may have been.
func (s *settlement) look(ctx context.Context, version wire.Version) (reply wire.CommitReply, err error) {
	if version <= s.absent {
		return reply, nil
	}
	marker, err := s.calls.GetValues(ctx, &wire.GetValuesRequest{Version: version, Keys: [][]byte{[]byte(wire.IdempotencyExpiredKey)}})
	if err != nil {
		return reply, err
	}
	expired, err := wire.DecodeIdempotencyVersion(marker.Values[0])
	if err != nil {
		return reply, err
	}
	reply, err = s.scan(ctx, version)
	switch {
	case err != nil || reply.Version > 0:
		return reply, err
	case expired > s.absent+1:
		return reply, wire.ErrCommitResultExpired.With(
			"transaction may have been committed after version %d; at %d, ids below %d have expired", s.absent, version, expired)
	}
	s.absent = version
	return reply, nil
}

// scan reads the rows of ids between absent and version.
func (s *settlement) scan(ctx context.Context, version wire.Version) (reply wire.CommitReply, err error) {
	rows := wire.IdempotencyRows(s.absent+1, version)
	for more := true; more; {
		piece, err := s.calls.GetRange(ctx, &wire.GetRangeRequest{
			Version: version, Begin: rows.Begin, End: rows.End, LimitBytes: lookBytes,
		})
		if err != nil {
			return reply, err
		}
		for _, row := range piece.Rows {
			index, found, err := wire.FindIdempotencyID(row.Value, s.request.IdempotencyID)
			if err != nil {
				return reply, err
			}
			if at, ok := wire.IdempotencyRowVersion(row.Key); found && ok {
				return wire.CommitReply{Version: at, Stamp: wire.MakeStamp(at, index)}, nil
			}
		}
		if more = piece.More && len(piece.Rows) > 0; more {
			rows.Begin = wire.KeyAfter(piece.Rows[len(piece.Rows)-1].Key)
		}
	}
	return reply, nil
}
