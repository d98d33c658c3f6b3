package wal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/invariants"
)

// history is a random run of appends, syncs and drops, and what it was told.
type history struct {
	rng *rand.Rand
	// next is the index of the next record, acked the number of records that
	// were reported to be on disk, needed the lowest index that was not dropped.
	next   uint64
	acked  atomic.Uint64
	needed uint64
	// entries are the records appended since the log was opened.
	entries []entry
}

// run appends on l until it fails or the steps are done.
func (h *history) run(l *Log, steps int) error {
	for range steps {
		if err := h.step(l); err != nil {
			return err
		}
	}
	return nil
}

func (h *history) step(l *Log) error {
	var records []Record
	for range 1 + h.rng.IntN(3) {
		records = append(records, makeRecord(h.next+uint64(len(records))))
	}
	var done func(error)
	last := h.next + uint64(len(records))
	if h.rng.IntN(4) > 0 {
		done = func(err error) {
			if err == nil {
				h.acked.Store(last)
			}
		}
	}
	positions, err := l.Append(nil, records, done)
	if err != nil {
		return err
	}
	for i, p := range positions {
		h.entries = append(h.entries, entry{records[i], p})
	}
	h.next = last
	if h.rng.IntN(3) == 0 {
		if err := l.Sync(); err != nil {
			return err
		}
	}
	if h.rng.IntN(8) == 0 {
		keep := h.entries[h.rng.IntN(len(h.entries))]
		h.needed = max(h.needed, keep.record.Index)
		l.DropBefore(keep.position)
	}
	return nil
}

// check compares what a log replayed with what was promised, and goes on from
// there: what was never acknowledged may be there or not.
func (h *history) check(kept []entry) error {
	first, end := h.needed, h.needed
	if len(kept) > 0 {
		first = kept[0].record.Index
		end = first + uint64(len(kept))
	}
	switch acked := h.acked.Load(); {
	case first > h.needed:
		return fmt.Errorf("the log begins with index %d, %d was not dropped", first, h.needed)
	case end < acked:
		return fmt.Errorf("the log ends before index %d, everything below %d was acknowledged", end, acked)
	case end > h.next:
		return fmt.Errorf("the log ends before index %d, only %d records were appended", end, h.next)
	}
	if err := checkRun(kept, first); err != nil {
		return err
	}
	h.entries, h.next = kept, end
	h.acked.Store(end)
	return nil
}

// crasher is a file system that crashes at one operation: from then on it only
// fails, and after is what a restart finds.
type crasher struct {
	*faultFS
	after *vfs.MemFS
	count int
}

// newCrasher crashes at the given operation, counted from 1, keeping a share of
// what was not synced. A write that it crashes in is written in part.
func newCrasher(disk *vfs.MemFS, at, unsyncedPercent int, rng *rand.Rand) *crasher {
	own := rand.New(rand.NewPCG(rng.Uint64(), 0)) // for the log's goroutines
	c := &crasher{}
	c.faultFS = &faultFS{FS: disk}
	c.hook = func(op operation) (int, error) {
		c.count++
		switch {
		case c.count < at:
			return 0, nil
		case c.count > at:
			return 0, errCrashed
		}
		return own.IntN(op.bytes + 1), errCrashed
	}
	c.failed = func() {
		if c.after == nil {
			c.after = disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: unsyncedPercent, RNG: own})
		}
	}
	return c
}

func (c *crasher) crashed() *vfs.MemFS {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.after
}

func crashOptions(fs vfs.FS) Options {
	o := smallOptions(fs)
	o.Logger = discard()
	o.QueueLimitBytes = 8 << 10
	o.SegmentBytes = 10 << 10
	return o
}

// live opens the log, runs the history on it and closes it, as far as it gets.
func (h *history) live(fs vfs.FS, steps int) error {
	var kept []entry
	l, err := Open(collect(crashOptions(fs), &kept))
	if err != nil {
		return err
	}
	if err := h.check(kept); err != nil {
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	err = h.run(l, steps)
	if cerr := l.Close(); err == nil {
		err = cerr
	}
	return err
}

var errBroken = errors.New("a promise is broken")

// The crash at every operation of a history, then at every operation of the
// restart, then an undisturbed restart that must keep all promises and go on.
func TestACrashAtEveryOperationLosesNothingAcknowledged(t *testing.T) {
	for _, unsyncedPercent := range []int{0, 30, 70, 100} {
		t.Run(fmt.Sprintf("%d percent of what was not synced survives", unsyncedPercent), func(t *testing.T) {
			t.Parallel()
			crashes := 0
			for at, hit := 1, true; hit; at++ {
				hit = crashOnce(t, at, unsyncedPercent)
				crashes++
			}
			t.Logf("%d points to crash at", crashes)
			if crashes < 100 {
				t.Errorf("the history has only %d operations", crashes)
			}
		})
	}
}

// crashOnce reports whether the history came as far as the operation.
func crashOnce(t *testing.T, at, unsyncedPercent int) bool {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(at), uint64(unsyncedPercent)))
	h := &history{rng: rng}
	c := newCrasher(vfs.NewCrashableMem(), at, unsyncedPercent, rng)
	err := h.live(c, 80)
	disk := c.crashed()
	if disk == nil {
		if err != nil {
			t.Fatalf("without a crash: %v", err)
		}
		return false
	}
	if errors.Is(err, errBroken) || !errors.Is(err, errCrashed) {
		t.Fatalf("operation %d: %v", at, err)
	}
	// Every end of the restart comes up with some end of the life before.
	stride := 3
	if invariants.Enabled {
		stride = 21 // the race detector makes it slow
	}
	for again := 1 + at%stride; ; again += stride {
		r := newCrasher(disk.CrashClone(vfs.CrashCloneCfg{}), again, unsyncedPercent, rng)
		g := h.fork()
		err := g.live(r, 1)
		if errors.Is(err, errBroken) {
			t.Fatalf("operation %d, then %d of the restart: %v", at, again, err)
		}
		if r.crashed() == nil {
			if err != nil {
				t.Fatalf("operation %d: restart: %v", at, err)
			}
			return true
		}
		for range 2 {
			if err := g.live(r.crashed(), 5); err != nil {
				t.Fatalf("operation %d, then %d of the restart: second restart: %v", at, again, err)
			}
		}
	}
}

// fork returns a copy that goes on by itself.
func (h *history) fork() *history {
	g := &history{rng: h.rng, next: h.next, needed: h.needed}
	g.acked.Store(h.acked.Load())
	return g
}

// A long row of crashes on one disk, each at a random operation.
func TestManyCrashesInARowLoseNothingAcknowledged(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 3))
		h := &history{rng: rng}
		disk := vfs.NewCrashableMem()
		for range 30 {
			c := newCrasher(disk, 1+rng.IntN(60), rng.IntN(101), rng)
			err := h.live(c, 40)
			if errors.Is(err, errBroken) {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if c.crashed() != nil {
				disk = c.crashed()
			} else if err != nil {
				t.Fatalf("seed %d: without a crash: %v", seed, err)
			}
		}
	}
}
