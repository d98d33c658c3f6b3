package admission

import (
	"container/list"
	"time"

	"github.com/plinthdb/plinth/internal/invariants"
	"github.com/plinthdb/plinth/internal/wire"
)

const (
	// FullLoad is the load of a store that has reached a limit.
	FullLoad = 1000
	// BatchLoad is the load from which on batch starts are held.
	BatchLoad = FullLoad / 2
	// easyLoad is the load below which batch starts that were held all go on
	// together.
	easyLoad = BatchLoad / 2
)

// Config says how long starts are held and how many may wait.
type Config struct {
	// MaxWaiting bounds the starts that wait, held or not: batch starts may use
	// half of it, immediate ones all, default ones all but an eighth.
	MaxWaiting int
	// DefaultWait is how long a default start is held before it goes on, and
	// BatchWait how long a batch start is held before it is refused.
	DefaultWait, BatchWait time.Duration
	// BatchRelease is how many batch starts that were held go on at one check
	// at most, unless the load is low.
	BatchRelease int
}

// Start is a transaction that asks to start.
type Start[T any] struct {
	Priority wire.Priority
	// Waiter is its owner's: whom to tell.
	Waiter T
	// Err says, once the start was held and is decided, why it was refused; nil
	// if it goes on.
	Err error

	arrived time.Duration
	place   *list.Element // nil unless held
}

// Gate holds starts back while the store is loaded. Times are since any fixed
// moment and never go back. T is what the owner knows starts by.
type Gate[T any] struct {
	config Config
	// held has the starts of each priority, the longest held first.
	held [wire.PriorityImmediate + 1]list.List
}

// New returns a gate that holds nobody.
func New[T any](config Config) *Gate[T] { return &Gate[T]{config: config} }

// Held returns how many starts are held.
func (g *Gate[T]) Held() int {
	n := 0
	for i := range g.held {
		n += g.held[i].Len()
	}
	return n
}

// Room returns why a start of this priority may not wait beside the number that
// wait already, nil if it may: ErrBatchThrottled or ErrGRVProxyMemoryLimit.
func (g *Gate[T]) Room(priority wire.Priority, waiting int) error {
	limit := g.config.MaxWaiting
	switch priority {
	case wire.PriorityBatch:
		if waiting >= max(1, limit/2) {
			return wire.ErrBatchThrottled
		}
	case wire.PriorityDefault:
		limit -= limit / 8
	}
	if waiting >= limit {
		return wire.ErrGRVProxyMemoryLimit
	}
	return nil
}

// Passes reports whether a start of this priority goes on at once. If not, it is
// to be held.
func (g *Gate[T]) Passes(priority wire.Priority, load int) bool {
	switch priority {
	case wire.PriorityImmediate:
		return true // Q1
	case wire.PriorityDefault:
		return load < FullLoad && g.held[wire.PriorityDefault].Len() == 0
	}
	return load < BatchLoad && g.held[wire.PriorityDefault].Len()+g.held[wire.PriorityBatch].Len() == 0
}

// Hold holds a start that arrives now, until a check decides it or it leaves.
func (g *Gate[T]) Hold(s *Start[T], now time.Duration) {
	invariants.Assert(s.Priority != wire.PriorityImmediate, "Q1: an immediate start is held")
	s.arrived = now
	s.place = g.held[s.Priority].PushBack(s)
}

// Leave takes out a start whose owner waits no more; one that was decided is
// left as it is.
func (g *Gate[T]) Leave(s *Start[T]) {
	if s.place != nil {
		g.held[s.Priority].Remove(s.place)
		s.place = nil
	}
}

// Check decides what can be decided now, in the order in which starts go on.
// While starts are held it is to be called again and again.
func (g *Gate[T]) Check(now time.Duration, load int) (decided []*Start[T]) {
	for _, priority := range []wire.Priority{wire.PriorityDefault, wire.PriorityBatch} {
		for free := g.free(priority, load); ; free-- {
			s := g.first(priority)
			if s == nil || free <= 0 && !g.overdue(s, now) {
				break
			}
			if free <= 0 && priority == wire.PriorityBatch {
				s.Err = wire.ErrBatchThrottled
			}
			g.Leave(s)
			decided = append(decided, s)
		}
	}
	return decided
}

// first returns the start of this priority that is held longest.
func (g *Gate[T]) first(priority wire.Priority) *Start[T] {
	e := g.held[priority].Front()
	if e == nil {
		return nil
	}
	return e.Value.(*Start[T])
}

// free returns how many starts of this priority may go on at one check.
func (g *Gate[T]) free(priority wire.Priority, load int) int {
	switch {
	case priority == wire.PriorityDefault && load < FullLoad, priority == wire.PriorityBatch && load < easyLoad:
		return g.held[priority].Len()
	case priority == wire.PriorityDefault, load >= BatchLoad:
		return 0
	}
	// Default starts are none left: the load is below FullLoad (Q2).
	return max(1, g.config.BatchRelease*(BatchLoad-load)/(BatchLoad-easyLoad))
}

// overdue reports whether a start was held for as long as it may be.
func (g *Gate[T]) overdue(s *Start[T], now time.Duration) bool {
	wait := g.config.DefaultWait
	if s.Priority == wire.PriorityBatch {
		wait = g.config.BatchWait
	}
	return now-s.arrived >= wait
}

// Clear takes out all starts that are held and returns them.
func (g *Gate[T]) Clear() (left []*Start[T]) {
	for i := range g.held {
		for e := g.held[i].Front(); e != nil; e = g.held[i].Front() {
			s := e.Value.(*Start[T])
			g.Leave(s)
			left = append(left, s)
		}
	}
	return left
}
