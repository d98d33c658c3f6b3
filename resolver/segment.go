package resolver

import "github.com/plinthdb/plinth/internal/wire"

// segment holds the writes of consecutive versions: point writes in a hash
// table, and all writes in sorted runs. Only the newest segment is written to;
// a segment is dropped as a whole.
type segment struct {
	// base is below every version in the segment, max is the newest of them.
	base, max wire.Version

	keys   arena
	points pointTable
	// head holds the newest writes and is kept sorted by insertion; when it is
	// full it becomes the newest run.
	head run
	// runs are sorted lists, oldest writes first. Each is at least twice as
	// long as the next, so there are few (R5).
	runs []run
	// stepsBytes is the memory of head and runs.
	stepsBytes int64
}

// bytes is the memory that the segment has.
func (g *segment) bytes() int64 { return g.keys.bytes + g.points.bytes() + g.stepsBytes }

// usedBytes is the memory that its writes need: less than bytes if the
// segment was reset.
func (g *segment) usedBytes() int64 {
	return g.keys.usedBytes() + int64(g.points.count)*slotBytes*2 + g.stepsBytes
}

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
func (g *segment) pointWrittenAfter(hash uint32, p *probe, r wire.Version) bool {
	since := g.since(r)
	if g.points.writtenAfter(hash, p.key, since, &g.keys) {
		return true
	}
	// The table does not know the range writes.
	if g.head.rangeMax > since && newest(g.head.steps, p, &g.keys) > since {
		return true
	}
	for i := len(g.runs) - 1; i >= 0 && g.runs[i].max > since; i-- {
		u := &g.runs[i]
		if u.rangeMax > since && newest(u.steps, p, &g.keys) > since {
			return true
		}
	}
	return false
}

// rangeWrittenAfter reports whether a key from begin to before end was written
// after version r.
func (g *segment) rangeWrittenAfter(begin, end *probe, r wire.Version) bool {
	since := g.since(r)
	i, j, before := bounds(g.head.steps, begin, end, &g.keys)
	if before > since {
		return true
	}
	for ; i < j; i++ {
		if g.head.steps[i].at > since {
			return true
		}
	}
	for i := len(g.runs) - 1; i >= 0 && g.runs[i].max > since; i-- {
		if g.runs[i].overlaps(begin, end, since, &g.keys) {
			return true
		}
	}
	return false
}

// addPoint records a write of one key at version v.
func (g *segment) addPoint(hash uint32, p *probe, v wire.Version) {
	at := g.advance(v)
	ref := g.points.put(hash, p.key, at, &g.keys)
	i, found := search(g.head.steps, p, &g.keys)
	if found {
		g.head.steps[i].at = at
		return
	}
	g.insert(i, step{prefix: p.prefix, key: ref, at: at, after: afterStep(g.head.steps, i)})
}

// addRange records a write of the keys from begin to before end at version v.
func (g *segment) addRange(begin, end *probe, v wire.Version) {
	at := g.advance(v)
	g.head.rangeMax = at
	j, found := search(g.head.steps, end, &g.keys)
	if !found {
		old := afterStep(g.head.steps, j)
		g.insert(j, step{prefix: end.prefix, key: g.keys.add(end.key), at: old, after: old})
	}
	i, found := search(g.head.steps[:j], begin, &g.keys)
	if !found {
		g.insert(i, step{prefix: begin.prefix, key: g.keys.add(begin.key)})
		j++
	}
	g.head.steps[i].at, g.head.steps[i].after = at, at
	g.head.steps = append(g.head.steps[:i+1], g.head.steps[j:]...)
}

func (g *segment) advance(v wire.Version) offset {
	g.max = v
	at := offset(v - g.base)
	g.head.max = at
	return at
}

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
	u.seal()
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
	u.steps = merge(pool.get(len(a.steps)+len(b.steps)), a.steps, b.steps, &g.keys)
	u.seal()
	g.stepsBytes += int64(cap(u.steps)-cap(a.steps)-cap(b.steps)) * stepBytes
	pool.put(a.steps)
	pool.put(b.steps)
	*b = run{}
	g.runs[n-2] = u
	g.runs = g.runs[:n-1]
}

// reset empties the segment but keeps memory for about as many writes as it
// had, since the next segment will have about as many.
func (g *segment) reset(headSteps int) {
	g.keys.reset()
	g.points.reset()
	clear(g.runs)
	*g = segment{
		keys: g.keys, points: g.points, runs: g.runs[:0],
		head:       run{steps: g.head.steps[:0]},
		stepsBytes: int64(headSteps) * stepBytes,
	}
}
