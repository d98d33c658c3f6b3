package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/plinthdb/plinth/internal/invariants"
	"github.com/plinthdb/plinth/internal/wire"
)

// trap is a file system that counts the operations that change it, and fails
// those that a test chooses.
type trap struct {
	mu    sync.Mutex
	count int
	// reads says that operations that only read count too.
	reads bool
	// fails says whether operation number count fails, and with what.
	fails func(count int, op errorfs.Op) error
}

func (f *trap) wrap(fs vfs.FS) vfs.FS {
	return errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if !f.reads && op.Kind.ReadOrWrite() == errorfs.OpIsRead || op.Kind == errorfs.OpFileClose {
			return nil
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.count++
		return f.fails(f.count, op)
	}))
}

// outcome is what the client of a history was told.
type outcome struct {
	// acked holds the newest values that were acknowledged, doubtful those of
	// later commits that nobody can tell of.
	acked    map[string]string
	doubtful map[string][]string
	// version is that of the newest commit that was acknowledged.
	version wire.Version
	// ended says, if given, that what comes now is in doubt.
	ended func() bool
}

// history opens a store twice and commits until something fails. It returns
// the first error.
func history(fs vfs.FS, ended func() bool) (o outcome, err error) {
	o = outcome{acked: make(map[string]string), doubtful: make(map[string][]string), ended: ended}
	for life := range 2 {
		if err := o.life(fs, life); err != nil {
			return o, err
		}
	}
	return o, nil
}

func (o *outcome) life(fs vfs.FS, life int) (err error) {
	ctx := context.Background()
	l, err := OpenLocal(ctx, smallConfig(fs))
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := l.Close(); err == nil {
			err = closeErr
		}
	}()
	for i := range 4 {
		reply, err := l.ReadVersion(ctx, wire.ReadVersionRequest{})
		if err != nil {
			return err
		}
		key, value := fmt.Sprint("key", i), fmt.Sprintf("life %d %0300d", life, i)
		commit, err := l.Commit(ctx, setRequest(reply.Version, key, value))
		switch {
		case o.ended() || wire.MaybeCommitted(err):
			o.doubtful[key] = append(o.doubtful[key], value)
		case err == nil:
			o.acked[key], o.version = value, commit.Version
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// smallConfig makes every part of a store reach its limits soon.
func smallConfig(fs vfs.FS) LocalConfig {
	return LocalConfig{
		FS: fs, Dir: "data", CacheBytes: 1 << 20, WindowBytes: 1 << 10, MemTableBytes: 256 << 10,
		LogCacheBytes: 100, LogSegmentBytes: 8 << 10, LogCutBytes: 1,
	}
}

// checkHistory opens the store without faults: what was acknowledged is there,
// what was refused is not, and the store goes on.
func checkHistory(t *testing.T, fs vfs.FS, o outcome) {
	t.Helper()
	l, err := OpenLocal(context.Background(), smallConfig(fs))
	if err != nil {
		t.Fatalf("open after the fault: %v", err)
	}
	defer closeStore(t, l)
	if v := readVersion(t, l); v < o.version {
		t.Errorf("T1: after the fault the read version is %d, acknowledged was %d", v, o.version)
	}
	for i := range 4 {
		key := fmt.Sprint("key", i)
		got, want, doubtful := get(t, l, key), o.acked[key], o.doubtful[key]
		if want == "" {
			want = "(absent)"
		}
		if got != want && !slices.Contains(doubtful, got) {
			t.Errorf("after the fault %s is %.20q, acknowledged was %.20q, in doubt are %.20q", key, got, want, doubtful)
		}
	}
	if _, err := l.Commit(context.Background(), setRequest(readVersion(t, l), "after", "x")); err != nil {
		t.Errorf("commit after the fault: %v", err)
	}
}

// awaitNoGoroutines waits until nothing of the store or its engine runs. A
// goroutine that is left behind shows in the stacks.
func awaitNoGoroutines(t *testing.T) {
	t.Helper()
	buf := make([]byte, 1<<20)
	for deadline := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		left := ""
		for i, stack := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			ours := strings.Contains(stack, "plinth/") || strings.Contains(stack, "pebble/")
			if i > 0 && ours && !strings.Contains(stack, "testing.") {
				left += stack + "\n\n"
			}
		}
		if left == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("goroutines are left after close:\n%s", left)
		}
	}
}

func never() bool { return false }

// stride is how many operations apart the faults are: every one is tried,
// except with the race detector, which makes each try ten times as long. It is
// no multiple of three, so that all kinds of power loss come up.
func stride() int {
	if invariants.Enabled {
		return 8
	}
	return 1
}

