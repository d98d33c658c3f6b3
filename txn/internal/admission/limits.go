package admission

import (
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

// Limit bounds the starts with a tag.
type Limit struct {
	Tag string
	// Priority is the highest that the limit holds for: lower ones are bound by
	// it as well.
	Priority wire.Priority
	// StartsPerSecond is how many starts may go on; 0 is none at all.
	StartsPerSecond float64
	// Until is when the limit ends.
	Until time.Duration
}

// tagBurst is how much time's worth of starts may go on at once after a quiet
// time; one start always may.
const tagBurst = 100 * time.Millisecond

// bucket is a limit with the starts that are left of it: a token bucket.
type bucket struct {
	Limit
	tokens float64
	at     time.Duration // when tokens was right
	// held counts the starts that this limit concerns and that are held, by
	// rank.
	held [ranks]int
}

// rank is the place of a priority in the order in which starts go on.
func rank(p wire.Priority) int {
	switch p {
	case wire.PriorityImmediate:
		return 0
	case wire.PriorityBatch:
		return 2
	}
	return 1
}

const ranks = 3

// capacity is how many tokens the bucket holds.
func (b *bucket) capacity() float64 {
	if b.StartsPerSecond <= 0 {
		return 0
	}
	return max(1, b.StartsPerSecond*tagBurst.Seconds())
}

// refill brings tokens up to date.
func (b *bucket) refill(now time.Duration) {
	b.tokens = min(b.tokens+b.StartsPerSecond*(now-b.at).Seconds(), b.capacity())
	b.at = now
}

// binds reports whether the limit concerns starts of this priority now.
func (b *bucket) binds(priority wire.Priority, now time.Duration) bool {
	return rank(priority) >= rank(b.Priority) && now < b.Until
}

// ahead returns how many of the starts that are held go on before one of this
// priority that arrives now.
func (b *bucket) ahead(priority wire.Priority) (n int) {
	for r := range rank(priority) + 1 {
		n += b.held[r]
	}
	return n
}

// hopeless reports whether one more start of this priority would be held for
// longer than wait.
func (b *bucket) hopeless(priority wire.Priority, wait time.Duration) bool {
	missing := float64(b.ahead(priority)+1) - b.tokens
	return missing > b.StartsPerSecond*wait.Seconds()
}

// SetLimits replaces all limits. What is left of one with the same tag and
// priority stays.
func (g *Gate[T]) SetLimits(limits []Limit, now time.Duration) {
	old, held := g.limits, g.Clear()
	g.limits = make(map[string][]*bucket, len(limits))
	for _, l := range limits {
		b := &bucket{Limit: l, at: now}
		b.tokens = b.capacity()
		for _, o := range old[l.Tag] {
			if o.Priority == l.Priority {
				o.refill(now)
				b.tokens = min(o.tokens, b.capacity())
			}
		}
		g.limits[l.Tag] = append(g.limits[l.Tag], b)
	}
	for _, s := range held {
		g.put(s)
		g.note(s, 1)
	}
}

// limitedByTag reports whether one of the tags of s has a limit.
func (g *Gate[T]) limitedByTag(s *Start[T]) bool {
	for _, tag := range s.Tags {
		if len(g.limits[tag]) > 0 {
			return true
		}
	}
	return false
}

// binding calls f with each bucket that concerns s now, up to date, until f
// returns false.
func (g *Gate[T]) binding(s *Start[T], now time.Duration, f func(*bucket) bool) {
	for _, tag := range s.Tags {
		for _, b := range g.limits[tag] {
			if !b.binds(s.Priority, now) {
				continue
			}
			if b.refill(now); !f(b) {
				return
			}
		}
	}
}

// short reports whether a limit has no token for s.
func (g *Gate[T]) short(s *Start[T], now time.Duration) (short bool) {
	g.binding(s, now, func(b *bucket) bool {
		short = b.tokens < 1
		return !short
	})
	return short
}

// take takes a token for s from each of its limits.
func (g *Gate[T]) take(s *Start[T], now time.Duration) {
	g.binding(s, now, func(b *bucket) bool {
		b.tokens--
		return true
	})
}

// noteHeld counts s in the buckets of its tags.
func (g *Gate[T]) noteHeld(s *Start[T], n int) {
	for _, tag := range s.Tags {
		for _, b := range g.limits[tag] {
			b.held[rank(s.Priority)] += n
		}
	}
}

// Arrive says what becomes of a start with tags that arrives now: it goes on, is
// to be held, or is refused with ErrTagThrottled, as it would be held for too
// long.
func (g *Gate[T]) Arrive(s *Start[T], now time.Duration, load int) (passes bool, err error) {
	waits := false
	g.binding(s, now, func(b *bucket) bool {
		if b.hopeless(s.Priority, g.config.TagWait) {
			err = wire.ErrTagThrottled.With("transactions with the tag %q are limited to %v starts a second; run it again later", b.Tag, b.StartsPerSecond)
		}
		waits = waits || b.tokens < 1 || b.ahead(wire.PriorityBatch) > 0
		return err == nil
	})
	if err != nil {
		return false, err
	}
	if waits || !g.Passes(s.Priority, load) {
		return false, nil
	}
	g.goesOn(s, now)
	return true, nil
}
