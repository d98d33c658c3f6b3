package wal

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/wire"
)

// faultRun is a history on a disk that fails.
type faultRun struct {
	history
	disk   *vfs.MemFS
	fs     *faultFS
	opened bool
	// closing says that only Close met the failure: housekeeping of a log whose
	// writer has ended. Then Close returns it and nobody else is told.
	closing bool
	fatal   atomic.Int32
	failure error
	// retried names a file that was synced again after its sync failed.
	retried string
	hit     bool
}

// newFaultRun makes a disk on which the operation that count-th satisfies match
// fails with err, and all later ones as well if lasting.
func newFaultRun(seed uint64, count int, lasting bool, match func(operation) bool, err error) *faultRun {
	r := &faultRun{disk: vfs.NewCrashableMem()}
	r.rng = rand.New(rand.NewPCG(seed, 11))
	partial := rand.New(rand.NewPCG(seed, 12))
	seen, failedPath := 0, ""
	r.fs = &faultFS{FS: r.disk, hook: func(op operation) (int, error) {
		if op.name == "sync" && op.path == failedPath {
			r.retried = op.path
		}
		if !match(op) {
			return 0, nil
		}
		if seen++; seen < count || seen > count && !lasting {
			return 0, nil
		}
		r.hit = true
		if op.name == "sync" {
			failedPath = op.path
		}
		return partial.IntN(op.bytes + 1), &opError{op, err}
	}}
	return r
}

// opError is what an operating system's error looks like.
type opError struct {
	op  operation
	err error
}

func (e *opError) Error() string { return e.op.name + " " + e.op.path + ": " + e.err.Error() }
func (e *opError) Unwrap() error { return e.err }

// run lives until the disk fails.
func (r *faultRun) run(t *testing.T) {
	t.Helper()
	o := crashOptions(r.fs)
	o.OnFatal = func(err error) {
		r.fatal.Add(1)
		r.failure = err
	}
	l, err := Open(o)
	if err != nil {
		r.failure = err
		return
	}
	r.opened = true
	err = r.history.run(l, 60)
	if err != nil {
		r.checkStopped(t, l, err)
	}
	cerr := l.Close()
	if err != nil && r.failure == nil {
		t.Fatalf("OnFatal was not called for %v", err)
	}
	if cerr != nil && r.failure == nil {
		r.failure, r.closing = cerr, true
	}
}

// checkStopped makes sure that a log that failed acknowledges nothing.
func (r *faultRun) checkStopped(t *testing.T, l *Log, failure error) {
	t.Helper()
	acked := r.acked.Load()
	if _, err := l.Append(nil, []Record{makeRecord(0)}, func(error) { t.Error("done was called") }); !errors.Is(err, failure) {
		t.Fatalf("Append after the failure %v: %v", failure, err)
	}
	if err := l.Sync(); !errors.Is(err, failure) {
		t.Fatalf("Sync after the failure %v: %v", failure, err)
	}
	if r.acked.Load() != acked {
		t.Fatal("something was acknowledged after the failure")
	}
}

// checkAfter opens the log again on the disk, which works again, and after a
// power failure.
func (r *faultRun) checkAfter(t *testing.T, want error) {
	t.Helper()
	if r.failure != nil && !errors.Is(r.failure, want) {
		t.Fatalf("the log failed with %v, not %v", r.failure, want)
	}
	if n := r.fatal.Load(); r.opened && r.failure != nil && !r.closing && n != 1 {
		t.Fatalf("OnFatal was called %d times", n)
	}
	if r.retried != "" {
		t.Fatalf("%s was synced again after a failed sync", r.retried)
	}
	crashed := r.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: r.rng})
	for _, disk := range []*vfs.MemFS{crashed, r.disk} {
		for range 2 {
			g := r.fork()
			var kept []entry
			l, err := Open(collect(crashOptions(disk), &kept))
			if err != nil {
				t.Fatalf("Open after %v: %v", r.failure, err)
			}
			if err := g.check(kept); err != nil {
				t.Fatalf("after %v: %v", r.failure, err)
			}
			mustClose(t, l)
		}
	}
}

func TestAFailureOfAnyOperationStopsTheLogAndLosesNothing(t *testing.T) {
	isWrite := func(op operation) bool { return op.name == "write" || op.name == "create" }
	isSync := func(op operation) bool { return op.name == "sync" }
	isAny := func(operation) bool { return true }
	for _, c := range []struct {
		name    string
		match   func(operation) bool
		lasting bool
		err     error
		want    error
	}{
		{"disk full at a write", isWrite, true, syscall.ENOSPC, wire.ErrDiskFull},
		{"disk full at a sync", isSync, true, syscall.ENOSPC, wire.ErrDiskFull},
		{"disk full for one write", isWrite, false, syscall.ENOSPC, wire.ErrDiskFull},
		{"one failed sync", isSync, false, syscall.EIO, wire.ErrIO},
		{"one failed operation", isAny, false, syscall.EIO, wire.ErrIO},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			points := 1
			for ; ; points++ {
				r := newFaultRun(uint64(points), points, c.lasting, c.match, c.err)
				r.run(t)
				r.fs.mu.Lock()
				hit := r.hit
				r.fs.mu.Unlock()
				r.checkAfter(t, c.want)
				if !hit {
					break
				}
			}
			t.Logf("%d points of failure", points)
			if points < 30 {
				t.Errorf("the history has only %d such operations", points)
			}
		})
	}
}

