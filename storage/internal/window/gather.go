package window

import (
	"bytes"

	"github.com/plinthdb/plinth/internal/wire"
)

// Piece is what the window knows of a part of a key range at one version. It
// is reused from one Gather to the next.
type Piece struct {
	// Rows are the keys whose state the window knows, in the order of the
	// scan; a nil Value is a tombstone.
	Rows []wire.KeyValue
	// Masks are disjoint ranges, in the order of the scan, whose engine rows
	// were cleared.
	Masks []wire.KeyRange
	// Bound is where the piece ends: it covers the keys from the scan's begin
	// up to Bound (exclusive), or in reverse from the scan's end down to Bound
	// (inclusive). nil if it covers the rest of the range.
	Bound []byte
	// Floor is the window's floor when the piece was gathered: the piece lacks
	// what is at or below it.
	Floor wire.Version
}

// Gather fills p with what the window knows at version of the first part of
// the range begin <= key < end, or the last part in reverse. It looks at no
// more than limit entries and limit fragments.
func (w *Window) Gather(version wire.Version, begin, end []byte, reverse bool, limit int, p *Piece) {
	p.Rows, p.Masks, p.Bound, p.Floor = p.Rows[:0], p.Masks[:0], nil, w.floor
	if w.ordered.Len() > 0 {
		if reverse {
			w.rowsDown(version, begin, end, limit, p)
		} else {
			w.rowsUp(version, begin, end, limit, p)
		}
	}
	if w.clears.empty() {
		return
	}
	if reverse {
		w.masksDown(version, begin, end, limit, p)
	} else {
		w.masksUp(version, begin, end, limit, p)
	}
}

// row appends the state of e at version if the window knows it. An older value
// under a clear is left out: the clear's mask hides the engine's row too.
func (w *Window) row(e *entry, version wire.Version, p *Piece) {
	n := w.at(e, version)
	if n == nil || w.cleared(e.key, version, n.seq) {
		return
	}
	p.Rows = append(p.Rows, wire.KeyValue{Key: e.key, Value: n.value})
}

func (w *Window) rowsUp(version wire.Version, begin, end []byte, limit int, p *Piece) {
	endPrefix := prefixOf(end)
	w.ordered.AscendGreaterOrEqual(probe(begin), func(i item) bool {
		if i.prefix >= endPrefix && bytes.Compare(i.entry.key, end) >= 0 {
			return false
		}
		if limit == 0 {
			p.Bound = i.entry.key
			return false
		}
		limit--
		w.row(i.entry, version, p)
		return true
	})
}

func (w *Window) rowsDown(version wire.Version, begin, end []byte, limit int, p *Piece) {
	beginPrefix, endPrefix := prefixOf(begin), prefixOf(end)
	w.ordered.DescendLessOrEqual(probe(end), func(i item) bool {
		if i.prefix <= beginPrefix && bytes.Compare(i.entry.key, begin) < 0 {
			return false
		}
		if i.prefix == endPrefix && bytes.Equal(i.entry.key, end) {
			return true
		}
		limit--
		w.row(i.entry, version, p)
		if limit == 0 {
			p.Bound = i.entry.key
		}
		return limit > 0
	})
}

func (w *Window) masksUp(version wire.Version, begin, end []byte, limit int, p *Piece) {
	if p.Bound != nil {
		end = p.Bound
	}
	visit := func(f fragment) bool {
		if bytes.Compare(f.begin, end) >= 0 {
			return false
		}
		if limit == 0 {
			p.shrinkUp(f.begin)
			return false
		}
		limit--
		if f.at(version, w.floor) == nil {
			return true
		}
		r := wire.KeyRange{Begin: maxKey(f.begin, begin), End: minKey(f.end, end)}
		if n := len(p.Masks); n > 0 && bytes.Equal(p.Masks[n-1].End, r.Begin) {
			p.Masks[n-1].End = r.End
		} else {
			p.Masks = append(p.Masks, r)
		}
		return true
	}
	if f, ok := w.clears.covering(begin); ok && !bytes.Equal(f.begin, begin) && !visit(f) {
		return
	}
	w.clears.tree.AscendGreaterOrEqual(fragment{begin: begin}, visit)
}

func (w *Window) masksDown(version wire.Version, begin, end []byte, limit int, p *Piece) {
	if p.Bound != nil {
		begin = p.Bound
	}
	w.clears.tree.DescendLessOrEqual(fragment{begin: end}, func(f fragment) bool {
		if bytes.Compare(f.begin, end) >= 0 {
			return true
		}
		if bytes.Compare(f.end, begin) <= 0 {
			return false
		}
		if limit == 0 {
			p.shrinkDown(f.end)
			return false
		}
		limit--
		if f.at(version, w.floor) == nil {
			return true
		}
		r := wire.KeyRange{Begin: maxKey(f.begin, begin), End: minKey(f.end, end)}
		if n := len(p.Masks); n > 0 && bytes.Equal(p.Masks[n-1].Begin, r.End) {
			p.Masks[n-1].Begin = r.Begin
		} else {
			p.Masks = append(p.Masks, r)
		}
		return true
	})
}

// shrinkUp ends the piece at bound, which lies inside it.
func (p *Piece) shrinkUp(bound []byte) {
	p.Bound = bound
	for n := len(p.Rows); n > 0 && bytes.Compare(p.Rows[n-1].Key, bound) >= 0; n-- {
		p.Rows = p.Rows[:n-1]
	}
}

// shrinkDown ends the piece at bound, which lies inside it.
func (p *Piece) shrinkDown(bound []byte) {
	p.Bound = bound
	for n := len(p.Rows); n > 0 && bytes.Compare(p.Rows[n-1].Key, bound) < 0; n-- {
		p.Rows = p.Rows[:n-1]
	}
}

func minKey(a, b []byte) []byte {
	if bytes.Compare(a, b) < 0 {
		return a
	}
	return b
}

func maxKey(a, b []byte) []byte {
	if bytes.Compare(a, b) > 0 {
		return a
	}
	return b
}
