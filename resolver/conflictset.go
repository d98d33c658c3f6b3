package resolver

import (
	"hash/maphash"

	"github.com/plinthdb/plinth/internal/invariants"
	"github.com/plinthdb/plinth/internal/wire"
)

// DefaultLimitBytes is the memory that a ConflictSet may use unless told
// otherwise: room for about 4,500,000 point writes of 16-byte keys, what
// 900,000 a second leave in the window.
const DefaultLimitBytes = 256 << 20

// MinLimitBytes is the least limit: below it the floor would follow the
// newest version too closely for anybody to commit.
const MinLimitBytes = 8 << 20

// ConflictSet knows the newest write version of every key over the last
// wire.WindowVersions versions and decides batches of transactions by it. It
// is a pure data structure: no I/O, no goroutine, no clock. It must not be
// used concurrently.
type ConflictSet struct {
	tuning tuning
	seed   maphash.Seed
	// floor is the oldest read version that can still be decided (R2).
	floor wire.Version
	// newest is the version of the last batch.
	newest wire.Version
	// segments are in the order of their versions; the last is written to.
	segments []*segment
	// sealedBytes is the memory of all segments but the last.
	sealedBytes int64
	// points holds the point writes of the last segment.
	points pointTable
	pool   stepPool
	// spare is an empty segment, kept for reuse.
	spare *segment
	// shortener suits the keys of the segment that was sealed last.
	shortener *shortener

	floorRaises uint64
}

// tuning holds the sizes that decide how writes are divided. Tests make them
// small.
type tuning struct {
	limitBytes int64
	// A segment ends when its memory reaches segmentBytes, or when it covers
	// segmentVersions and has at least segmentSteps, or at the latest when it
	// covers maxSegmentVersions.
	segmentBytes                        int64
	segmentVersions, maxSegmentVersions wire.Version
	segmentSteps                        int
	headSteps                           int
}

// The parts of a window or of the memory limit that one segment takes. More
// parts mean finer expiry and shorter merges, and more places to look for a
// transaction with an old read version.
const (
	windowParts    = 32
	maxWindowParts = 4
	limitParts     = 48
)

func tuningFor(limitBytes int64) tuning {
	limitBytes = max(limitBytes, MinLimitBytes)
	return tuning{
		limitBytes:         limitBytes,
		segmentBytes:       min(limitBytes/limitParts, 1<<30),
		segmentVersions:    wire.WindowVersions / windowParts,
		maxSegmentVersions: wire.WindowVersions / maxWindowParts,
		segmentSteps:       8192,
		headSteps:          128,
	}
}

// NewConflictSet returns an empty conflict set whose floor is the given one:
// what was written up to it is unknown. limitBytes bounds its memory; 0 means
// DefaultLimitBytes, and less than MinLimitBytes means that.
func NewConflictSet(floor wire.Version, limitBytes int64) *ConflictSet {
	if limitBytes == 0 {
		limitBytes = DefaultLimitBytes
	}
	return newConflictSet(floor, tuningFor(limitBytes))
}

func newConflictSet(floor wire.Version, t tuning) *ConflictSet {
	return &ConflictSet{
		tuning: t, seed: maphash.MakeSeed(), floor: floor, newest: floor,
		shortener: &shortener{}, pool: stepPool{maxSteps: int(t.segmentBytes / stepBytes)},
	}
}

// Floor returns the oldest read version that is not too old.
func (s *ConflictSet) Floor() wire.Version { return s.floor }

// Decide decides a batch of transactions, in their order, at version, which
// must be greater than that of any batch before; it adds the writes of the
// committed ones. The verdicts are in the order of the batch. conflicting is
// nil unless a transaction that asked for it has a conflict, see
// wire.ResolveReply.
//
// The batch is not kept: its slices may be reused afterwards.
func (s *ConflictSet) Decide(version wire.Version, batch []wire.ResolveTransaction) (verdicts []wire.Verdict, conflicting [][]int) {
	invariants.Assert(version > s.newest, "R1: batch at version %d after one at %d", version, s.newest)
	s.newest = version
	s.expire(version - wire.WindowVersions)
	s.tidy()
	verdicts = make([]wire.Verdict, len(batch))
	for i := range batch {
		t := &batch[i]
		verdicts[i] = s.check(version, t)
		switch {
		case verdicts[i] == wire.Committed:
			s.add(version, t.WriteConflicts)
		case verdicts[i] == wire.Conflict && t.ReportConflicts:
			if conflicting == nil {
				conflicting = make([][]int, len(batch))
			}
			conflicting[i] = s.conflicts(version, t)
		}
	}
	return verdicts, conflicting
}

// check decides one transaction without recording it.
func (s *ConflictSet) check(version wire.Version, t *wire.ResolveTransaction) wire.Verdict {
	if t.ReadVersion < s.floor {
		for i := range t.ReadConflicts {
			if !t.ReadConflicts[i].Empty() {
				return wire.TooOld
			}
		}
		return wire.Committed
	}
	for i := range t.ReadConflicts {
		if s.writtenAfter(version, &t.ReadConflicts[i], t.ReadVersion) {
			return wire.Conflict
		}
	}
	return wire.Committed
}

// conflicts returns the indexes of the read ranges of t that conflict.
func (s *ConflictSet) conflicts(version wire.Version, t *wire.ResolveTransaction) []int {
	var indexes []int
	for i := range t.ReadConflicts {
		if s.writtenAfter(version, &t.ReadConflicts[i], t.ReadVersion) {
			indexes = append(indexes, i)
		}
	}
	return indexes
}

// writtenAfter reports whether a transaction in the batch at version that read
// the range at r conflicts there.
func (s *ConflictSet) writtenAfter(version wire.Version, read *wire.KeyRange, r wire.Version) bool {
	if read.IsSingleKey() {
		return r >= version || s.pointWrittenAfter(read.Begin, r)
	}
	if read.Empty() {
		return false
	}
	return r >= version || s.rangeWrittenAfter(read, r)
}

func (s *ConflictSet) pointWrittenAfter(key []byte, r wire.Version) bool {
	last := len(s.segments) - 1
	if last < 0 || s.segments[last].max <= r {
		return false
	}
	p, hash := probe{key: key}, s.hash(key)
	for i := last; i >= 0 && s.segments[i].max > r; i-- {
		if s.segments[i].pointWrittenAfter(&s.points, hash, &p, r) {
			return true
		}
	}
	return false
}

func (s *ConflictSet) rangeWrittenAfter(read *wire.KeyRange, r wire.Version) bool {
	begin, end := probe{key: read.Begin}, probe{key: read.End}
	for i := len(s.segments) - 1; i >= 0 && s.segments[i].max > r; i-- {
		if s.segments[i].rangeWrittenAfter(&begin, &end, r) {
			return true
		}
	}
	return false
}

func (s *ConflictSet) hash(key []byte) uint32 { return uint32(maphash.Bytes(s.seed, key)) }

// add records writes at version.
func (s *ConflictSet) add(version wire.Version, writes []wire.KeyRange) {
	for i := range writes {
		w := &writes[i]
		switch {
		case w.IsSingleKey():
			p := probe{key: w.Begin}
			s.writable(version).addPoint(&s.points, s.hash(w.Begin), &p, version)
		case !w.Empty():
			begin, end := probe{key: w.Begin}, probe{key: w.End}
			s.writable(version).addRange(&begin, &end, version)
		}
	}
}
