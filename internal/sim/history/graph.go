package history

import (
	"cmp"
	"slices"
)

// edgeKind is a set of kinds of edges, one for each edge.
type edgeKind uint8

const (
	ww edgeKind = 1 << iota
	wr
	rw
	// phantomRW is an rw through a range that did not show the key.
	phantomRW
	rt
	vo

	anyRW = rw | phantomRW
)

func (k edgeKind) String() string {
	switch k {
	case ww:
		return "ww"
	case wr:
		return "wr"
	case rw, phantomRW:
		return "rw"
	case rt:
		return "rt"
	case vo:
		return "vo"
	}
	return "several"
}

// edge says that from comes before to. place is that of the older of the two
// versions, or of the one that was both written and read.
type edge struct {
	from, to int32
	key      int32
	place    int32
	kind     edgeKind
}

// graph has a node for each transaction; one for what it read without being
// bound to it when it committed (H4), its shadow; and links of two chains, of
// real time and of versions, so that "all of these before all of those" takes
// one edge for each of them.
type graph struct {
	txns  int32
	nodes int32
	edges []edge
	// first[n] is where the edges from n begin, once they are sorted.
	first []int32
}

func (g *graph) shadow(txn int32) int32          { return g.txns + txn }
func (g *graph) isLink(node int32) bool          { return node >= 2*g.txns }
func (g *graph) txnOf(node int32) int32          { return node % g.txns }
func (g *graph) isShadow(node int32) bool        { return node >= g.txns && !g.isLink(node) }
func (g *graph) edgesOf(node int32) []edge       { return g.edges[g.first[node]:g.first[node+1]] }
func (g *graph) add(e edge)                      { g.edges = append(g.edges, e) }
func (g *graph) link() int32                     { g.nodes++; return g.nodes - 1 }
func (g *graph) addOrder(a, b int32, k edgeKind) { g.add(edge{from: a, to: b, kind: k, key: -1}) }

// build draws the graph of a history.
func build(o *orders) *graph {
	n := int32(len(o.history.Transactions))
	g := &graph{txns: n, nodes: 2 * n}
	o.drawWrites(g)
	shadows := make([]bool, n)
	for txn := range n {
		for i := range o.reads[txn] {
			r := &o.reads[txn][i]
			node := txn
			if r.snapshot || !o.happened[txn] {
				node = g.shadow(txn)
				shadows[txn] = true
			}
			o.drawRead(g, node, r)
		}
	}
	o.drawTime(g, shadows)
	o.drawVersions(g, shadows)
	g.sort()
	return g
}

// sort puts the edges into the order of their origins, stably, so that the
// same history gives the same findings.
func (g *graph) sort() {
	g.first = make([]int32, g.nodes+1)
	for i := range g.edges {
		g.first[g.edges[i].from+1]++
	}
	for n := range g.nodes {
		g.first[n+1] += g.first[n]
	}
	sorted := make([]edge, len(g.edges))
	next := slices.Clone(g.first)
	for _, e := range g.edges {
		sorted[next[e.from]] = e
		next[e.from]++
	}
	g.edges = sorted
}

// drawWrites draws ww between neighbouring versions.
func (o *orders) drawWrites(g *graph) {
	for key, versions := range o.versions {
		if o.broken[key] {
			continue
		}
		for i := 1; i+1 < len(versions); i++ {
			a, b := versions[i].txn, versions[i+1].txn
			if a >= 0 && b >= 0 && a != b {
				g.add(edge{from: a, to: b, kind: ww, key: int32(key), place: int32(i)})
			}
		}
	}
}

// drawTime draws the chain of real time: one link for each end, in order. A
// transaction comes after the link of the last end before it began.
func (o *orders) drawTime(g *graph, shadows []bool) {
	type event struct {
		at   int64
		node int32
	}
	var ends, begins []event
	for txn := range g.txns {
		t := &o.history.Transactions[txn]
		if o.happened[txn] {
			begins = append(begins, event{t.Begin, txn})
			if t.Outcome == Committed {
				ends = append(ends, event{t.End, txn})
			}
		}
		if shadows[txn] {
			begins = append(begins, event{t.Begin, g.shadow(txn)})
			ends = append(ends, event{t.End, g.shadow(txn)})
		}
	}
	byTime := func(a, b event) int { return cmp.Compare(a.at, b.at) }
	slices.SortStableFunc(ends, byTime)
	slices.SortStableFunc(begins, byTime)
	last, next := int32(-1), 0
	for _, b := range begins {
		for ; next < len(ends) && ends[next].at < b.at; next++ {
			link := g.link()
			g.addOrder(ends[next].node, link, rt)
			if last >= 0 {
				g.addOrder(last, link, rt)
			}
			last = link
		}
		if last >= 0 {
			g.addOrder(last, b.node, rt)
		}
	}
}

// drawVersions draws the chain of versions: one link for each position. What
// stands at a position comes before its link, and after the link before it.
func (o *orders) drawVersions(g *graph, shadows []bool) {
	type stand struct {
		at   position
		node int32
	}
	var stands []stand
	for txn := range g.txns {
		t := &o.history.Transactions[txn]
		if o.happened[txn] {
			at := t.commitPosition()
			if !at.known() && !t.writes() {
				at = t.readPosition()
			}
			if at.known() {
				stands = append(stands, stand{at, txn})
			}
		}
		if at := t.readPosition(); shadows[txn] && at.known() {
			stands = append(stands, stand{at, g.shadow(txn)})
		}
	}
	slices.SortStableFunc(stands, func(a, b stand) int { return a.at.compare(b.at) })
	last := int32(-1)
	for len(stands) > 0 {
		link, at := g.link(), stands[0].at
		if last >= 0 {
			g.addOrder(last, link, vo)
		}
		for len(stands) > 0 && stands[0].at == at {
			if last >= 0 {
				g.addOrder(last, stands[0].node, vo)
			}
			g.addOrder(stands[0].node, link, vo)
			stands = stands[1:]
		}
		last = link
	}
}
