package resolver

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/btree"

	"github.com/plinthdb/plinth/internal/wire"
)

// reference is the interval map on a B-tree that the architecture names: the
// plain way to build a conflict set. Benchmarks measure against it.
type reference struct {
	tree  *btree.BTreeG[boundary]
	floor wire.Version
	// sweep is where the next batch goes on removing what has expired.
	sweep []byte
}

// boundary says that the keys from key to the next boundary were last written
// at version.
type boundary struct {
	key     []byte
	version wire.Version
}

func newReference(floor wire.Version) *reference {
	return &reference{floor: floor, tree: btree.NewG(32, func(a, b boundary) bool { return bytes.Compare(a.key, b.key) < 0 })}
}

func (s *reference) Decide(version wire.Version, batch []wire.ResolveTransaction) []wire.Verdict {
	s.floor = max(s.floor, version-wire.WindowVersions)
	verdicts := make([]wire.Verdict, len(batch))
	writes := 0
	for i := range batch {
		t := &batch[i]
		verdicts[i] = s.check(t)
		if verdicts[i] == wire.Committed {
			for _, w := range t.WriteConflicts {
				s.add(w, version)
				writes++
			}
		}
	}
	s.expire(4*writes + 16)
	return verdicts
}

func (s *reference) check(t *wire.ResolveTransaction) wire.Verdict {
	if len(t.ReadConflicts) > 0 && t.ReadVersion < s.floor {
		return wire.TooOld
	}
	for _, r := range t.ReadConflicts {
		if s.at(r.Begin) > t.ReadVersion {
			return wire.Conflict
		}
		conflict := false
		s.tree.AscendRange(boundary{key: r.Begin}, boundary{key: r.End}, func(b boundary) bool {
			conflict = b.version > t.ReadVersion
			return !conflict
		})
		if conflict {
			return wire.Conflict
		}
	}
	return wire.Committed
}

func (s *reference) at(key []byte) (v wire.Version) {
	s.tree.DescendLessOrEqual(boundary{key: key}, func(b boundary) bool {
		v = b.version
		return false
	})
	return v
}

func (s *reference) add(w wire.KeyRange, version wire.Version) {
	old := s.at(w.End)
	var inside [][]byte
	s.tree.AscendRange(boundary{key: w.Begin}, boundary{key: w.End}, func(b boundary) bool {
		inside = append(inside, b.key)
		return true
	})
	for _, key := range inside {
		s.tree.Delete(boundary{key: key})
	}
	s.tree.ReplaceOrInsert(boundary{bytes.Clone(w.Begin), version})
	s.tree.ReplaceOrInsert(boundary{bytes.Clone(w.End), old})
}

// expire visits a number of boundaries and removes those that no longer tell
// anything: both they and the one before are below the floor.
func (s *reference) expire(budget int) {
	var gone []boundary
	before := wire.MaxVersion
	next := []byte(nil)
	s.tree.AscendGreaterOrEqual(boundary{key: s.sweep}, func(b boundary) bool {
		if budget--; budget < 0 {
			next = b.key
			return false
		}
		if before <= s.floor && b.version <= s.floor {
			gone = append(gone, b)
		}
		before = b.version
		return true
	})
	for _, b := range gone {
		s.tree.Delete(b)
	}
	s.sweep = next
}

func TestTheReferenceDecidesAsTheConflictSetDoes(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		w := &workload{intn: rng.IntN, alphabet: "abc", maxLen: 3, pointsOf10: 8, quantum: 100_000, maxStep: 3, maxLag: 49}
		reference, s := newReference(0), NewConflictSet(0, 0)
		for version, i := w.next(0), 0; i < 300; version, i = w.next(version), i+1 {
			batch := w.batch(version)
			for j := range batch { // the reference does not know bad input
				batch[j].ReadVersion = min(batch[j].ReadVersion, version-1)
				batch[j].ReadConflicts = slices.DeleteFunc(batch[j].ReadConflicts, wire.KeyRange.Empty)
				batch[j].WriteConflicts = slices.DeleteFunc(batch[j].WriteConflicts, wire.KeyRange.Empty)
			}
			want, _ := s.Decide(version, batch)
			if got := reference.Decide(version, batch); !slices.Equal(got, want) {
				t.Fatalf("seed %d, version %d: the reference says %v, the set %v", seed, version, got, want)
			}
		}
	}
}
