package kv

import (
	"bytes"
	"slices"

	"github.com/plinthdb/plinth/internal/wire"
)

// firstConflicts and then someConflicts are the capacities of a list of conflict
// ranges, before it doubles: for a key or a range with an idempotency id, and for
// about ten keys.
const (
	firstConflicts = 2
	someConflicts  = 12
)

// scan is the read conflict of one range read while it goes on: the keys that
// its user has been shown, or shown to be absent.
type scan struct {
	lower, upper []byte
	// through takes the key upper itself in.
	through bool
	// view is what the scan saw of own writes, nil if nothing.
	view *writeView
}

// addReadConflictLocked adds a range of stored keys that the transaction
// depends on. The slices stay shared.
func (a *attempt) addReadConflictLocked(r wire.KeyRange) {
	a.mu.readConflicts = a.addConflictLocked(a.mu.readConflicts, r)
}

// addWriteConflictLocked adds a range of keys that the transaction changes.
// The slices stay shared.
func (a *attempt) addWriteConflictLocked(r wire.KeyRange) {
	a.mu.writeConflicts = a.addConflictLocked(a.mu.writeConflicts, r)
}

// addConflictLocked appends r to list, or lets it grow into the last range of
// it where they touch: repeated and sequential accesses cost one range.
func (a *attempt) addConflictLocked(list []wire.KeyRange, r wire.KeyRange) []wire.KeyRange {
	if n := len(list); n > 0 {
		last := &list[n-1]
		if bytes.Compare(last.Begin, r.Begin) <= 0 && bytes.Compare(r.Begin, last.End) <= 0 {
			if bytes.Compare(last.End, r.End) < 0 {
				a.mu.conflictBytes += len(r.End) - len(last.End)
				last.End = r.End
			}
			return list
		}
	}
	a.mu.conflictBytes += len(r.Begin) + len(r.End)
	switch n := len(list); {
	case n < cap(list) || n >= someConflicts:
	case n == 0:
		list = make([]wire.KeyRange, 0, firstConflicts)
	default:
		list = append(make([]wire.KeyRange, 0, someConflicts), list...)
	}
	return append(list, r)
}

// startScan registers a scan, whose bounds its range read moves under the
// attempt's lock as it shows rows.
func (a *attempt) startScan(s *scan) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.usableLocked(); err != nil {
		return err
	}
	a.mu.scans = append(a.mu.scans, s)
	return nil
}

// finishScanLocked makes the read conflicts of a scan that goes no further. One that
// is never finished, since its iteration was abandoned, is made up for at the
// commit.
func (a *attempt) finishScanLocked(s *scan) {
	i := slices.Index(a.mu.scans, s)
	if i < 0 || a.mu.ended != nil {
		return
	}
	a.mu.scans = slices.Delete(a.mu.scans, i, i+1)
	var space [1]wire.KeyRange
	for _, r := range s.ranges(space[:0], &a.mu.arena) {
		a.addReadConflictLocked(r)
	}
}

// ranges appends the read conflicts of s to out: what it saw of stored keys,
// without those that own writes determine. Keys that it makes come from mem.
func (s *scan) ranges(out []wire.KeyRange, mem *arena) []wire.KeyRange {
	r := wire.KeyRange{Begin: s.lower, End: s.upper}
	if s.through {
		r.End = mem.singleKey(s.upper).End
	}
	return dependencies(out, s.view, r)
}

// dependencies appends to out the parts of r whose content depends on what is
// stored: all of it without own writes, otherwise what they left unmodified or
// dependent.
func dependencies(out []wire.KeyRange, view *writeView, r wire.KeyRange) []wire.KeyRange {
	if r.Empty() {
		return out
	}
	if view == nil {
		return append(out, r)
	}
	w := newWalker(view, r.Begin, r.End, false)
	for s, ok := w.next(); ok; s, ok = w.next() {
		if s.state != unmodified && s.state != dependent {
			continue
		}
		part := wire.KeyRange{Begin: s.begin(), End: s.upper}
		if s.entry != nil {
			part = wire.SingleKey(s.entry.key)
		}
		if n := len(out); n > 0 && bytes.Equal(out[n-1].End, part.Begin) {
			out[n-1].End = part.End
		} else {
			out = append(out, part)
		}
	}
	return out
}

// takeReadConflictsLocked returns all read conflicts, for the commit.
func (a *attempt) takeReadConflictsLocked() []wire.KeyRange {
	out := a.mu.readConflicts
	if len(a.mu.scans) == 0 {
		return out
	}
	out = slices.Grow(out, len(a.mu.scans))
	for _, s := range a.mu.scans {
		out = s.ranges(out, &a.mu.arena)
	}
	return out
}

// takeWriteConflictsLocked returns all write conflicts, for a commit that reads
// at version read.
func (a *attempt) takeWriteConflictsLocked(read wire.Version) []wire.KeyRange {
	out := a.mu.writeConflicts
	for _, param := range a.mu.stampedKeys {
		out = append(out, stampedKeys(param, read))
	}
	return out
}

// mergeRanges returns the same keys as ranges that are in order and neither
// overlap nor touch.
func mergeRanges(ranges []wire.KeyRange) []wire.KeyRange {
	sorted := slices.Clone(ranges)
	slices.SortFunc(sorted, func(a, b wire.KeyRange) int { return bytes.Compare(a.Begin, b.Begin) })
	out := sorted[:0]
	for _, r := range sorted {
		if n := len(out); n > 0 && bytes.Compare(r.Begin, out[n-1].End) <= 0 {
			if bytes.Compare(out[n-1].End, r.End) < 0 {
				out[n-1].End = r.End
			}
			continue
		}
		out = append(out, r)
	}
	return out
}
