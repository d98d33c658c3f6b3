package sequencer

import (
	"github.com/plinthdb/plinth/internal/invariants"
	"github.com/plinthdb/plinth/internal/wire"
)

// Allocator is the pure core: it decides which version comes next. It is not
// safe for concurrent use.
type Allocator struct {
	last      wire.Version
	committed wire.Version
	// lastMicros is the clock reading at which last was handed out.
	lastMicros int64
}

// NewAllocator returns an allocator whose chain starts at floor, which counts
// as committed. nowMicros is a reading of a clock that counts microseconds.
func NewAllocator(floor wire.Version, nowMicros int64) *Allocator {
	return &Allocator{last: floor, committed: floor, lastMicros: nowMicros}
}

// Next hands out the next version, with the one before it. With ok false no
// version may be handed out until a later one is reported committed (S3).
//
// A clock that stands still or goes back costs nothing but density: the next
// version is then the last one plus 1.
func (a *Allocator) Next(nowMicros int64) (prev, version wire.Version, ok bool) {
	limit := a.committed + wire.WindowVersions
	if a.last >= limit {
		return 0, 0, false
	}
	step := wire.Version(nowMicros - a.lastMicros)
	step = max(1, min(step, wire.MaxVersionStep, limit-a.last))
	prev, version = a.last, a.last+step
	if invariants.Enabled {
		invariants.Assert(version > prev && version-prev <= wire.MaxVersionStep, "S2: version %d after %d", version, prev)
		invariants.Assert(version <= limit, "S3: version %d with %d committed", version, a.committed)
	}
	a.last, a.lastMicros = version, nowMicros
	return prev, version, true
}

// Commit notes that version, and with it every earlier one, is durable on
// every log group. It reports whether that is news.
func (a *Allocator) Commit(version wire.Version) bool {
	if invariants.Enabled {
		invariants.Assert(version <= a.last, "S1: version %d committed, %d handed out", version, a.last)
	}
	if version <= a.committed {
		return false
	}
	a.committed = version
	return true
}

// Committed returns the highest version known to be durable.
func (a *Allocator) Committed() wire.Version { return a.committed }

// Last returns the version handed out last.
func (a *Allocator) Last() wire.Version { return a.last }