func TestEveryoneWhoWaitsGetsTheErrorOnce(t *testing.T) {
	block, failing := make(chan struct{}), make(chan struct{}, 1)
	armed := atomic.Bool{}
	fs := &faultFS{FS: vfs.NewMem(), hook: func(op operation) (int, error) {
		if op.name == "sync" && armed.CompareAndSwap(true, false) {
			failing <- struct{}{}
			<-block
			return 0, syscall.EIO
		}
		return 0, nil
	}}
	o := smallOptions(fs)
	o.Logger = discard()
	o.QueueLimitBytes = 1000
	told, told2 := make(chan int, 10), make(chan int, 10)
	fatal := make(chan error, 10)
	o.OnFatal = func(err error) { fatal <- err }
	l, _ := reopen(t, o)
	armed.Store(true)
	for i := range 3 {
		if _, err := l.Append(nil, []Record{{Payload: make([]byte, 100)}}, func(err error) {
			if !errors.Is(err, wire.ErrIO) {
				t.Errorf("waiter %d: %v", i, err)
			}
			told <- i
		}); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			<-failing // the rest gathers behind the sync that is under way
		}
	}
	go func() {
		_, err := l.Append(nil, []Record{{Payload: make([]byte, 2000)}}, nil)
		if !errors.Is(err, wire.ErrIO) {
			t.Errorf("the producer that waited for room: %v", err)
		}
		told2 <- 0
	}()
	close(block)
	for want := range 3 {
		if got := <-told; got != want {
			t.Errorf("waiter %d was told in place of %d", got, want)
		}
	}
	<-told2
	if err := <-fatal; !errors.Is(err, wire.ErrIO) {
		t.Errorf("OnFatal: %v", err)
	}
	if err := l.Close(); !errors.Is(err, wire.ErrIO) {
		t.Errorf("Close: %v", err)
	}
	if len(told) != 0 || len(fatal) != 0 {
		t.Error("someone was told twice")
	}
}

func TestAppendWaitsForRoomInTheQueue(t *testing.T) {
	block := make(chan struct{})
	armed := atomic.Bool{}
	fs := &faultFS{FS: vfs.NewMem(), hook: func(op operation) (int, error) {
		if op.name == "sync" && armed.Load() {
			<-block
		}
		return 0, nil
	}}
	o := smallOptions(fs)
	o.QueueLimitBytes = 1000
	l, _ := reopen(t, o)
	armed.Store(true)
	appended := make(chan struct{})
	go func() {
		defer close(appended)
		for i := range uint64(100) {
			if _, err := l.Append(nil, []Record{{Index: i, Payload: make([]byte, 400)}}, func(error) {}); err != nil {
				t.Error(err)
			}
			if n := l.QueuedBytes(); n > 1000 {
				t.Errorf("%d bytes are queued", n)
			}
		}
	}()
	for l.Stats().Blocked == 0 {
		select {
		case <-appended:
			t.Fatal("100 records went into a queue of two")
		default:
			runtime.Gosched()
		}
	}
	close(block)
	<-appended
	mustClose(t, l)
	if _, kept := reopen(t, o); len(kept) != 100 {
		t.Errorf("%d records kept of 100", len(kept))
	}
}

// After a failed sync the kernel may take pages for clean that never reached the
// disk. A sync of the same file would then succeed and change nothing.
func TestOpenWritesAgainWhatWasNotKnownToBeSynced(t *testing.T) {
	disk, _, all := tornLog(t)
	clean, err := replayOnly(disk)
	if err != nil || len(clean) != all {
		t.Fatalf("%d records, %v", len(clean), err)
	}
	from, to := int64(clean[20].position.Offset), clean[all-1].position.end()
	before := bytes.Clone(readFile(t, disk, disk.PathJoin(testDir, segmentName(1))))
	covered, synced := from, false
	fs := &faultFS{FS: disk, hook: func(op operation) (int, error) {
		if disk.PathBase(op.path) != segmentName(1) {
			return 0, nil
		}
		switch {
		case op.name == "write" && op.offset <= covered:
			covered = max(covered, op.offset+int64(op.bytes))
		case op.name == "sync" && covered >= to:
			synced = true
		}
		return 0, nil
	}}
	l, kept := reopen(t, smallOptions(fs))
	defer mustClose(t, l)
	if !synced {
		t.Errorf("the records from %d to %d were written again up to %d", from, to, covered)
	}
	if len(kept) != all || !bytes.Equal(before, readFile(t, disk, disk.PathJoin(testDir, segmentName(1)))) {
		t.Error("the segment was changed")
	}
	// What was recovered is sealed: damage to it is no longer taken for a torn end.
	file, err := disk.UnsafeGetFileDataBuffer(disk.PathJoin(testDir, segmentName(1)))
	if err != nil {
		t.Fatal(err)
	}
	file[to-1] ^= 1
	if _, err := replayOnly(disk); !errors.Is(err, wire.ErrFileCorrupt) {
		t.Errorf("damage to what was recovered: %v", err)
	}
	file[to-1] ^= 1
}

func TestAFullDiskIsToldByOpen(t *testing.T) {
	fs := &faultFS{FS: vfs.NewMem(), hook: func(op operation) (int, error) {
		if op.name == "write" {
			return 3, fmt.Errorf("write: %w", syscall.ENOSPC)
		}
		return 0, nil
	}}
	if _, err := Open(smallOptions(fs)); !errors.Is(err, wire.ErrDiskFull) {
		t.Fatalf("got %v", err)
	}
	l, kept := reopen(t, smallOptions(fs.FS))
	if len(kept) != 0 {
		t.Errorf("%d records in a new log", len(kept))
	}
	mustClose(t, l)
}
