package workload

import (
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/plinthdb/plinth/kv"
)

// timeline knows which number a store had at which version, from acknowledged
// writes and from reads, the newest of each. Numbers grow with versions.
type timeline struct {
	mu struct {
		sync.Mutex
		writes, reads ring
		// first is the version of the earliest moment, however long ago.
		first kv.Version
	}
}

// moment is a number at a version: from then on (a write), or just then (a
// read).
type moment struct {
	version kv.Version
	number  uint64
}

// ringMoments is how many moments of a kind are remembered.
const ringMoments = 128

// ring holds the newest moments.
type ring struct {
	moments [ringMoments]moment
	added   int
}

func (r *ring) add(m moment) {
	r.moments[r.added%ringMoments] = m
	r.added++
}

func (r *ring) all() []moment { return r.moments[:min(r.added, ringMoments)] }

// wrote adds an acknowledged write. It returns a text if that contradicts what
// is known.
func (t *timeline) wrote(version kv.Version, number uint64) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.mu.reads.all() {
		if (version <= r.version) != (number <= r.number) {
			return fmt.Sprintf("number %d was written at version %d, a read at version %d found %d", number, version, r.version, r.number)
		}
	}
	for _, w := range t.mu.writes.all() {
		if (version <= w.version) != (number <= w.number) {
			return fmt.Sprintf("number %d was written at version %d, number %d at version %d", number, version, w.number, w.version)
		}
	}
	t.mu.writes.add(moment{version, number})
	t.beginLocked(version)
	return ""
}

// read adds a read, as wrote does.
func (t *timeline) read(version kv.Version, number uint64) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, w := range t.mu.writes.all() {
		if (w.version <= version) != (w.number <= number) {
			return fmt.Sprintf("a read at version %d found number %d; number %d was written at version %d", version, number, w.number, w.version)
		}
	}
	for _, r := range t.mu.reads.all() {
		if version < r.version && number > r.number || version > r.version && number < r.number || version == r.version && number != r.number {
			return fmt.Sprintf("a read at version %d found number %d, one at version %d found %d", version, number, r.version, r.number)
		}
	}
	t.mu.reads.add(moment{version, number})
	t.beginLocked(version)
	return ""
}

func (t *timeline) beginLocked(version kv.Version) {
	if t.mu.first == 0 || version < t.mu.first {
		t.mu.first = version
	}
}

// pick returns a version that something happened at, or one next to it, but
// none before the first of all: then the counters may not have been there yet.
func (t *timeline) pick(rng *rand.Rand) (version kv.Version, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	moments := t.mu.writes.all()
	if reads := t.mu.reads.all(); len(moments) == 0 || len(reads) > 0 && rng.IntN(3) == 0 {
		moments = reads
	}
	if len(moments) == 0 {
		return 0, false
	}
	version = moments[rng.IntN(len(moments))].version + kv.Version(rng.IntN(3)-1)
	return max(version, t.mu.first), true
}
