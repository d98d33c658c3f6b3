package resolver

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/invariants"
	"github.com/plinthdb/plinth/internal/wire"
)

// model is the conflict set as its definition has it: a list of all writes.
type model struct {
	floor  wire.Version
	writes []modelWrite
}

type modelWrite struct {
	keys    wire.KeyRange
	version wire.Version
}

// decide returns the verdict on one transaction at version and the read ranges
// that conflict.
func (m *model) decide(version wire.Version, t *wire.ResolveTransaction) (wire.Verdict, []int) {
	var indexes []int
	reads := false
	for i, read := range t.ReadConflicts {
		if read.Empty() {
			continue
		}
		reads = true
		conflict := t.ReadVersion >= version
		for _, w := range m.writes {
			conflict = conflict || w.version > t.ReadVersion && w.keys.Overlaps(read)
		}
		if conflict {
			indexes = append(indexes, i)
		}
	}
	switch {
	case reads && t.ReadVersion < m.floor:
		return wire.TooOld, nil
	case len(indexes) > 0:
		return wire.Conflict, indexes
	}
	return wire.Committed, nil
}

// raise moves the floor as a batch at version does.
func (m *model) raise(version wire.Version) {
	m.floor = max(m.floor, version-wire.WindowVersions)
	m.writes = slices.DeleteFunc(m.writes, func(w modelWrite) bool { return w.version <= m.floor })
}

func (m *model) commit(version wire.Version, t *wire.ResolveTransaction) {
	for _, w := range t.WriteConflicts {
		if !w.Empty() {
			m.writes = append(m.writes, modelWrite{w, version})
		}
	}
}

// compare decides a batch with both and describes the first difference. With
// a memory limit that has been reached, and only then, the set may call a
// transaction too old that the model does not; nothing else.
func compare(s *ConflictSet, m *model, version wire.Version, batch []wire.ResolveTransaction) error {
	verdicts, conflicting := s.Decide(version, batch)
	m.raise(version)
	for i := range batch {
		t := &batch[i]
		want, indexes := m.decide(version, t)
		got := verdicts[i]
		early := got == wire.TooOld && s.floorRaises > 0 && t.ReadVersion < s.Floor()
		if got != want && !early {
			return fmt.Errorf("version %d, transaction %d %v: verdict %d, want %d", version, i, *t, got, want)
		}
		if got == wire.Conflict && t.ReportConflicts && !slices.Equal(conflicting[i], indexes) {
			return fmt.Errorf("version %d, transaction %d %v: conflicting %v, want %v", version, i, *t, conflicting[i], indexes)
		}
		if got == wire.Committed {
			m.commit(version, t)
		}
	}
	if s.floorRaises == 0 && s.Floor() != m.floor {
		return fmt.Errorf("version %d: floor %d, want %d", version, s.Floor(), m.floor)
	}
	return s.verify()
}

// verify checks the invariants R4 to R6 on everything that the set holds.
func (s *ConflictSet) verify() error {
	var sealed int64
	for i, g := range s.segments {
		if i > 0 && s.segments[i-1].max > g.base+1 {
			return fmt.Errorf("R4: segment from %d begins before %d", g.base+1, s.segments[i-1].max)
		}
		last := i == len(s.segments)-1
		if g.sealed == last {
			return fmt.Errorf("R4: segment %d of %d: sealed is %v", i, len(s.segments), g.sealed)
		}
		if !last {
			sealed += g.bytes()
		}
		if err := g.verify(); err != nil {
			return err
		}
	}
	if sealed != s.sealedBytes {
		return fmt.Errorf("sealed segments have %d bytes, counted %d", sealed, s.sealedBytes)
	}
	return nil
}

func (g *segment) verify() error {
	lists := [][]step{g.head.steps}
	for i, u := range g.runs {
		lists = append(lists, u.steps)
		if i > 0 && len(g.runs[i-1].steps) < 2*len(u.steps) && !g.sealed {
			return fmt.Errorf("R5: run of %d steps behind one of %d", len(u.steps), len(g.runs[i-1].steps))
		}
	}
	for _, steps := range lists {
		for j, st := range steps {
			if st.after > st.at {
				return fmt.Errorf("R6: step with %d at and %d after", st.at, st.after)
			}
			if j > 0 && compareSteps(&steps[j-1], &steps[j], &g.keys) >= 0 {
				return fmt.Errorf("steps out of order")
			}
		}
	}
	return nil
}

