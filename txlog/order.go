package txlog

import (
	"slices"
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
	// early holds batches that arrived before their predecessor. One that was
	// repeated while it waited is there more than once: each is answered.
	early []*arrival
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
}

// drain takes out all batches that wait.
func (o *orderer) drain() (waited []*arrival) {
	waited, o.early = o.early, nil
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
		o.early = append(o.early, a)
		return nil, nil
	}
	for next := []*arrival{a}; len(next) > 0; next = o.takeEarly() {
		ready = append(ready, next...)
		o.next = next[0].req.Version
	}
	return ready, nil
}

// takeEarly takes out the batches whose turn it is.
func (o *orderer) takeEarly() (next []*arrival) {
	o.early = slices.DeleteFunc(o.early, func(a *arrival) bool {
		if a.req.Prev == o.next {
			next = append(next, a)
			return true
		}
		return false
	})
	return next
}

// remove takes an early batch out and reports whether it still waited.
func (o *orderer) remove(a *arrival) bool {
	i := slices.Index(o.early, a)
	if i < 0 {
		return false
	}
	o.early = slices.Delete(o.early, i, i+1)
	return true
}
