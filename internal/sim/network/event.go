package network

import (
	"container/heap"
	"slices"
	"time"
)

// event is something that will happen: the arrival of a segment or the firing
// of a timer.
type event struct {
	at time.Duration
	// number breaks ties: what was planned first happens first.
	number uint64
	// index is the place in the heap, -1 if it is not in it.
	index   int
	segment *segment
	fire    func(now time.Duration)
}

// agenda is a heap of events, the next one first.
type agenda struct {
	events []*event
	next   uint64
}

// Len implements heap.Interface.
func (a *agenda) Len() int { return len(a.events) }

// Less implements heap.Interface.
func (a *agenda) Less(i, j int) bool { return a.events[i].before(a.events[j]) }

func (e *event) before(o *event) bool {
	if e.at != o.at {
		return e.at < o.at
	}
	return e.number < o.number
}

// Swap implements heap.Interface.
func (a *agenda) Swap(i, j int) {
	a.events[i], a.events[j] = a.events[j], a.events[i]
	a.events[i].index, a.events[j].index = i, j
}

// Push implements heap.Interface.
func (a *agenda) Push(x any) {
	e := x.(*event)
	e.index = len(a.events)
	a.events = append(a.events, e)
}

// Pop implements heap.Interface.
func (a *agenda) Pop() any {
	last := len(a.events) - 1
	e := a.events[last]
	a.events[last], a.events = nil, a.events[:last]
	e.index = -1
	return e
}

// set plans e for the time at, whether or not it was planned before.
func (a *agenda) set(e *event, at time.Duration) {
	if e.index >= 0 && a.Len() > e.index && a.events[e.index] == e {
		e.at = at
		heap.Fix(a, e.index)
		return
	}
	a.next++
	e.at, e.number = at, a.next
	heap.Push(a, e)
}

// drop takes e off the agenda if it is on it.
func (a *agenda) drop(e *event) {
	if e != nil && e.index >= 0 && a.Len() > e.index && a.events[e.index] == e {
		heap.Remove(a, e.index)
	}
}

// due removes and returns the next event if its time has come.
func (a *agenda) due(now time.Duration) *event {
	if len(a.events) == 0 || a.events[0].at > now {
		return nil
	}
	return heap.Pop(a).(*event)
}

// take removes the segments that match and returns them, in no order.
func (a *agenda) take(match func(*segment) bool) []*segment {
	var taken []*segment
	a.events = slices.DeleteFunc(a.events, func(e *event) bool {
		if e.segment == nil || !match(e.segment) {
			return false
		}
		taken = append(taken, e.segment)
		return true
	})
	for i, e := range a.events {
		e.index = i
	}
	heap.Init(a)
	return taken
}
