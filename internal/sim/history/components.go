package history

// components returns the strongly connected components of the graph that have
// more than one node, by Tarjan's algorithm (1972) without recursion. It looks
// only at edges of the given kinds between nodes of one component of within,
// which may be nil.
func (g *graph) components(kinds edgeKind, nodes []int32, within []int32) [][]int32 {
	t := &tarjan{
		graph: g, kinds: kinds, within: within,
		index: make([]int32, g.nodes), low: make([]int32, g.nodes), onStack: make([]bool, g.nodes),
	}
	for _, n := range nodes {
		if t.index[n] == 0 {
			t.visit(n)
		}
	}
	return t.found
}

type tarjan struct {
	graph  *graph
	kinds  edgeKind
	within []int32

	counter    int32
	index, low []int32 // index 0 is a node not visited yet
	onStack    []bool
	stack      []int32
	calls      []call
	found      [][]int32
}

// call is a visit under way, and the next edge that it follows.
type call struct {
	node int32
	next int
}

func (t *tarjan) visit(root int32) {
	t.enter(root)
	for len(t.calls) > 0 {
		c := &t.calls[len(t.calls)-1]
		edges := t.graph.edgesOf(c.node)
		if c.next == len(edges) {
			t.leave(c.node)
			continue
		}
		e := edges[c.next]
		c.next++
		switch {
		case e.kind&t.kinds == 0, t.within != nil && t.within[e.to] != t.within[e.from]:
		case t.index[e.to] == 0:
			t.enter(e.to)
		case t.onStack[e.to]:
			t.low[c.node] = min(t.low[c.node], t.index[e.to])
		}
	}
}

func (t *tarjan) enter(n int32) {
	t.counter++
	t.index[n], t.low[n] = t.counter, t.counter
	t.stack = append(t.stack, n)
	t.onStack[n] = true
	t.calls = append(t.calls, call{node: n})
}

func (t *tarjan) leave(n int32) {
	t.calls = t.calls[:len(t.calls)-1]
	if len(t.calls) > 0 {
		parent := t.calls[len(t.calls)-1].node
		t.low[parent] = min(t.low[parent], t.low[n])
	}
	if t.low[n] != t.index[n] {
		return
	}
	begin := len(t.stack) - 1
	for t.stack[begin] != n {
		begin--
	}
	for _, m := range t.stack[begin:] {
		t.onStack[m] = false
	}
	if len(t.stack)-begin > 1 {
		t.found = append(t.found, append([]int32(nil), t.stack[begin:]...))
	}
	t.stack = t.stack[:begin]
}
