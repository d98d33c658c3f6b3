package history

import (
	"math"
	"slices"
)

// class is a kind of cycle to look for: with edges of these kinds only, of
// which exactly one is an rw if single is set.
type class struct {
	kinds  edgeKind
	single bool
}

// classes are in the order of how much they say: a cycle is named after the
// first class that has one.
func classes() []class {
	var all []class
	for _, extra := range []edgeKind{0, rt, vo, rt | vo} {
		all = append(all,
			class{kinds: ww | extra},
			class{kinds: ww | wr | extra},
			class{kinds: ww | wr | extra, single: true},
			class{kinds: ww | wr | anyRW | extra})
	}
	return all
}

// searchBudget bounds how many edges the search for smallest cycles follows.
// When it is used up the smallest cycle so far is as good as any.
const searchBudget = 20_000_000

// search finds smallest cycles within components of a graph.
type search struct {
	graph  *graph
	within []int32 // the component of each node; 0 is none
	budget int

	// Of the search under way: the edge by which a node was reached, valid if
	// its round is this one.
	round   int32
	reached []int32
	by      []edge
}

func newSearch(g *graph) *search {
	return &search{graph: g, budget: searchBudget, within: make([]int32, g.nodes), reached: make([]int32, g.nodes), by: make([]edge, g.nodes)}
}

// cycle returns the smallest cycle of the first class that has one in the
// component.
func (s *search) cycle(component []int32) []edge {
	for _, c := range classes() {
		if best := s.smallest(component, c); best != nil {
			return best
		}
	}
	return nil
}

// smallest returns the smallest cycle of a class, or nil.
func (s *search) smallest(component []int32, c class) []edge {
	if c.single {
		return s.smallestSingle(component, c.kinds)
	}
	var best []edge
	limit := int32(math.MaxInt32)
	for _, part := range s.graph.components(c.kinds, component, s.within) {
		for _, n := range part {
			if s.graph.isLink(n) {
				continue
			}
			if path, steps := s.path(n, n, c.kinds, limit); path != nil {
				best, limit = path, steps
			}
		}
	}
	return best
}

// smallestSingle closes each rw edge with the shortest path of other kinds.
func (s *search) smallestSingle(component []int32, kinds edgeKind) []edge {
	var best []edge
	limit := int32(math.MaxInt32)
	for _, part := range s.graph.components(kinds|anyRW, component, s.within) {
		inPart := make(map[int32]bool, len(part))
		for _, n := range part {
			inPart[n] = true
		}
		for _, n := range part {
			for _, e := range s.graph.edgesOf(n) {
				if e.kind&anyRW == 0 || !inPart[e.to] {
					continue
				}
				if path, steps := s.path(e.to, n, kinds, limit); path != nil {
					best, limit = append([]edge{e}, path...), steps
				}
			}
		}
	}
	return best
}

// path returns the shortest path over edges of the given kinds, and its
// length, if that is below limit. Links of chains cost nothing. A path from a
// node to itself is a cycle.
func (s *search) path(from, to int32, kinds edgeKind, limit int32) ([]edge, int32) {
	s.round++
	level, next := []int32{from}, []int32(nil)
	for steps := int32(1); len(level) > 0 && steps < limit; steps++ {
		// Links are appended to the level that is gone through.
		for i := 0; i < len(level); i++ {
			for _, e := range s.graph.edgesOf(level[i]) {
				s.budget--
				if s.budget < 0 {
					return nil, 0
				}
				if e.kind&kinds == 0 || s.within[e.to] != s.within[from] || s.reached[e.to] == s.round {
					continue
				}
				s.reached[e.to], s.by[e.to] = s.round, e
				switch {
				case e.to == to:
					return s.back(from, to), steps
				case s.graph.isLink(e.to):
					level = append(level, e.to)
				default:
					next = append(next, e.to)
				}
			}
		}
		level, next = next, level[:0]
	}
	return nil, 0
}

// back follows the edges by which to was reached.
func (s *search) back(from, to int32) []edge {
	var path []edge
	for at := to; ; {
		e := s.by[at]
		path = append(path, e)
		if at = e.from; at == from {
			break
		}
	}
	slices.Reverse(path)
	return path
}
