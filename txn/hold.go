package txn

import (
	"context"
	"math"
	"time"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/txn/internal/admission"
)

// holdCheck is how long after one check of the requests that are held the next
// one follows: far shorter than a hold, and nothing to speak of beside a store
// that is busy.
const holdCheck = 10 * time.Millisecond

// load returns how full the store is.
func (p *ReadVersionProxy) load() int {
	if p.config.Load == nil {
		return 0
	}
	return p.config.Load.LoadThousandths()
}

// now is the time as the gate counts it.
func (p *ReadVersionProxy) now() time.Duration { return time.Since(p.begun) }

// passesLocked says what becomes of a request that arrives now: it goes on, or
// is to be held, or is refused because of a tag.
func (p *ReadVersionProxy) passesLocked(req *wire.ReadVersionRequest, load int) (passes bool, err error) {
	if req.Priority != wire.PriorityImmediate && fault.Point("txn.start.hold") {
		return false, nil
	}
	if len(req.Tags) == 0 {
		return p.mu.gate.Passes(req.Priority, load), nil
	}
	if fault.Point("txn.start.throttle") {
		return false, wire.ErrTagThrottled
	}
	now := p.now()
	p.takeThrottlesLocked(now)
	return p.mu.gate.Arrive(&admission.Start[chan<- error]{Priority: req.Priority, Tags: req.Tags}, now, load)
}

// takeThrottlesLocked hands the limits on tags to the gate if they have changed.
func (p *ReadVersionProxy) takeThrottlesLocked(now time.Duration) {
	throttles := p.config.SystemKeys.TagThrottles()
	if throttles == p.mu.throttles {
		return
	}
	p.mu.throttles = throttles
	limits := make([]admission.Limit, len(*throttles))
	for i, t := range *throttles {
		limits[i] = admission.Limit{Tag: t.Tag, Priority: t.Priority, StartsPerSecond: t.StartsPerSecond, Until: math.MaxInt64}
		if !t.Until.IsZero() {
			limits[i].Until = t.Until.Sub(p.begun)
		}
	}
	p.mu.gate.SetLimits(limits, now)
}

// hold holds a request back until it may go on, and then takes part in a look
// (T9). It is called with the lock held, which it releases.
func (p *ReadVersionProxy) hold(ctx context.Context, req *wire.ReadVersionRequest, load int) (wire.ReadVersionReply, error) {
	var err error
	if !p.mu.running { // else ReadVersion has asked
		err = p.roomLocked(req.Priority)
	}
	if err == nil && req.Priority == wire.PriorityBatch && fault.Point("txn.start.refuse") {
		err = wire.ErrBatchThrottled
	}
	if err != nil {
		p.mu.Unlock()
		return wire.ReadVersionReply{}, err
	}
	told := make(chan error, 1)
	s := &admission.Start[chan<- error]{Priority: req.Priority, Tags: req.Tags, Waiter: told}
	p.mu.gate.Hold(s, p.now(), load)
	p.mu.stats.Held++
	p.mu.waiters++
	p.armLocked()
	p.mu.Unlock()
	select {
	case err = <-told:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	p.mu.Lock()
	p.mu.gate.Leave(s)
	p.mu.waiters-- // join counts it again, if it has to wait: it keeps its place
	if err == nil && p.mu.closed {
		err = wire.ErrGenerationEnded
	}
	if err != nil {
		p.mu.Unlock()
		return wire.ReadVersionReply{}, err
	}
	return p.join(ctx, req.Priority)
}

// armLocked makes sure that a check follows while requests are held.
func (p *ReadVersionProxy) armLocked() {
	if p.mu.checks != nil || p.mu.gate.Held() == 0 {
		return
	}
	p.group.Add(1) // under mu, and not closed: Close does not wait yet
	p.mu.checks = time.AfterFunc(holdCheck, p.check)
}

// check tells those whose time to go on, or to be refused, has come.
func (p *ReadVersionProxy) check() {
	defer p.group.Done()
	load := p.load()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.checks = nil
	if p.mu.closed {
		return
	}
	now := p.now()
	p.takeThrottlesLocked(now)
	for _, s := range p.mu.gate.Check(now, load) {
		p.mu.stats.refused(s.Err)
		s.Waiter <- s.Err
	}
	p.armLocked()
}

// endHoldsLocked tells all requests that are held that the proxy has ended.
func (p *ReadVersionProxy) endHoldsLocked() {
	for _, s := range p.mu.gate.Clear() {
		s.Waiter <- wire.ErrGenerationEnded
	}
	if p.mu.checks != nil && p.mu.checks.Stop() {
		p.mu.checks = nil
		p.group.Done()
	}
}
