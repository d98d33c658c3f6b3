package admission

import (
	"container/list"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

// easyLoad is the load below which batch starts that were held all go on
// together.
const easyLoad = wire.BatchLoad / 2

// Config says how long starts are held and how many may wait.
type Config struct {
	// MaxWaiting bounds the starts that wait, held or not: batch starts may use
	// half of it, immediate ones all, default ones all but an eighth.
	MaxWaiting int
	// DefaultWait is how long a default start is held before it goes on, and
	// BatchWait how long a batch start is held before it is refused.
	DefaultWait, BatchWait time.Duration
	// TagWait is how long a start is held for the limit of a tag before it is
	// refused, MaxTags how many tags are counted.
	TagWait time.Duration
	MaxTags int
	// BatchRelease is how many batch starts that were held go on at one check
	// at most, unless the load is low.
	BatchRelease int
}

// Start is a transaction that asks to start.
type Start[T any] struct {
	Priority wire.Priority
	Tags     []string
	// Waiter is its owner's: whom to tell.
	Waiter T
	// Err says, once the start was held and is decided, why it was refused; nil
	// if it goes on.
	Err error

	arrived time.Duration
	number  uint64        // in the order of arrival
	in      *list.List    // where it is held
	place   *list.Element // nil unless held
	// forLoad says that it is held because of the load, and not for a tag alone,
	// as of when it was last looked at.
	forLoad bool
}

// Gate holds starts back while the store is loaded. Times are since any fixed
// moment and never go back. T is what the owner knows starts by.
type Gate[T any] struct {
	config Config
	// held has the starts of each rank; forLoad counts those that the load holds.
	held    [ranks]queue
	forLoad [ranks]int
	arrived uint64
	limits  map[string][]*bucket
	tally   *Tally
}

// queue is the starts of a rank that are held, the longest held first: limited
// those with a tag that has a limit, plain all others. Under load there may be
// very many plain ones; as all wait for the same, a check stops at the first that
// stays. Of limited ones a limit lets only so many wait.
type queue struct{ plain, limited list.List }

// New returns a gate that holds nobody and has no limits on tags.
func New[T any](config Config) *Gate[T] {
	return &Gate[T]{config: config, tally: NewTally(config.MaxTags)}
}

// Busiest returns the n tags with the most starts.
func (g *Gate[T]) Busiest(n int) []Count { return g.tally.Busiest(n) }

// Held returns how many starts are held.
func (g *Gate[T]) Held() int {
	n := 0
	for i := range g.held {
		n += g.held[i].plain.Len() + g.held[i].limited.Len()
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

// Passes reports whether a start of this priority without tags goes on at once.
// If not, it is to be held.
func (g *Gate[T]) Passes(priority wire.Priority, load int) bool {
	switch priority {
	case wire.PriorityImmediate:
		return true // Q1
	case wire.PriorityDefault:
		return load < wire.FullLoad && g.forLoad[rank(priority)] == 0
	}
	return load < wire.BatchLoad && g.forLoad[rank(wire.PriorityDefault)]+g.forLoad[rank(priority)] == 0
}

// Hold holds a start that arrives now, until a check decides it or it leaves.
// The load is that for which it does not pass.
func (g *Gate[T]) Hold(s *Start[T], now time.Duration, load int) {
	s.arrived, s.forLoad = now, !g.Passes(s.Priority, load)
	g.arrived++
	s.number = g.arrived
	g.put(s)
	g.note(s, 1)
}

// put places a start behind those that are held.
func (g *Gate[T]) put(s *Start[T]) {
	q := &g.held[rank(s.Priority)]
	s.in = &q.plain
	if g.limitedByTag(s) {
		s.in = &q.limited
	}
	s.place = s.in.PushBack(s)
}

// Leave takes out a start whose owner waits no more; one that was decided is
// left as it is.
func (g *Gate[T]) Leave(s *Start[T]) {
	if s.place == nil {
		return
	}
	s.in.Remove(s.place)
	s.place = nil
	g.note(s, -1)
}

// note counts a start that is held, or is no more.
func (g *Gate[T]) note(s *Start[T], n int) {
	if s.forLoad {
		g.forLoad[rank(s.Priority)] += n
	}
	g.noteHeld(s, n)
}

// goesOn takes what a start with tags takes of their limits.
func (g *Gate[T]) goesOn(s *Start[T], now time.Duration) {
	g.take(s, now)
	for _, tag := range s.Tags {
		g.tally.Add(tag)
	}
}

// Check decides what can be decided now, in the order in which starts go on.
// While starts are held it is to be called again and again.
func (g *Gate[T]) Check(now time.Duration, load int) (decided []*Start[T]) {
	for r := range g.held {
		free := g.free(r, load)
		plain, limited := g.held[r].plain.Front(), g.held[r].limited.Front()
		for plain != nil || limited != nil {
			at := &plain
			if g.arrivedBefore(limited, plain) {
				at = &limited
			}
			s := (*at).Value.(*Start[T])
			*at = (*at).Next()
			decision := g.decide(s, now, free)
			if decision == stays {
				g.staysFor(s, free <= 0)
				if free <= 0 && (at == &plain || now-s.arrived < g.patience(r)) {
					*at = nil // Those behind it came later, and stay as well.
				}
				continue
			}
			g.Leave(s)
			if decision == goes {
				free--
				g.goesOn(s, now)
			}
			decided = append(decided, s)
		}
	}
	return decided
}

// arrivedBefore reports whether the start at a arrived before that at b; nil is
// nobody.
func (g *Gate[T]) arrivedBefore(a, b *list.Element) bool {
	return a != nil && (b == nil || a.Value.(*Start[T]).number < b.Value.(*Start[T]).number)
}

// patience is for how long every start of this rank stays while none may go on.
func (g *Gate[T]) patience(r int) time.Duration {
	if r == rank(wire.PriorityBatch) {
		return min(g.config.TagWait, g.config.BatchWait)
	}
	return min(g.config.TagWait, g.config.DefaultWait)
}

// staysFor notes whether the load has a part in it that a start stays. Had it
// once and for all, a tag's starts would hold all others for a load long gone,
// and those the tag's next ones (Q5).
func (g *Gate[T]) staysFor(s *Start[T], load bool) {
	if s.forLoad != load {
		g.note(s, -1)
		s.forLoad = load
		g.note(s, 1)
	}
}

type decision uint8

const (
	stays decision = iota
	goes
	refused
)

// decide says what becomes of a start that is held, where free starts of its
// priority may go on.
func (g *Gate[T]) decide(s *Start[T], now time.Duration, free int) decision {
	held := now - s.arrived
	switch {
	case g.short(s, now):
		if held >= g.config.TagWait {
			s.Err = wire.ErrTagThrottled
			return refused
		}
	case free > 0, s.Priority == wire.PriorityDefault && held >= g.config.DefaultWait:
		return goes
	case s.Priority == wire.PriorityBatch && held >= g.config.BatchWait:
		s.Err = wire.ErrBatchThrottled
		return refused
	}
	return stays
}

// free returns how many starts of this rank may go on at one check.
func (g *Gate[T]) free(r, load int) int {
	switch {
	case r == rank(wire.PriorityImmediate),
		r == rank(wire.PriorityDefault) && load < wire.FullLoad,
		r == rank(wire.PriorityBatch) && load < easyLoad:
		return g.held[r].plain.Len() + g.held[r].limited.Len()
	case r == rank(wire.PriorityDefault), load >= wire.BatchLoad:
		return 0
	}
	// The load holds no default start: it is below wire.FullLoad (Q2).
	return max(1, g.config.BatchRelease*(wire.BatchLoad-load)/(wire.BatchLoad-easyLoad))
}

// Clear takes out all starts that are held and returns them, those of each
// priority in the order in which they arrived.
func (g *Gate[T]) Clear() (left []*Start[T]) {
	for r := range g.held {
		for q := &g.held[r]; ; {
			e := q.plain.Front()
			if limited := q.limited.Front(); g.arrivedBefore(limited, e) {
				e = limited
			}
			if e == nil {
				break
			}
			s := e.Value.(*Start[T])
			g.Leave(s)
			left = append(left, s)
		}
	}
	return left
}
