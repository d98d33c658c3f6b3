package simtest

import (
	"context"
	"math/rand/v2"
	"sync"

	"github.com/plinthdb/plinth/cluster"
	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// remote is the store as a client on another machine sees it: it implements
// kv.Backend over whichever incarnation is up, and loses messages.
type remote struct {
	world *World
	mu    struct {
		sync.Mutex
		rng *rand.Rand
		// loss is how likely a request is lost, and its answer again.
		loss float64
	}
}

// setLoss changes how likely a message is lost.
func (r *remote) setLoss(p float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.loss = p
}

// loses draws whether a message is lost.
func (r *remote) loses() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.loss > 0 && r.mu.rng.Float64() < r.mu.loss
}

// up waits for an incarnation that is up.
func (r *remote) up(ctx context.Context) (*world.Incarnation, *cluster.Local, error) {
	for {
		inc, err := r.world.process.Wait(ctx)
		if err != nil {
			return nil, nil, err
		}
		if local := r.world.opener.of(inc); local != nil {
			return inc, local, nil
		}
		if err := sleep(ctx, minBackoff); err != nil {
			return nil, nil, err
		}
	}
}

// call calls the store, and returns lost if the answer did not come: a message
// was lost, or the process died meanwhile, whose last words count for nothing.
func call[T any](ctx context.Context, r *remote, lost error, f func(context.Context, *cluster.Local) (T, error)) (T, error) {
	var none T
	inc, local, err := r.up(ctx)
	if err != nil {
		return none, err
	}
	if r.loses() {
		return none, lost
	}
	callCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(inc.Context(), func() { cancel(inc.Death()) })()
	result, err := f(callCtx, local)
	switch {
	case inc.Dead():
		return none, lost
	case isStoreFailure(err) && r.world.diskMayFail(inc.Number()):
		inc.Abandon(err)
		return none, lost
	case err == nil && r.loses():
		return none, lost
	}
	return result, err
}

// ReadVersion implements kv.Backend.
func (r *remote) ReadVersion(ctx context.Context, q wire.ReadVersionRequest) (wire.ReadVersionReply, error) {
	return call(ctx, r, kv.ErrProcessBehind, func(ctx context.Context, l *cluster.Local) (wire.ReadVersionReply, error) {
		return l.ReadVersion(ctx, q)
	})
}

// GetValues implements kv.Backend.
func (r *remote) GetValues(ctx context.Context, q *wire.GetValuesRequest) (wire.GetValuesReply, error) {
	return call(ctx, r, kv.ErrTransactionTooOld, func(ctx context.Context, l *cluster.Local) (wire.GetValuesReply, error) {
		return l.GetValues(ctx, q)
	})
}

// GetRange implements kv.Backend.
func (r *remote) GetRange(ctx context.Context, q *wire.GetRangeRequest) (wire.GetRangeReply, error) {
	return call(ctx, r, kv.ErrTransactionTooOld, func(ctx context.Context, l *cluster.Local) (wire.GetRangeReply, error) {
		return l.GetRange(ctx, q)
	})
}

// GetKey implements kv.Backend.
func (r *remote) GetKey(ctx context.Context, q *wire.GetKeyRequest) (wire.GetKeyReply, error) {
	return call(ctx, r, kv.ErrTransactionTooOld, func(ctx context.Context, l *cluster.Local) (wire.GetKeyReply, error) {
		return l.GetKey(ctx, q)
	})
}

// Watch implements kv.Backend.
func (r *remote) Watch(ctx context.Context, q *wire.WatchRequest) (wire.WatchReply, error) {
	return call(ctx, r, kv.ErrProcessBehind, func(ctx context.Context, l *cluster.Local) (wire.WatchReply, error) {
		return l.Watch(ctx, q)
	})
}

// Commit implements kv.Backend (T3).
func (r *remote) Commit(ctx context.Context, q *wire.CommitRequest) (wire.CommitReply, error) {
	reply, err := call(ctx, r, kv.ErrCommitUnknownResult, func(ctx context.Context, l *cluster.Local) (wire.CommitReply, error) {
		return l.Commit(ctx, q)
	})
	note(ctx, r.world.world, q, reply, err)
	return reply, err
}

var _ kv.Locator = (*remote)(nil)

// EstimateBytes implements kv.Locator.
func (r *remote) EstimateBytes(ctx context.Context, begin, end []byte) (int64, error) {
	return call(ctx, r, kv.ErrProcessBehind, func(ctx context.Context, l *cluster.Local) (int64, error) {
		return l.EstimateBytes(ctx, begin, end)
	})
}

// SplitPoints implements kv.Locator.
func (r *remote) SplitPoints(ctx context.Context, q *wire.SplitRequest) (wire.SplitReply, error) {
	return call(ctx, r, kv.ErrProcessBehind, func(ctx context.Context, l *cluster.Local) (wire.SplitReply, error) {
		return l.SplitPoints(ctx, q)
	})
}

// Locate implements kv.Locator.
func (r *remote) Locate(ctx context.Context, q *wire.LocateRequest) (wire.LocateReply, error) {
	return call(ctx, r, kv.ErrProcessBehind, func(ctx context.Context, l *cluster.Local) (wire.LocateReply, error) {
		return l.Locate(ctx, q)
	})
}
