package storage_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/storage"
)

// counted is a file system that fails operations that change it, by their
// number and kind.
func counted(fs vfs.FS, count *atomic.Int64, fails func(n int64, op errorfs.Op) error) vfs.FS {
	return errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsRead {
			return nil
		}
		return fails(count.Add(1), op)
	}))
}

// openFaulty opens the directory of filled on a disk with faults. Whatever
// comes of it, the directory can be opened afterwards and has its rows. It
// returns the error of Open or Close.
func openFaulty(t *testing.T, count *atomic.Int64, fails func(n int64, op errorfs.Op) error) error {
	t.Helper()
	fs, l := filled(t)
	count.Store(0)
	s, err := storage.Open(t.Context(), storage.Config{FS: counted(fs, count, fails), Dir: "db", Tag: 7, Log: l})
	if err == nil {
		err = s.Close()
	}
	s = open(t, fs, l, nil)
	same(t, get(t, s, 9_000_000, "b"), "1")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return err
}

// Pebble repeats a flush that fails while it opens, and pebble.Open waits for
// it. So Open never came back when the disk was full.
func TestOpenOnADiskThatIsFullFromAnyOperationOnComesBack(t *testing.T) {
	var count atomic.Int64
	for n := int64(1); ; n++ {
		var refused atomic.Bool
		err := openFaulty(t, &count, func(i int64, op errorfs.Op) error {
			if i >= n && (op.Kind == errorfs.OpCreate || op.Kind == errorfs.OpFileWrite) {
				refused.Store(true)
				return syscall.ENOSPC
			}
			return nil
		})
		if count.Load() < n {
			return
		}
		if refused.Load() && (!errors.Is(err, wire.ErrDiskFull) || !strings.Contains(err.Error(), "room")) {
			t.Errorf("disk full from operation %d on: %v", n, err)
		}
	}
}

// A directory that cannot be synced while a marker moves makes Pebble panic.
func TestAnyOneFailureOfTheDiskInOpenIsAnError(t *testing.T) {
	var count atomic.Int64
	for n := int64(1); ; n++ {
		var failed atomic.Pointer[errorfs.Op]
		err := openFaulty(t, &count, func(i int64, op errorfs.Op) error {
			if i != n {
				return nil
			}
			failed.Store(&op)
			return syscall.EIO
		})
		op := failed.Load()
		if op == nil {
			return
		}
		if op.Kind == errorfs.OpRemove || op.Kind == errorfs.OpFilePreallocate {
			continue // Files that are left over do no harm.
		}
		if !errors.Is(err, wire.ErrIO) || !strings.Contains(err.Error(), "db") {
			t.Errorf("operation %d (%+v) failed: %v", n, *op, err)
		}
	}
}

func TestAPanicOfTheEngineInOpenIsAnError(t *testing.T) {
	for name, cause := range map[string]any{"Error": errors.New("the disk is gone"), "Text": "the disk is gone"} {
		t.Run(name, func(t *testing.T) {
			var count atomic.Int64
			err := openFaulty(t, &count, func(_ int64, op errorfs.Op) error {
				if op.Kind == errorfs.OpRename {
					panic(cause)
				}
				return nil
			})
			if !errors.Is(err, wire.ErrIO) || !strings.Contains(err.Error(), "the disk is gone") {
				t.Fatalf("open: %v", err)
			}
		})
	}
}

// After a power loss the marker named a manifest whose own name was not on the
// disk yet. The power fails before every operation, and of the names that were
// not synced a random half is there.
func TestAPowerLossBetweenManifestAndMarkerLeavesAStoreThatOpens(t *testing.T) {
	var count atomic.Int64
	seeds := uint64(4)
	if testing.Short() {
		seeds = 1
	}
	for n := int64(1); ; n++ {
		for seed := range seeds {
			fs, l := vfs.NewCrashableMem(), newFakeLog()
			count.Store(0)
			var crashed *vfs.MemFS
			faulty := counted(fs, &count, func(i int64, _ errorfs.Op) error {
				if i == n {
					crashed = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(seed, uint64(n)))})
				}
				return nil
			})
			l.append(1_000_000, set("a", "1"))
			for range 2 {
				if err := open(t, faulty, l, nil).Close(); err != nil {
					t.Fatal(err)
				}
			}
			if crashed == nil {
				return
			}
			s, err := storage.Open(t.Context(), storage.Config{FS: crashed, Dir: "db", Tag: 7, Log: l})
			if err != nil {
				t.Fatalf("power lost before operation %d, seed %d: %v", n, seed, err)
			}
			same(t, get(t, s, 1_000_000, "a"), "1")
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
