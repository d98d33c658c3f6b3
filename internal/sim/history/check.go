package history

import (
	"fmt"
	"strings"
)

// Check returns what is wrong with a history: nothing, if it is strictly
// serializable in the order of its versions. The error is ErrUnusable if the
// history itself contradicts the rules for recording it.
//
// Each finding is the smallest cycle of the most telling kind in one knot of
// transactions; there may be more of them in it.
func Check(h *History) ([]Anomaly, error) {
	if len(h.Transactions) == 0 {
		return nil, nil
	}
	found := new(findings)
	s, err := scan(h, found)
	if err != nil {
		return nil, err
	}
	o := order(s)
	g := build(o)
	o.findCycles(g)
	return found.anomalies, nil
}

func (o *orders) findCycles(g *graph) {
	all := make([]int32, g.nodes)
	for n := range all {
		all[n] = int32(n)
	}
	components := g.components(ww|wr|anyRW|rt|vo, all, nil)
	components = components[:min(len(components), maxCycles)]
	s := newSearch(g)
	for i, component := range components {
		for _, n := range component {
			s.within[n] = int32(i + 1)
		}
	}
	for _, component := range components {
		if cycle := s.cycle(component); cycle != nil {
			o.found.anomalies = append(o.found.anomalies, o.explain(g, cycle))
			continue
		}
		// The budget was used up before the first cycle of any class.
		o.found.anomalies = append(o.found.anomalies, Anomaly{Kind: OutOfOrder, RealTime: true, VersionOrder: true,
			Text: fmt.Sprintf("%d nodes of the graph depend on each other; the search for a cycle was too long", len(component))})
	}
}

// explain names a cycle and puts it into words.
func (o *orders) explain(g *graph, cycle []edge) Anomaly {
	// Begin at a transaction, not in the middle of a chain.
	for g.isLink(cycle[0].from) {
		cycle = append(cycle[1:], cycle[0])
	}
	a := Anomaly{}
	var shape shape
	var text strings.Builder
	for i := 0; i < len(cycle); i++ {
		first := cycle[i]
		for g.isLink(cycle[i].to) {
			i++
		}
		last := cycle[i]
		step := Step{From: int(g.txnOf(first.from)), To: int(g.txnOf(last.to)), Edge: first.kind.String()}
		if first.key >= 0 {
			step.Key = o.keys[first.key]
		}
		a.Cycle = append(a.Cycle, step)
		shape.add(first)
		fmt.Fprintf(&text, "\n  %s", o.words(g, first, last.to))
	}
	a.Kind, a.RealTime, a.VersionOrder = shape.kind(), shape.counts[rt] > 0, shape.counts[vo] > 0
	head := fmt.Sprintf("%d transactions, each before the next and the last before the first", len(a.Cycle))
	if len(a.Cycle) == 1 {
		head = "a transaction before itself"
	}
	described := make(map[int]bool)
	for _, step := range a.Cycle {
		if !described[step.From] {
			described[step.From] = true
			fmt.Fprintf(&text, "\n  %s", o.history.describe(step.From))
		}
	}
	a.Text = head + text.String()
	return a
}

// words explains one step, which begins with the edge e and ends at node to.
func (o *orders) words(g *graph, e edge, to int32) string {
	from := g.txnOf(e.from)
	txn := g.txnOf(to)
	switch e.kind {
	case rt:
		return fmt.Sprintf("T%d ended at %s, before T%d began at %s (rt)", from, seconds(o.history.Transactions[from].End),
			txn, seconds(o.history.Transactions[txn].Begin))
	case vo:
		return fmt.Sprintf("%s comes before %s by version (vo)", o.stand(g, e.from), o.stand(g, to))
	}
	key := o.keys[e.key]
	if e.place == noPlace {
		return fmt.Sprintf("T%d wrote %q, which T%d read (wr)", from, key, txn)
	}
	value := o.versionText(e.key, e.place)
	switch e.kind {
	case ww:
		return fmt.Sprintf("T%d wrote %q = %s, and T%d the next version, %s (ww)", from, key, value, txn, o.versionText(e.key, e.place+1))
	case wr:
		return fmt.Sprintf("T%d wrote %q = %s, which T%d read (wr)", from, key, value, txn)
	case phantomRW:
		return fmt.Sprintf("T%d read a range without %q, and T%d wrote it next, %s (rw)", from, key, txn, o.versionText(e.key, e.place+1))
	}
	return fmt.Sprintf("T%d read %q = %s, and T%d wrote the next version, %s (rw)", from, key, value, txn, o.versionText(e.key, e.place+1))
}

func (o *orders) versionText(key, place int32) string {
	v := o.versions[key][place]
	if o.lists[key] && place == 0 {
		return "[]"
	}
	if o.lists[key] {
		return fmt.Sprintf("[... %s]", v.value)
	}
	return show(v.absent, v.value)
}

// stand says where a node stands among the versions.
func (o *orders) stand(g *graph, node int32) string {
	txn := g.txnOf(node)
	t := &o.history.Transactions[txn]
	if p := t.commitPosition(); p.known() && !g.isShadow(node) {
		return fmt.Sprintf("T%d, committed at %d.%d,", txn, p.version, p.order)
	}
	return fmt.Sprintf("T%d, which read at %d,", txn, t.ReadVersion)
}

// shape is what the name of a cycle depends on.
type shape struct {
	steps  int
	counts map[edgeKind]int
	keys   map[int32]bool // of ww and rw
}

func (s *shape) add(e edge) {
	if s.counts == nil {
		s.counts, s.keys = make(map[edgeKind]int), make(map[int32]bool)
	}
	s.steps++
	s.counts[e.kind]++
	if e.kind&(ww|anyRW) != 0 {
		s.keys[e.key] = true
	}
}

func (s *shape) kind() AnomalyKind {
	dependencies := s.counts[ww] + s.counts[wr]
	anti := s.counts[rw] + s.counts[phantomRW]
	switch {
	case dependencies+anti == 0:
		return OutOfOrder
	case s.counts[phantomRW] > 0:
		return Phantom
	case anti == 1 && s.counts[ww]+1 == s.steps && len(s.keys) == 1:
		return LostUpdate
	case anti == 1 && s.counts[rt] > 0:
		return StaleRead
	case anti == 1:
		return ReadSkew
	case anti == 2 && s.steps == 2:
		return WriteSkew
	case anti > 0:
		return AntiDependency
	case s.counts[wr] > 0:
		return CircularFlow
	}
	return WriteCycle
}
