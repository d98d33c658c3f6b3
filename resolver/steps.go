package resolver

import (
	"bytes"
	"math/bits"
)

// offset is a version as its distance from the base of its segment; 0 stands
// for "not written in this segment".
type offset = uint32

// step is one place where the newest write version, as a function of the key,
// changes. A sorted list of steps is such a function: before the first step it
// is 0, at a step's key it is at, and from there to the next step it is after.
// A point write thus takes one step, a range write two.
//
// Every write that covers the keys right after a step covers the step's key as
// well, hence after <= at (R6).
type step struct {
	short     uint64 // of the key, see shortener
	key       keyRef
	at, after offset
}

// stepBytes is the size of a step in memory.
const stepBytes = 24

// blockSteps is how many steps share one entry of run.blockMax.
const blockSteps = 64

// shortRun is how many steps are looked at one by one.
const shortRun = 16 * blockSteps

// run is a sorted list of steps; all but a segment's head are immutable.
type run struct {
	steps []step
	// blockMax[i] is the greatest at of the steps from i*blockSteps on; short
	// runs have none.
	blockMax []offset
	// max is the greatest at, rangeMax the newest range write: a read at a
	// version that is not below them need not look.
	max, rangeMax offset
}

// search returns the place of the first step that is not below p, and whether
// it is at p.
func search(steps []step, p *probe, keys *arena) (at int, found bool) {
	lo, hi := 0, len(steps)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		c := p.compare(&steps[mid], keys)
		if c == 0 {
			return mid, true
		}
		if c > 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, false
}

// afterStep is the value of the function between step i-1 and step i.
func afterStep(steps []step, i int) offset {
	if i == 0 {
		return 0
	}
	return steps[i-1].after
}

// newest returns the newest write at p's key.
func newest(steps []step, p *probe, keys *arena) offset {
	i, found := search(steps, p, keys)
	if found {
		return steps[i].at
	}
	return afterStep(steps, i)
}

// bounds returns the steps [i, j) whose keys lie between begin and end, and
// the value of the function at begin if that is not itself a step.
func bounds(steps []step, begin, end *probe, keys *arena) (i, j int, before offset) {
	i, found := search(steps, begin, keys)
	if !found {
		before = afterStep(steps, i)
	}
	// Ranges are mostly short: gallop from the beginning to the end.
	width := 1
	for i+width <= len(steps) && end.compare(&steps[i+width-1], keys) > 0 {
		width *= 2
	}
	from := i + width/2
	n, _ := search(steps[from:min(i+width, len(steps))], end, keys)
	return i, from + n, before
}

// overlaps reports whether a key between begin and end was written after r.
func (u *run) overlaps(begin, end *probe, r offset, keys *arena) bool {
	i, j, before := bounds(u.steps, begin, end, keys)
	if before > r {
		return true
	}
	for i < j {
		if b := i / blockSteps; i%blockSteps == 0 && b < len(u.blockMax) && u.blockMax[b] <= r {
			i += blockSteps
			continue
		}
		if u.steps[i].at > r {
			return true
		}
		i++
	}
	return false
}

// holdsAfter reports whether there is a write, or a range write, after since.
func (u *run) holdsAfter(since offset, onlyRanges bool) bool {
	if onlyRanges {
		return u.rangeMax > since
	}
	return u.max > since
}

// summarize computes what a run knows about its steps.
func (u *run) summarize() {
	u.max = 0
	u.blockMax = u.blockMax[:0]
	for i := 0; i < len(u.steps); i += blockSteps {
		var m offset
		for j := range u.steps[i:min(i+blockSteps, len(u.steps))] {
			m = max(m, u.steps[i+j].at)
		}
		u.max = max(u.max, m)
		if len(u.steps) > shortRun {
			u.blockMax = append(u.blockMax, m)
		}
	}
}

// merge appends to dst the function that is everywhere the greater of a and b.
func merge(dst, a, b []step, keys *arena) []step {
	var afterA, afterB, last offset
	for len(a) > 0 && len(b) > 0 {
		s, c := a[0], compareSteps(&a[0], &b[0], keys)
		switch {
		case c < 0:
			afterA = s.after
			s.at = max(s.at, afterB)
			a = a[1:]
		case c > 0:
			s = b[0]
			afterB = s.after
			s.at = max(s.at, afterA)
			b = b[1:]
		default:
			afterA, afterB = s.after, b[0].after
			s.at = max(s.at, b[0].at)
			a, b = a[1:], b[1:]
		}
		s.after = max(afterA, afterB)
		if s.at == last && s.after == last {
			continue // nothing changes here
		}
		dst = append(dst, s)
		last = s.after
	}
	// The last step of a list ends its last range: nothing is written behind.
	dst = append(dst, a...)
	return append(dst, b...)
}

func compareSteps(x, y *step, keys *arena) int {
	switch {
	case x.short < y.short:
		return -1
	case x.short > y.short:
		return 1
	case x.key == y.key:
		return 0
	}
	return bytes.Compare(keys.key(x.key), keys.key(y.key))
}

// stepPool keeps a few lists of steps for reuse, by the power of two of their
// capacity, since merging makes and drops lists of the same few sizes.
type stepPool struct {
	// maxSteps is the capacity beyond which lists are not kept.
	maxSteps int
	classes  [32][][]step
	bytes    int64
}

// keptBuffers is how many lists of one size are kept.
const keptBuffers = 2

// limitBytes is the most that the pool ever holds: two of each size, where the
// sizes are powers of two up to maxSteps.
func (p *stepPool) limitBytes() int64 { return keptBuffers * 2 * int64(p.maxSteps) * stepBytes }

// get returns an empty list with room for at least n steps.
func (p *stepPool) get(n int) []step {
	class := bits.Len(uint(max(n, 1) - 1))
	kept := p.classes[class]
	if len(kept) == 0 {
		return make([]step, 0, 1<<class)
	}
	s := kept[len(kept)-1]
	p.classes[class] = kept[:len(kept)-1]
	p.bytes -= int64(cap(s)) * stepBytes
	return s
}

// put takes back a list that get returned.
func (p *stepPool) put(s []step) {
	class := bits.Len(uint(max(cap(s), 1) - 1))
	if cap(s) != 1<<class || cap(s) > p.maxSteps || len(p.classes[class]) >= keptBuffers {
		return
	}
	p.classes[class] = append(p.classes[class], s[:0])
	p.bytes += int64(cap(s)) * stepBytes
}
