package window

import (
	"github.com/plinthdb/plinth/internal/invariants"
	"github.com/plinthdb/plinth/internal/wire"
)

// Step is a run of consecutive versions that moves to the engine in one go. Its
// lists do not change once it is cut.
type Step struct {
	// begin is the end of the step before; the step's versions are above it.
	begin, end wire.Version
	touched    []*entry
	clears     []wire.KeyRange
	bytes      int
}

// End is the newest version of a step that was cut.
func (s *Step) End() wire.Version { return s.end }

// Bytes is what the step's mutations count for in the window.
func (s *Step) Bytes() int { return s.bytes }

// Keys is the number of keys that the step touches, range clears aside.
func (s *Step) Keys() int { return len(s.touched) }

// Clears lists the ranges that the step cleared, in the order of its
// mutations. Engine rows in them are to be deleted before the step's writes.
func (s *Step) Clears() []wire.KeyRange { return s.clears }

// Write is one row for the engine: a nil Value deletes the key.
type Write struct {
	// Prefix is the key's first eight bytes, for sorting.
	Prefix uint64
	wire.KeyValue
}

// OpenStep returns the size of the step that mutations go to now, and the
// version above which it begins.
func (w *Window) OpenStep() (sizeBytes int, begin wire.Version) { return w.open.bytes, w.open.begin }

// CutStep ends the open step at version, which is complete and above the end
// of the step before.
func (w *Window) CutStep(version wire.Version) {
	if invariants.Enabled {
		invariants.Assert(version >= w.newest && version > w.open.begin, "N1: cut at %d, newest %d, step begins above %d", version, w.newest, w.open.begin)
	}
	w.open.end = version
	w.steps = append(w.steps, w.open)
	w.open = &Step{begin: version}
	w.newest = version
}

// OldestStep returns the oldest step that was cut and not trimmed, nil if
// there is none.
func (w *Window) OldestStep() *Step {
	if len(w.steps) == 0 {
		return nil
	}
	return w.steps[0]
}

// Steps is the number of steps that were cut and not trimmed.
func (w *Window) Steps() int { return len(w.steps) }

// Collect appends to out what the keys from to to of the oldest step hold at
// its end. A key that a later range clear of the step removed is left out.
func (w *Window) Collect(s *Step, from, to int, out []Write) []Write {
	for _, e := range s.touched[from:to] {
		n := w.at(e, s.end)
		if w.cleared(e.key, s.end, n.seq) {
			continue
		}
		out = append(out, Write{Prefix: prefixOf(e.key), KeyValue: wire.KeyValue{Key: e.key, Value: n.value}})
	}
	return out
}

// BeginTrim makes the end of the oldest step the floor: the engine holds it,
// and from now on the window answers as if the step were trimmed (N7).
func (w *Window) BeginTrim(s *Step) {
	if invariants.Enabled {
		invariants.Assert(w.OldestStep() == s, "N5: trimming a step that is not the oldest")
	}
	w.floor = s.end
}

// TrimKeys forgets the nodes at or below the step's end of its keys from to
// to.
func (w *Window) TrimKeys(s *Step, from, to int) {
	for _, e := range s.touched[from:to] {
		if e.version <= s.end {
			w.remove(e)
			continue
		}
		n := &e.node
		for n.older != nil && n.older.version > s.end {
			n = n.older
		}
		n.older = nil
	}
}

// TrimClears forgets the nodes at or below the step's end of its range clears
// from to to.
func (w *Window) TrimClears(s *Step, from, to int) {
	for _, r := range s.clears[from:to] {
		w.clears.trim(r, s.end)
	}
}

// EndTrim takes the oldest step out, all of whose keys and clears were
// trimmed.
func (w *Window) EndTrim(s *Step) {
	w.steps[0] = nil
	w.steps = w.steps[1:]
	w.bytes -= s.bytes
}
