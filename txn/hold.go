package txn

import (
	"context"
	"errors"
	"time"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/txn/internal/admission"
)

// holdCheck is how long after one check of the requests that are held the next
// one follows: far shorter than a hold, and nothing to speak of beside a store
// that is busy.
const holdCheck = 10 * time.Millisecond

// ReadVersionStats says what a read-version proxy has done since it began.
type ReadVersionStats struct {
	// StartsImmediate, StartsDefault and StartsBatch count the requests that
	// went on, by priority.
	StartsImmediate uint64 `json:"starts_immediate"`
	StartsDefault   uint64 `json:"starts_default"`
	StartsBatch     uint64 `json:"starts_batch"`
	// Held counts the requests that were held back for a while, Holding those
	// that are now.
	Held    uint64 `json:"held"`
	Holding int    `json:"holding"`
	// RefusedBatch and RefusedFull count those that were refused, for their
	// batch priority and because too many were waiting.
	RefusedBatch uint64 `json:"refused_batch"`
	RefusedFull  uint64 `json:"refused_full"`
	// LoadThousandths is how full the store is, see Load.
	LoadThousandths int `json:"load_thousandths"`
}

// started counts a request that goes on.
func (s *ReadVersionStats) started(priority wire.Priority) {
	switch priority {
	case wire.PriorityImmediate:
		s.StartsImmediate++
	case wire.PriorityBatch:
		s.StartsBatch++
	default:
		s.StartsDefault++
	}
}

// refused counts a request that was refused with err.
func (s *ReadVersionStats) refused(err error) {
	switch {
	case errors.Is(err, wire.ErrBatchThrottled):
		s.RefusedBatch++
	case errors.Is(err, wire.ErrGRVProxyMemoryLimit):
		s.RefusedFull++
	}
}

// Stats returns the proxy's figures of this moment.
func (p *ReadVersionProxy) Stats() ReadVersionStats {
	load := p.load()
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.mu.stats
	s.Holding, s.LoadThousandths = p.mu.gate.Held(), load
	return s
}

// load returns how full the store is.
func (p *ReadVersionProxy) load() int {
	if p.config.Load == nil {
		return 0
	}
	return p.config.Load.LoadThousandths()
}

// now is the time as the gate counts it.
func (p *ReadVersionProxy) now() time.Duration { return time.Since(p.begun) }

// mustHoldLocked reports whether a request that arrives now has to be held.
func (p *ReadVersionProxy) mustHoldLocked(priority wire.Priority, load int) bool {
	if priority != wire.PriorityImmediate && fault.Point("txn.start.hold") {
		return true
	}
	return !p.mu.gate.Passes(priority, load)
}

// hold holds a request back until it may go on, and then takes part in a look
// (T9). It is called with the lock held, which it releases.
func (p *ReadVersionProxy) hold(ctx context.Context, priority wire.Priority) (wire.ReadVersionReply, error) {
	err := p.roomLocked(priority)
	if err == nil && priority == wire.PriorityBatch && fault.Point("txn.start.refuse") {
		err = wire.ErrBatchThrottled
	}
	if err != nil {
		p.mu.Unlock()
		return wire.ReadVersionReply{}, err
	}
	told := make(chan error, 1)
	s := &admission.Start[chan<- error]{Priority: priority, Waiter: told}
	p.mu.gate.Hold(s, p.now())
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
	p.mu.waiters-- // join counts it again, if it has to wait
	if err == nil && p.mu.closed {
		err = wire.ErrGenerationEnded
	}
	if err != nil {
		p.mu.Unlock()
		return wire.ReadVersionReply{}, err
	}
	return p.join(ctx, priority)
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
	for _, s := range p.mu.gate.Check(p.now(), load) {
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
