package resolver

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

// Limits of a resolver where its config is silent.
const (
	// defaultMaxWaiting is far more batches than all proxies have under way.
	defaultMaxWaiting = 1024
	// defaultMaxAnswers likewise.
	defaultMaxAnswers = 1024
	// defaultStallAfter is when the architecture has a broken chain reported.
	defaultStallAfter = 500 * time.Millisecond
)

// Config is what a resolver is recruited with.
type Config struct {
	// Role is this recruitment's id.
	Role wire.RoleID
	// Floor is the version that the chain starts from: the predecessor of the
	// first batch. What was read below it is too old.
	Floor wire.Version
	// LimitBytes bounds the memory of the conflict set, see NewConflictSet.
	LimitBytes int64

	// OnStall is called with an ErrChainBroken, on the goroutine of a call to
	// Resolve, when that has waited StallAfter for its predecessor: the
	// generation has to end. Nil if nobody wants to know.
	OnStall func(error)
	// StallAfter is 500 ms if it is 0.
	StallAfter time.Duration

	// MaxWaiting bounds the requests that wait for their predecessor,
	// MaxAnswers the answers that are kept for repeated requests; 0 is a
	// default.
	MaxWaiting, MaxAnswers int
}

// Resolver is the shell around a ConflictSet. There is no goroutine of its
// own: a batch is decided on the goroutine that brings it, at once if its
// predecessor has been decided. All methods are safe for concurrent use.
type Resolver struct {
	config Config
	done   chan struct{} // closed by Close
	active sync.WaitGroup

	mu struct {
		sync.Mutex
		closed bool
		set    *ConflictSet
		// last is the version of the last batch that was decided.
		last    wire.Version
		answers answers
		// arrivals holds what requests wait for: the decision of a version.
		arrivals map[wire.Version]*arrival
		stats    Stats
	}
}

// arrival is a version that requests wait for.
type arrival struct {
	decided chan struct{}
	waiting int
}

// New starts a resolver with an empty conflict set. Close ends it.
func New(config Config) *Resolver {
	config.MaxWaiting = cmp.Or(config.MaxWaiting, defaultMaxWaiting)
	config.MaxAnswers = cmp.Or(config.MaxAnswers, defaultMaxAnswers)
	if config.StallAfter == 0 {
		config.StallAfter = defaultStallAfter
	}
	if config.OnStall == nil {
		config.OnStall = func(error) {}
	}
	r := &Resolver{config: config, done: make(chan struct{})}
	r.mu.set = NewConflictSet(config.Floor, config.LimitBytes)
	r.mu.last = config.Floor
	r.mu.answers.limit = config.MaxAnswers
	r.mu.arrivals = make(map[wire.Version]*arrival)
	return r
}

// Resolve decides a batch in the order of the chain: after the one at
// req.Prev, for which it waits if need be. A repeated request gets the same
// answer again (R7). The reply is shared: the caller must not write to it. The
// request is not kept.
//
// A request whose turn has come is decided even if ctx has ended. Errors:
//
//   - ErrStaleRole for another recruitment's id, and for a repeated request
//     whose answer is no longer kept;
//   - ErrVersionInvalid if Version is not above Prev;
//   - ErrChainBroken if the predecessor did not arrive in time (OnStall is
//     called as well), if too many requests wait already, or if the request
//     does not fit the chain as it was decided;
//   - ErrGenerationEnded after Close;
//   - the context's cause if it ends while the request waits.
func (r *Resolver) Resolve(ctx context.Context, req *wire.ResolveRequest) (wire.ResolveReply, error) {
	if req.Role != r.config.Role {
		return wire.ResolveReply{}, wire.ErrStaleRole.With("the call is for resolver %x, this is %x", req.Role, r.config.Role)
	}
	if req.Version <= req.Prev {
		return wire.ResolveReply{}, wire.ErrVersionInvalid.With("batch at version %d names %d as the version before", req.Version, req.Prev)
	}
	reply, predecessor, err := r.try(req)
	if predecessor == nil {
		return reply, err
	}
	return r.wait(ctx, req, predecessor)
}

// try answers the request, or registers it as waiting for the predecessor that
// it returns.
func (r *Resolver) try(req *wire.ResolveRequest) (wire.ResolveReply, *arrival, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.closed {
		return wire.ResolveReply{}, nil, wire.ErrGenerationEnded
	}
	r.mu.answers.forget(req.Proxy, req.Acknowledged)
	switch last := r.mu.last; {
	case req.Version <= last:
		reply, err := r.repeatLocked(req)
		return reply, nil, err
	case req.Prev == last:
		return r.decideLocked(req), nil, nil
	case req.Prev < last:
		return wire.ResolveReply{}, nil, wire.ErrChainBroken.With(
			"batch at version %d names %d as the version before, but %d has been decided", req.Version, req.Prev, last)
	}
	predecessor, err := r.registerLocked(req)
	return wire.ResolveReply{}, predecessor, err
}

