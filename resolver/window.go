package resolver

import (
	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wire"
)

// writable returns the segment that takes the next write, at version, with
// room for it in its head.
func (s *ConflictSet) writable(version wire.Version) *segment {
	if len(s.segments) == 0 {
		return s.begin(version)
	}
	g := s.segments[len(s.segments)-1]
	if n := len(g.head.steps); n+2 > s.tuning.headSteps || n > 0 && fault.Point("resolver.head.flushEarly") {
		g.flush(&s.pool)
	}
	if s.full(g, version) {
		g.seal(&s.points, &s.pool)
		s.sealedBytes += g.bytes()
		s.shortener = s.shortener.learn(g.runs[0].steps, &g.keys)
		g = s.begin(version)
	}
	return g
}

// full reports whether a write at version belongs into a new segment.
func (s *ConflictSet) full(g *segment, version wire.Version) bool {
	span := version - g.base
	return span > s.tuning.maxSegmentVersions ||
		g.keys.usedBytes()+g.stepsBytes+s.points.usedBytes() >= s.tuning.segmentBytes ||
		span > s.tuning.segmentVersions && g.steps() >= s.tuning.segmentSteps ||
		g.steps() > 0 && fault.Point("resolver.segment.sealEarly")
}

// begin appends a segment for writes from version on. Every other segment is
// sealed by now.
func (s *ConflictSet) begin(version wire.Version) *segment {
	s.makeRoom()
	g := s.spare
	s.spare = nil
	if g == nil {
		g = &segment{}
		g.head.steps = make([]step, 0, s.tuning.headSteps)
		g.stepsBytes = int64(s.tuning.headSteps) * stepBytes
	}
	g.base, g.max, g.shortener = version-1, version-1, s.shortener
	s.points.reset()
	s.segments = append(s.segments, g)
	return g
}

// makeRoom drops the oldest segments until a new one fits into the memory
// limit. What they held is forgotten, so the floor rises to it (R3).
//
// A new segment grows by segmentBytes and as much again while it merges. The
// spare segment does not count: it becomes the new one, and whatever is spare
// later comes out of sealedBytes.
func (s *ConflictSet) makeRoom() {
	room := s.tuning.limitBytes - s.pool.limitBytes() - 2*s.tuning.segmentBytes
	early := len(s.segments) > 1 && fault.Point("resolver.window.forgetEarly")
	for ; len(s.segments) > 0 && (s.sealedBytes > room || early); early = false {
		s.floorRaises++
		s.floor = max(s.floor, s.segments[0].max)
		s.sealedBytes -= s.segments[0].bytes()
		s.drop()
	}
}

// expire raises the floor to at least floor and drops the segments that no
// transaction above it needs.
func (s *ConflictSet) expire(floor wire.Version) {
	s.floor = max(s.floor, floor)
	for len(s.segments) > 0 && s.segments[0].max <= s.floor {
		if len(s.segments) > 1 {
			s.sealedBytes -= s.segments[0].bytes()
		}
		s.drop()
	}
}

// drop forgets the oldest segment.
func (s *ConflictSet) drop() {
	g := s.segments[0]
	n := copy(s.segments, s.segments[1:])
	s.segments[n] = nil
	s.segments = s.segments[:n]
	for i := range g.runs {
		s.pool.put(g.runs[i].steps)
	}
	g.reset()
	s.spare = g
}

// tidy merges two runs of a segment that is no longer written to, so that a
// look at an old segment becomes a look at one run. One merge a batch keeps
// the pauses short.
func (s *ConflictSet) tidy() {
	if fault.Point("resolver.tidy.later") {
		return
	}
	for i := len(s.segments) - 2; i >= 0; i-- {
		g := s.segments[i]
		if len(g.runs) < 2 {
			continue
		}
		s.sealedBytes -= g.bytes()
		g.mergeLast(&s.pool)
		s.sealedBytes += g.bytes()
		return
	}
}

// bytes is the memory in use, spare memory included.
func (s *ConflictSet) bytes() int64 {
	n := s.sealedBytes + s.pool.bytes + s.points.bytes()
	if s.spare != nil {
		n += s.spare.bytes()
	}
	if len(s.segments) > 0 {
		n += s.segments[len(s.segments)-1].bytes()
	}
	return n
}

// SetStats says what a ConflictSet holds.
type SetStats struct {
	// Floor is the oldest read version that is not too old, Newest the version
	// of the last batch.
	Floor  wire.Version `json:"floor"`
	Newest wire.Version `json:"newest"`
	// Entries counts the places where the newest write version changes, in all
	// segments: a point write is one, a range write two, a key written in
	// several segments counts in each.
	Entries int `json:"entries"`
	// Bytes is the memory in use, LimitBytes what it may grow to.
	Bytes      int64 `json:"bytes"`
	LimitBytes int64 `json:"limit_bytes"`
	// Segments counts the parts that the window is divided in.
	Segments int `json:"segments"`
	// FloorRaises counts how often the memory limit made the floor rise early.
	FloorRaises uint64 `json:"floor_raises"`
}

// Stats returns what the set holds now.
func (s *ConflictSet) Stats() SetStats {
	st := SetStats{
		Floor: s.floor, Newest: s.newest,
		Bytes: s.bytes(), LimitBytes: s.tuning.limitBytes,
		Segments: len(s.segments), FloorRaises: s.floorRaises,
	}
	for _, g := range s.segments {
		st.Entries += g.steps()
	}
	return st
}