// smallTuning divides even a handful of writes into segments and runs.
func smallTuning(headSteps, segmentSteps int) tuning {
	return tuning{
		limitBytes: 1 << 40, segmentBytes: 1 << 30,
		segmentVersions: wire.WindowVersions / 8, maxSegmentVersions: wire.WindowVersions / 3,
		segmentSteps: segmentSteps, headSteps: headSteps,
	}
}

// workload makes random batches.
type workload struct {
	intn     func(n int) int
	alphabet string
	maxLen   int
	prefix   string
	// pointsOf10 of ten conflict ranges are single keys.
	pointsOf10 int
	// Versions are multiples of quantum, so that floors meet writes.
	quantum, maxStep, maxLag int
}

func (w *workload) key() []byte {
	key := []byte(w.prefix)
	for range w.intn(w.maxLen + 1) {
		key = append(key, w.alphabet[w.intn(len(w.alphabet))])
	}
	return key
}

// keyRange draws a single key, or two keys in any order: adjacent, empty and
// inverted ranges come up by themselves.
func (w *workload) keyRange() wire.KeyRange {
	if w.intn(10) < w.pointsOf10 {
		return wire.SingleKey(w.key())
	}
	a, b := w.key(), w.key()
	if string(a) > string(b) && w.intn(20) > 0 {
		a, b = b, a
	}
	return wire.KeyRange{Begin: a, End: b}
}

func (w *workload) ranges(limit int) []wire.KeyRange {
	ranges := make([]wire.KeyRange, w.intn(limit+1))
	for i := range ranges {
		ranges[i] = w.keyRange()
	}
	return ranges
}

// next returns the version of the batch after the one at version.
func (w *workload) next(version wire.Version) wire.Version {
	return version + wire.Version(w.quantum*(1+w.intn(w.maxStep)))
}

// readVersion draws one around the edge of the window or anywhere.
func (w *workload) readVersion(version wire.Version) wire.Version {
	if w.intn(4) == 0 {
		return version - wire.WindowVersions + wire.Version(w.intn(3)-1)
	}
	return version - wire.Version(w.quantum*w.intn(w.maxLag))
}

func (w *workload) batch(version wire.Version) []wire.ResolveTransaction {
	batch := make([]wire.ResolveTransaction, w.intn(6))
	for i := range batch {
		batch[i] = wire.ResolveTransaction{
			ReadVersion:     w.readVersion(version),
			ReadConflicts:   w.ranges(3),
			WriteConflicts:  w.ranges(3),
			ReportConflicts: w.intn(2) == 0,
		}
	}
	return batch
}

func TestConflictSetAnswersAsTheModelDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &workload{
			intn:       func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "n") },
			alphabet:   rapid.SampledFrom([]string{"\x00", "\x00a", "ab\xff", "\x00\x01\xfe\xff"}).Draw(t, "alphabet"),
			maxLen:     rapid.IntRange(1, 4).Draw(t, "maxLen"),
			prefix:     rapid.SampledFrom([]string{"", "sameprefix"}).Draw(t, "prefix"),
			pointsOf10: rapid.SampledFrom([]int{0, 5, 9}).Draw(t, "pointsOf10"),
			quantum:    rapid.SampledFrom([]int{1, 100_000}).Draw(t, "quantum"),
			maxStep:    8, maxLag: 60,
		}
		floor := wire.Version(rapid.Int64Range(0, 1<<40).Draw(t, "floor"))
		s := newConflictSet(floor, smallTuning(rapid.IntRange(4, 8).Draw(t, "head"), rapid.IntRange(0, 16).Draw(t, "segment")))
		m := &model{floor: floor}
		version := floor
		for range rapid.IntRange(1, 40).Draw(t, "batches") {
			version = w.next(version)
			if err := compare(s, m, version, w.batch(version)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// randomRun compares set and model over batches drawn from a seed, and returns
// the number of conflict ranges.
func randomRun(t *testing.T, seed uint64, batches int, tune func(rng *rand.Rand) tuning) (ranges int, s *ConflictSet) {
	rng := rand.New(rand.NewPCG(seed, 0))
	w := &workload{
		intn:       rng.IntN,
		alphabet:   []string{"\x00", "\x00a", "abc", "\x00\x01\xfe\xff", "abcdefghijklmnop"}[rng.IntN(5)],
		maxLen:     1 + rng.IntN(5),
		prefix:     []string{"", "a", "sameprefix"}[rng.IntN(3)],
		pointsOf10: []int{0, 5, 9, 10}[rng.IntN(4)],
		quantum:    []int{1, 1000, 100_000, 500_000}[rng.IntN(4)],
		maxStep:    1 + rng.IntN(10),
		maxLag:     1 + rng.IntN(70),
	}
	version := wire.Version(rng.Int64N(1 << 40))
	s = newConflictSet(version, tune(rng))
	m := &model{floor: version}
	for range batches {
		version = w.next(version)
		batch := w.batch(version)
		for i := range batch {
			ranges += len(batch[i].ReadConflicts) + len(batch[i].WriteConflicts)
		}
		if err := compare(s, m, version, batch); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	return ranges, s
}

func TestConflictSetIsExactOverMillionsOfRandomRanges(t *testing.T) {
	target, total := 2_000_000, 0
	if invariants.Enabled {
		target /= 10 // the race detector is slow, and the seeds are the same
	}
	for seed := uint64(1); total < target; seed++ {
		n, _ := randomRun(t, seed, 200, func(rng *rand.Rand) tuning {
			return smallTuning(4+rng.IntN(40), rng.IntN(200))
		})
		total += n
	}
}

func TestConflictSetAtItsMemoryLimitOnlyRaisesTheFloor(t *testing.T) {
	total, raises := 0, uint64(0)
	for seed := uint64(1); total < 200_000; seed++ {
		n, s := randomRun(t, seed, 200, func(rng *rand.Rand) tuning {
			small := smallTuning(4+rng.IntN(20), rng.IntN(50))
			// One chunk of keys is a full segment, and a few fit.
			small.segmentBytes = chunkBytes / 2
			small.limitBytes = int64(6+rng.IntN(10)) * chunkBytes
			return small
		})
		total += n
		raises += s.floorRaises
	}
	if raises == 0 {
		t.Fatal("the memory limit was never reached")
	}
}

// TestMemoryStaysWithinTheLimit (R8) writes several times what fits.
func TestMemoryStaysWithinTheLimit(t *testing.T) {
	for name, w := range map[string]*workload{
		"points":     {alphabet: "abcdefghijklmnop", maxLen: 12, pointsOf10: 10},
		"ranges":     {alphabet: "abcdefghijklmnop", maxLen: 12, pointsOf10: 0},
		"large keys": {alphabet: "abcdefghijklmnop", maxLen: 12, pointsOf10: 5, prefix: string(make([]byte, wire.MaxKeyBytes))},
		"beyond any": {alphabet: "abcdefghijklmnop", maxLen: 12, pointsOf10: 5, prefix: string(make([]byte, 3*chunkBytes))},
	} {
		t.Run(name, func(t *testing.T) {
			w.intn = rand.New(rand.NewPCG(3, 4)).IntN
			s := NewConflictSet(0, MinLimitBytes)
			keyBytes := len(w.prefix) + 20
			writes := int(3 * MinLimitBytes / keyBytes)
			if testing.Short() {
				writes /= 2
			}
			for version := wire.Version(1); writes > 0; version++ {
				batch := []wire.ResolveTransaction{{WriteConflicts: w.ranges(500)}}
				writes -= len(batch[0].WriteConflicts)
				s.Decide(version, batch)
				if st := s.Stats(); st.Bytes > st.LimitBytes {
					t.Fatalf("version %d: %d bytes in use, the limit is %d", version, st.Bytes, st.LimitBytes)
				}
			}
			if s.floorRaises == 0 {
				t.Fatal("the limit was not reached")
			}
		})
	}
}
