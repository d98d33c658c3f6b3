package txlog

import (
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

// maxEarly bounds the batches that wait for their predecessor.
const maxEarly = 1_000

// orderer is the pure part of putting appends in order: it says what may be
// proposed now.
type orderer struct {
	// next is the version that the next proposal must follow.
	next wire.Version
	// early holds batches that arrived before their predecessor, by its
	// version.
	early map[wire.Version]*arrival
}

// arrival is a batch that was handed in.
type arrival struct {
	req  *wire.AppendRequest
	done func(error)
	// stall ends the wait of an early batch.
	stall *time.Timer
}

// restart begins a new order after version next. Batches that wait go on
// waiting: for their predecessor, or until their time is up.
func (o *orderer) restart(next wire.Version) {
	o.next = next
	if o.early == nil {
		o.early = make(map[wire.Version]*arrival)
	}
}

// drain takes out all batches that wait.
func (o *orderer) drain() (waited []*arrival) {
	for _, a := range o.early {
		waited = append(waited, a)
	}
	clear(o.early)
	return waited
}

// arrive takes a batch and returns those that are now to be proposed, in
// order: none if its predecessor is missing. A repeat is proposed again, since
// only the state machine knows its answer.
func (o *orderer) arrive(a *arrival) (ready []*arrival, err error) {
	switch {
	case a.req.Prev < o.next:
		return []*arrival{a}, nil
	case a.req.Prev > o.next:
		if len(o.early) >= maxEarly {
			return nil, wire.ErrChainBroken.With("%d batches wait for their predecessor %d", len(o.early), o.next)
		}
		o.early[a.req.Prev] = a
		return nil, nil
	}
	for a != nil {
		ready = append(ready, a)
		o.next = a.req.Version
		a = o.early[o.next]
		delete(o.early, o.next)
	}
	return ready, nil
}

// remove takes an early batch out and reports whether it still waited.
func (o *orderer) remove(a *arrival) bool {
	if o.early[a.req.Prev] != a {
		return false
	}
	delete(o.early, a.req.Prev)
	return true
}
