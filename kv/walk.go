package kv

import (
	"bytes"

	"github.com/plinthdb/plinth/internal/wire"
)

// segment is a stretch of keys that own writes left in the same state: either
// one key, with its entry, or the gap between two entries.
type segment struct {
	entry *entry
	state state
	// A gap goes from lower, without that key itself if after is set, up to but
	// not including upper.
	lower, upper []byte
	after        bool
}

// walker yields the segments of a view between two keys, in either direction.
type walker struct {
	view    *writeView
	reverse bool
	// lower (see segment.after) and upper bound what is still to be walked.
	lower, upper []byte
	after        bool
	// at is the entry next to the gap that comes next, on its upper side; or,
	// with point, the entry that comes next itself.
	at    place
	point bool
	last  bool
}

func newWalker(view *writeView, begin, end []byte, reverse bool) walker {
	w := walker{view: view, reverse: reverse, lower: begin, upper: end}
	if bytes.Compare(begin, end) >= 0 {
		w.last = true
		return w
	}
	if reverse {
		w.at, _ = view.seek(end)
	} else {
		w.at, w.point = view.seek(begin)
	}
	return w
}

// next returns the next segment that holds a key. At the end ok is false.
func (w *walker) next() (s segment, ok bool) {
	for !w.last || w.point {
		if w.point {
			return w.nextPoint(), true
		}
		if s := w.nextGap(); !s.empty() {
			return s, true
		}
	}
	return segment{}, false
}

func (w *walker) nextPoint() segment {
	w.point = false
	e := w.view.entryAt(w.at)
	if w.reverse {
		w.upper = e.key
	} else {
		w.lower, w.after = e.key, true
		w.at = w.view.next(w.at)
	}
	return segment{entry: e, state: e.at}
}

// nextGap returns the gap, which may be empty, and moves to the entry behind
// it if that lies within the bounds.
func (w *walker) nextGap() segment {
	s := segment{state: w.view.before(w.at), lower: w.lower, after: w.after, upper: w.upper}
	if w.reverse {
		p, ok := w.view.previous(w.at)
		if !ok || bytes.Compare(w.view.entryAt(p).key, w.lower) < 0 {
			w.last = true
			return s
		}
		w.at, w.point = p, true
		s.lower, s.after = w.view.entryAt(p).key, true
		return s
	}
	e := w.view.entryAt(w.at)
	if e == nil || bytes.Compare(e.key, w.upper) >= 0 {
		w.last = true
		return s
	}
	w.point = true
	s.upper = e.key
	return s
}

// empty reports whether no key lies in the gap s.
func (s segment) empty() bool {
	if bytes.Compare(s.lower, s.upper) >= 0 {
		return true
	}
	return s.after && wire.KeyRange{Begin: s.lower, End: s.upper}.IsSingleKey()
}

// begin returns the first key of the gap s.
func (s segment) begin() []byte {
	if s.after {
		return wire.KeyAfter(s.lower)
	}
	return s.lower
}
