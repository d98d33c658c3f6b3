package admission

import (
	"cmp"
	"math"
	"slices"
)

// Count is how often a tag was seen.
type Count struct {
	Tag string
	// Starts is how many starts had the tag, too many by Over at most.
	Starts, Over uint64
}

// Tally counts starts by tag and keeps the busiest tags: when there is no room
// for another one it takes the place, and the count, of the least busy. A tag
// with more than 1/limit of all starts is always kept. This is the Space-Saving
// algorithm of Metwally, Agrawal and El Abbadi (2005).
type Tally struct {
	limit  int
	counts map[string]*Count
	// least has the tags that had the least count, floor, when all were last
	// looked at, the first in order at the end: tags that come once each would
	// have all looked at every time otherwise.
	least []string
	floor uint64
}

// NewTally returns a tally of limit tags, at least one.
func NewTally(limit int) *Tally { return &Tally{limit: max(1, limit), counts: map[string]*Count{}} }

// Add counts a start with the tag.
func (t *Tally) Add(tag string) {
	c, ok := t.counts[tag]
	if !ok {
		c = &Count{Tag: tag}
		if len(t.counts) >= t.limit {
			least := t.takeLeast()
			delete(t.counts, least.Tag)
			c.Starts, c.Over = least.Starts, least.Starts
		}
		t.counts[tag] = c
	}
	c.Starts++
}

// takeLeast returns the least busy tag, which is to go; of several, the first in
// order, so that a run repeats itself.
func (t *Tally) takeLeast() *Count {
	for {
		for n := len(t.least) - 1; n >= 0; n-- {
			c := t.counts[t.least[n]]
			t.least = t.least[:n]
			if c != nil && c.Starts == t.floor {
				return c
			}
		}
		t.findLeast()
	}
}

// findLeast looks at all tags for the least busy ones.
func (t *Tally) findLeast() {
	t.floor = math.MaxUint64
	for tag, c := range t.counts {
		if c.Starts < t.floor {
			t.floor, t.least = c.Starts, t.least[:0]
		}
		if c.Starts == t.floor {
			t.least = append(t.least, tag)
		}
	}
	slices.Sort(t.least)
	slices.Reverse(t.least)
}

// Busiest returns the n busiest tags, the busiest first.
func (t *Tally) Busiest(n int) []Count {
	all := make([]Count, 0, len(t.counts))
	for _, c := range t.counts {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Starts, a.Starts), cmp.Compare(a.Tag, b.Tag))
	})
	return all[:min(n, len(all))]
}
