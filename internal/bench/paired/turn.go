package paired

import (
	"sync/atomic"
	"time"

	"github.com/plinthdb/plinth/internal/usage"
)

// leastPieces is how many pieces a turn has on average for each that was begun in
// the turn before, at least.
const leastPieces = 6

// leastShareOfTurn is by how much the part of a turn that is measured exceeds
// the part that is not, at least.
const leastShareOfTurn = 4

// turn is a part of the time in which clients begin work of one kind. Whoever
// does its last piece ends it on the spot, and begins the next one: nothing waits
// for a timer, nor for a goroutine that watches.
type turn struct {
	kind int
	// It is measured from the end of piece skip on to that of piece limit, which
	// ends it; 0: it goes on until somebody ends it.
	skip, limit int64
	next        *turn
	last        chan struct{} // closed at the end, nil if nobody waits for it

	done       atomic.Int64
	start, end atomic.Pointer[reading]
}

// reading is the clock and the processor time of this process.
type reading struct {
	at  time.Time
	cpu time.Duration
}

func read() *reading { return &reading{time.Now(), usage.CPUTime()} }

// openTurn begins a turn without an end.
func openTurn(kind int) *turn {
	t := &turn{kind: kind}
	t.start.Store(read())
	return t
}

// count counts a piece of work that was done. It reports true if that was the
// last one.
func (t *turn) count() (over bool) {
	switch t.done.Add(1) {
	case t.skip:
		t.start.Store(read())
	case t.limit:
		t.end.Store(read())
		return true
	}
	return false
}

// took returns how long what is measured of the turn took, and its processor
// time. The former is 0 or less if one of the readings was late.
func (t *turn) took() (took, cpu time.Duration) {
	start, end := t.start.Load(), t.end.Load()
	if start == nil || end == nil {
		return 0, 0
	}
	return end.at.Sub(start.at), end.cpu - start.cpu
}