// decideLocked decides a batch whose turn it is and wakes the ones after it.
func (r *Resolver) decideLocked(req *wire.ResolveRequest) wire.ResolveReply {
	var reply wire.ResolveReply
	reply.Verdicts, reply.Conflicting = r.mu.set.Decide(req.Version, req.Transactions)
	r.mu.last = req.Version
	r.mu.answers.add(answer{prev: req.Prev, version: req.Version, proxy: req.Proxy, reply: reply})
	r.mu.stats.count(reply.Verdicts)
	if next := r.mu.arrivals[req.Version]; next != nil {
		close(next.decided)
		delete(r.mu.arrivals, req.Version)
	}
	return reply
}

// repeatLocked answers a request that has been decided before.
func (r *Resolver) repeatLocked(req *wire.ResolveRequest) (wire.ResolveReply, error) {
	a := r.mu.answers.find(req.Version)
	if a == nil {
		return wire.ResolveReply{}, wire.ErrStaleRole.With(
			"no answer is kept for the batch at version %d: it was acknowledged, or is too long ago", req.Version)
	}
	if a.prev != req.Prev || a.proxy != req.Proxy || len(a.reply.Verdicts) != len(req.Transactions) {
		return wire.ResolveReply{}, wire.ErrChainBroken.With("another batch has been decided at version %d", req.Version)
	}
	r.mu.stats.Repeats++
	return a.reply, nil
}

// registerLocked notes that a request waits for its predecessor.
func (r *Resolver) registerLocked(req *wire.ResolveRequest) (*arrival, error) {
	if r.mu.stats.Waiting >= r.config.MaxWaiting {
		return nil, wire.ErrChainBroken.With("%d batches wait for the one after version %d already", r.mu.stats.Waiting, r.mu.last)
	}
	a := r.mu.arrivals[req.Prev]
	if a == nil {
		a = &arrival{decided: make(chan struct{})}
		r.mu.arrivals[req.Prev] = a
	}
	a.waiting++
	r.mu.stats.Waiting++
	r.active.Add(1)
	return a, nil
}

// wait waits for the predecessor, then answers the request.
func (r *Resolver) wait(ctx context.Context, req *wire.ResolveRequest, predecessor *arrival) (wire.ResolveReply, error) {
	timer := time.NewTimer(r.config.StallAfter)
	defer timer.Stop()
	var err error
	select {
	case <-predecessor.decided:
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-r.done:
		err = wire.ErrGenerationEnded
	case <-timer.C:
		err = errStalled
	}
	select {
	case <-predecessor.decided:
		// Whatever else has happened: it is this request's turn.
		defer r.leave(req.Prev, predecessor)
		reply, _, err := r.try(req)
		return reply, err
	default:
	}
	r.leave(req.Prev, predecessor)
	if err == errStalled {
		err = r.stalled(req)
		r.config.OnStall(err)
	}
	return wire.ResolveReply{}, err
}

// errStalled marks a wait that took too long.
var errStalled = errors.New("stalled")

// stalled counts a stall and returns the error that describes it.
func (r *Resolver) stalled(req *wire.ResolveRequest) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.stats.Stalls++
	return wire.ErrChainBroken.With("the batch at version %d has waited %v for the one at %d; the last that arrived is at %d",
		req.Version, r.config.StallAfter, req.Prev, r.mu.last)
}

// leave ends what registerLocked began.
func (r *Resolver) leave(prev wire.Version, a *arrival) {
	defer r.active.Done()
	r.mu.Lock()
	defer r.mu.Unlock()
	a.waiting--
	r.mu.stats.Waiting--
	if a.waiting == 0 && r.mu.arrivals[prev] == a {
		delete(r.mu.arrivals, prev)
	}
}

// Close ends the resolver: requests that wait and later ones fail with
// ErrGenerationEnded. It returns when no request waits any more. It may be
// called from OnStall, and more than once.
func (r *Resolver) Close() {
	r.mu.Lock()
	if !r.mu.closed {
		r.mu.closed = true
		close(r.done)
	}
	r.mu.Unlock()
	r.active.Wait()
}
