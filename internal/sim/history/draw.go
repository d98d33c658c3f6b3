package history

import (
	"fmt"
	"slices"
)

// drawRead finds which version a read saw, and draws wr from its writer and rw
// to the writer of the next one. A read that no version explains is a finding
// by itself.
func (o *orders) drawRead(g *graph, node int32, r *read) {
	place := o.seen(g, node, r)
	if place == noPlace {
		return
	}
	versions := o.versions[r.key]
	if writer := versions[place].txn; writer >= 0 && writer != node {
		g.add(edge{from: writer, to: node, kind: wr, key: r.key, place: place})
	}
	if int(place)+1 == len(versions) {
		return
	}
	// If the next version is the reader's own, ww leads on from there.
	if next := versions[place+1].txn; next >= 0 && next != node {
		kind := rw
		if r.ranged {
			kind = phantomRW
		}
		g.add(edge{from: node, to: next, kind: kind, key: r.key, place: place})
	}
}

// seen returns the place of the version that a read saw, or noPlace.
func (o *orders) seen(g *graph, node int32, r *read) int32 {
	txn := g.txnOf(node)
	switch {
	case r.list && o.broken[r.key]:
		return noPlace
	case r.list:
		return o.seenList(txn, r)
	case r.absent:
		return o.newestAbsence(r.key, o.lookedAt(txn), o.history.Transactions[txn].End)
	}
	w, ok := o.trace(txn, r.key, r.value)
	if !ok {
		return noPlace
	}
	if w.place == noPlace {
		g.add(edge{from: w.txn, to: node, kind: wr, key: r.key, place: noPlace})
	}
	return w.place
}

// trace finds the writer of a value that txn read. It is false, and there is a
// finding, if no transaction that happened installed it.
func (o *orders) trace(txn, key int32, value string) (writer, bool) {
	w, ok := o.writers[slot{key, value}]
	report := func(kind AnomalyKind, why string, writer int32) {
		o.report(kind, fmt.Sprintf("T%d read %q = %s, %s", txn, o.keys[key], show(false, value), why), txn, writer)
	}
	switch {
	case !ok:
		report(GarbageRead, "which nobody wrote", -1)
	case w.txn == txn:
		report(Internal, "which it wrote itself, but later", -1)
	case !o.happened[w.txn]:
		report(AbortedRead, "whose writer was aborted", w.txn)
	case w.intermediate:
		report(IntermediateRead, "which its writer itself overwrote", w.txn)
	default:
		return w, true
	}
	return w, false
}

// seenList checks that a read of a list is the beginning of all that was read
// of it, and returns the place of its last element.
func (o *orders) seenList(txn int32, r *read) int32 {
	for _, e := range r.elements {
		if _, ok := o.trace(txn, r.key, e); !ok {
			return noPlace
		}
	}
	n := len(r.elements)
	versions := o.versions[r.key]
	agrees := n < len(versions) && slices.EqualFunc(r.elements, versions[1:min(n+1, len(versions))], func(e string, v version) bool { return e == v.value })
	if !agrees {
		longest := make([]string, 0, len(versions))
		for _, v := range versions[1:] {
			longest = append(longest, v.value)
		}
		o.report(IncompatibleOrder, fmt.Sprintf("%q was read as %v, which is not the beginning of %v", o.keys[r.key], r.elements, longest), txn, -1)
		return noPlace
	}
	if n > 0 && n+1 < len(versions) && versions[n].txn == versions[n+1].txn && versions[n].txn >= 0 {
		o.report(IntermediateRead, fmt.Sprintf("%q was read as %v, between two appends of one transaction", o.keys[r.key], r.elements), txn, versions[n].txn)
		return noPlace
	}
	return int32(n)
}

// report adds a finding about a read of txn and, unless it is -1, its writer.
func (o *orders) report(kind AnomalyKind, text string, txn, writer int32) {
	text += "\n  " + o.history.describe(int(txn))
	if writer >= 0 {
		text += "\n  " + o.history.describe(int(writer))
	}
	o.found.add(Anomaly{Kind: kind, Text: text})
}
