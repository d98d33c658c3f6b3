package resolver

import (
	"github.com/plinthdb/plinth/internal/invariants"
	"github.com/plinthdb/plinth/internal/wire"
)

// segment holds the writes of consecutive versions in sorted runs. Only the
// newest segment is written to; a segment is dropped as a whole.
type segment struct {
	// base is below every version in the segment, max is the newest of them.
	base, max wire.Version

	keys      arena
	shortener *shortener
	// filter is built when the segment is sealed.
	filter filter
	// head holds the newest writes and is kept sorted by insertion; when it is
	// full it becomes the newest run.
	head run
	// runs are sorted lists, oldest writes first.
	runs []run
	// rangeMax is the newest range write.
	rangeMax offset
	// stepsBytes is the memory of head and runs.
	stepsBytes int64
	sealed     bool
}

// bytes is the memory that the segment has.
func (g *segment) bytes() int64 { return g.keys.bytes + g.filter.bytes() + g.stepsBytes }

func (g *segment) steps() int {
	n := len(g.head.steps)
	for i := range g.runs {
		n += len(g.runs[i].steps)
	}
	return n
}

// since converts a read version to this segment's offsets.
func (g *segment) since(r wire.Version) offset {
	if r <= g.base {
		return 0
	}
	return offset(r - g.base)
}

// pointWrittenAfter reports whether the key of p was written after version r.
// points is the table of the segment that is not sealed.
func (g *segment) pointWrittenAfter(points *pointTable, hash uint32, p *probe, r wire.Version) bool {
	since := g.since(r)
	if g.sealed {
		return (g.rangeMax > since || g.filter.mayHold(hash)) && g.newestAfter(p, since, false)
	}
	return points.writtenAfter(hash, p.key, since, &g.keys) ||
		g.rangeMax > since && g.newestAfter(p, since, true)
}

// newestAfter looks into head and runs, or only into those that hold a range
// write after since.
func (g *segment) newestAfter(p *probe, since offset, onlyRanges bool) bool {
	p.use(g.shortener)
	if g.head.holdsAfter(since, onlyRanges) && newest(g.head.steps, p, &g.keys) > since {
		return true
	}
	for i := len(g.runs) - 1; i >= 0 && g.runs[i].max > since; i-- {
		u := &g.runs[i]
		if u.holdsAfter(since, onlyRanges) && newest(u.steps, p, &g.keys) > since {
			return true
		}
	}
	return false
}

// rangeWrittenAfter reports whether a key from begin to before end was written
// after version r.
func (g *segment) rangeWrittenAfter(begin, end *probe, r wire.Version) bool {
	since := g.since(r)
	begin.use(g.shortener)
	end.use(g.shortener)
	if g.head.max > since && g.head.overlaps(begin, end, since, &g.keys) {
		return true
	}
	for i := len(g.runs) - 1; i >= 0 && g.runs[i].max > since; i-- {
		if g.runs[i].overlaps(begin, end, since, &g.keys) {
			return true
		}
	}
	return false
}

// addPoint records a write of one key at version v.
func (g *segment) addPoint(points *pointTable, hash uint32, p *probe, v wire.Version) {
	at := g.advance(v)
	p.use(g.shortener)
	ref := points.put(hash, p.key, at, &g.keys)
	i, found := search(g.head.steps, p, &g.keys)
	if found {
		g.head.steps[i].at = at
		return
	}
	g.insert(i, step{short: p.short, key: ref, at: at, after: afterStep(g.head.steps, i)})
}

// addRange records a write of the keys from begin to before end at version v.
func (g *segment) addRange(begin, end *probe, v wire.Version) {
	at := g.advance(v)
	g.head.rangeMax, g.rangeMax = at, at
	begin.use(g.shortener)
	end.use(g.shortener)
	j, found := search(g.head.steps, end, &g.keys)
	if !found {
		old := afterStep(g.head.steps, j)
		g.insert(j, step{short: end.short, key: g.keys.add(end.key), at: old, after: old})
	}
	i, found := search(g.head.steps[:j], begin, &g.keys)
	if !found {
		g.insert(i, step{short: begin.short, key: g.keys.add(begin.key)})
		j++
	}
	g.head.steps[i].at, g.head.steps[i].after = at, at
	g.head.steps = append(g.head.steps[:i+1], g.head.steps[j:]...)
}

// advance notes that a write at version v follows and returns v's offset.
func (g *segment) advance(v wire.Version) offset {
	invariants.Assert(!g.sealed && v >= g.max, "R4: write at version %d into a segment that ends at %d", v, g.max)
	g.max = v
	at := offset(v - g.base)
	g.head.max = at
	return at
}

// insert puts s at place i of the head.
func (g *segment) insert(i int, s step) {
	steps := append(g.head.steps, step{})
	copy(steps[i+1:], steps[i:])
	steps[i] = s
	g.head.steps = steps
}

// flush makes a run of the head and merges runs until each is at least twice
// as long as the next.
func (g *segment) flush(pool *stepPool) {
	if len(g.head.steps) == 0 {
		return
	}
	u := run{steps: append(pool.get(len(g.head.steps)), g.head.steps...), rangeMax: g.head.rangeMax}
	u.summarize()
	g.runs = append(g.runs, u)
	g.stepsBytes += int64(cap(u.steps)) * stepBytes
	g.head.steps, g.head.max, g.head.rangeMax = g.head.steps[:0], 0, 0
	for n := len(g.runs); n >= 2 && len(g.runs[n-2].steps) < 2*len(g.runs[n-1].steps); n-- {
		g.mergeLast(pool)
	}
}

// mergeLast merges the two newest runs.
func (g *segment) mergeLast(pool *stepPool) {
	n := len(g.runs)
	a, b := &g.runs[n-2], &g.runs[n-1]
	u := run{rangeMax: max(a.rangeMax, b.rangeMax), blockMax: a.blockMax}
	u.steps = merge(g.room(len(a.steps)+len(b.steps), pool), a.steps, b.steps, &g.keys)
	u.summarize()
	g.stepsBytes += int64(cap(u.steps)-cap(a.steps)-cap(b.steps)) * stepBytes
	pool.put(a.steps)
	pool.put(b.steps)
	*b = run{}
	g.runs[n-2] = u
	g.runs = g.runs[:n-1]
}

// room returns an empty list for n steps: to be merged again soon, or, if it
// will be a sealed segment's only run, to be kept, so without room to spare.
func (g *segment) room(n int, pool *stepPool) []step {
	if g.sealed && len(g.runs) == 2 {
		return make([]step, 0, n)
	}
	return pool.get(n)
}

// seal ends the writes to the segment, whose point writes are in points.
func (g *segment) seal(points *pointTable, pool *stepPool) {
	g.flush(pool)
	g.filter.build(points)
	g.sealed = true
}

// reset empties the segment but keeps memory for about as many writes as it
// had, since the next segment will have about as many.
func (g *segment) reset() {
	g.keys.reset()
	clear(g.runs)
	*g = segment{
		keys: g.keys, filter: g.filter, runs: g.runs[:0],
		head:       run{steps: g.head.steps[:0]},
		stepsBytes: int64(cap(g.head.steps)) * stepBytes,
	}
}