// The power fails before the Nth operation that changes the disk, for every N:
// while a store is made, opened, written, cut, closed and opened again. Of what
// was not synced nothing is there, or a random half, or all.
func TestPowerLossAtEveryOperationLosesNothingAcknowledged(t *testing.T) {
	for n := 1; ; n += stride() {
		fs := vfs.NewCrashableMem()
		var crashed *vfs.MemFS
		f := &trap{}
		f.fails = func(count int, op errorfs.Op) error {
			if count == n {
				crashed = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50 * (n % 3), RNG: rand.New(rand.NewPCG(1, uint64(n)))})
			}
			return nil
		}
		o, err := history(f.wrap(fs), func() bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			return crashed != nil
		})
		if err != nil {
			t.Fatalf("without any fault: %v", err)
		}
		awaitNoGoroutines(t)
		if crashed == nil {
			return
		}
		if checkHistory(t, crashed, o); t.Failed() {
			t.Fatalf("power lost before operation %d", n)
		}
	}
}

// From the Nth operation on nothing more fits on the disk, for every N. The error
// says so, and when there is room again everything is there.
func TestADiskThatIsFullFromAnyOperationOnIsReportedAndHarmless(t *testing.T) {
	for n := 1; ; n += stride() {
		fs := vfs.NewMem()
		f := &trap{fails: func(count int, op errorfs.Op) error {
			if count >= n && needsRoom(op.Kind) {
				return syscall.ENOSPC
			}
			return nil
		}}
		o, err := history(f.wrap(fs), never)
		awaitNoGoroutines(t)
		if f.count < n {
			return
		}
		if err != nil && (!errors.Is(err, wire.ErrDiskFull) || !strings.Contains(err.Error(), "room")) {
			t.Errorf("%v, want disk_full and what to do", err)
		}
		if checkHistory(t, fs, o); t.Failed() {
			t.Fatalf("disk full from operation %d on", n)
		}
	}
}

// ofStorage reports whether a path is the storage server's.
func ofStorage(path string) bool { return strings.HasPrefix(path, "data/"+storageDir) }

func needsRoom(kind errorfs.OpKind) bool {
	switch kind {
	case errorfs.OpCreate, errorfs.OpMkdirAll, errorfs.OpLock, errorfs.OpLink,
		errorfs.OpFileWrite, errorfs.OpFileWriteAt, errorfs.OpFilePreallocate:
		return true
	}
	return false
}

// The Nth operation fails, be it a read or a change, and it alone, for every N.
func TestAnyOneFailureOfTheDiskIsReportedAndHarmless(t *testing.T) {
	for n := 1; ; n += stride() {
		fs := vfs.NewMem()
		var failed errorfs.Op
		f := &trap{reads: true, fails: func(count int, op errorfs.Op) error {
			if count != n {
				return nil
			}
			failed = op
			return syscall.EIO
		}}
		o, err := history(f.wrap(fs), never)
		awaitNoGoroutines(t)
		if f.count < n {
			return
		}
		var typed *wire.Error
		if err != nil && !errors.As(err, &typed) {
			t.Errorf("%v has no number", err)
		}
		if checkHistory(t, fs, o); t.Failed() {
			t.Fatalf("operation %d (%+v) failed: %v", n, failed, err)
		}
	}
}

// A watch went on waiting for a store that had ended, since the storage server
// does not hear of the log's failure.
func TestAWatchEndsWithTheStore(t *testing.T) {
	var broken atomic.Bool
	f := &trap{fails: func(_ int, op errorfs.Op) error {
		if broken.Load() && !ofStorage(op.Path) {
			return syscall.EIO
		}
		return nil
	}}
	l := open(t, f.wrap(vfs.NewMem()), "data")
	version := readVersion(t, l)
	watched := make(chan error, 1)
	go func() {
		_, err := l.Watch(context.Background(), &wire.WatchRequest{Key: []byte("key"), Version: version})
		watched <- err
	}()
	for l.Status().Storage.Watches == 0 {
		runtime.Gosched()
	}
	broken.Store(true)
	if _, err := l.Commit(context.Background(), setRequest(version, "other", "x")); !wire.MaybeCommitted(err) {
		t.Errorf("commit on a broken disk: %v", err)
	}
	if err := <-watched; !errors.Is(err, wire.ErrIO) {
		t.Errorf("C3: the watch ends with %v", err)
	}
	if err := l.Close(); !errors.Is(err, wire.ErrIO) {
		t.Errorf("close: %v", err)
	}
	awaitNoGoroutines(t)
}
