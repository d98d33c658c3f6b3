package admission

import (
	"cmp"
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
}

// NewTally returns a tally of limit tags, at least one.
func NewTally(limit int) *Tally { return &Tally{limit: max(1, limit), counts: map[string]*Count{}} }

// Add counts a start with the tag.
func (t *Tally) Add(tag string) {
	c, ok := t.counts[tag]
	if !ok {
		c = &Count{Tag: tag}
		if len(t.counts) >= t.limit {
			least := t.least()
			delete(t.counts, least.Tag)
			c.Starts, c.Over = least.Starts, least.Starts
		}
		t.counts[tag] = c
	}
	c.Starts++
}

// least returns the least busy tag; of several, the first in order, so that a
// run repeats itself.
func (t *Tally) least() (least *Count) {
	for _, c := range t.counts {
		if least == nil || c.Starts < least.Starts || c.Starts == least.Starts && c.Tag < least.Tag {
			least = c
		}
	}
	return least
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
