package admission

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestTheTallyKeepsTheBusiestTags(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		tally := NewTally(limit)
		exact, total := map[string]uint64{}, 0
		for _, tag := range rapid.SliceOf(rapid.SampledFrom([]string{"a", "a", "a", "b", "b", "c", "d", "e", "f", "g"})).Draw(t, "tags") {
			tally.Add(tag)
			exact[tag]++
			total++
		}
		kept := map[string]bool{}
		last := uint64(math.MaxUint64)
		for _, c := range tally.Busiest(100) {
			kept[c.Tag] = true
			if c.Starts < exact[c.Tag] || c.Starts-c.Over > exact[c.Tag] || c.Starts > last {
				t.Fatalf("tag %s counts %d, %d of them perhaps too many; it is %d, and the one before had %d", c.Tag, c.Starts, c.Over, exact[c.Tag], last)
			}
			last = c.Starts
		}
		if len(kept) > limit {
			t.Fatalf("%d tags are kept, at most %d may be", len(kept), limit)
		}
		for tag, n := range exact {
			if n > uint64(total/limit) && !kept[tag] {
				t.Fatalf("tag %s has %d of %d starts and is not among the %d that are kept", tag, n, total, limit)
			}
		}
	})
}

// Which tag goes is that with the least count, the first in order of several.
func TestTheTallyGivesUpTheLeastBusyTag(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		tally := NewTally(limit)
		var plain []Count
		for _, tag := range rapid.SliceOf(rapid.StringMatching("[a-h]")).Draw(t, "tags") {
			tally.Add(tag)
			at := slices.IndexFunc(plain, func(c Count) bool { return c.Tag == tag })
			switch {
			case at < 0 && len(plain) < limit:
				at, plain = len(plain), append(plain, Count{Tag: tag})
			case at < 0:
				at = 0
				for i, c := range plain {
					if c.Starts < plain[at].Starts || c.Starts == plain[at].Starts && c.Tag < plain[at].Tag {
						at = i
					}
				}
				plain[at] = Count{Tag: tag, Starts: plain[at].Starts, Over: plain[at].Starts}
			}
			plain[at].Starts++
		}
		got := tally.Busiest(limit)
		for _, want := range plain {
			if !slices.Contains(got, want) || len(got) != len(plain) {
				t.Fatalf("counted %+v, want %+v", got, plain)
			}
		}
	})
}

// BenchmarkTally counts tags that come once each.
func BenchmarkTally(b *testing.B) {
	tags := make([]string, 10_000)
	for i := range tags {
		tags[i] = fmt.Sprint(i)
	}
	tally := NewTally(100)
	for i := 0; b.Loop(); i++ {
		tally.Add(tags[i%len(tags)])
	}
}
