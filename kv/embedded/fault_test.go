package embedded_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// smallDisk is a file system on which only so many bytes can be written.
type smallDisk struct {
	vfs.FS
	room atomic.Int64
}

// smallFile is a file on a smallDisk.
type smallFile struct {
	vfs.File
	disk *smallDisk
}

// take reports whether there is room for n bytes, and uses it.
func (d *smallDisk) take(n int) error {
	if d.room.Add(-int64(n)) < 0 {
		return fmt.Errorf("write of %d bytes: %w", n, syscall.ENOSPC)
	}
	return nil
}

func (d *smallDisk) wrap(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &smallFile{File: f, disk: d}, nil
}

func (d *smallDisk) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return d.wrap(d.FS.Create(name, c))
}

func (d *smallDisk) OpenReadWrite(name string, c vfs.DiskWriteCategory, options ...vfs.OpenOption) (vfs.File, error) {
	return d.wrap(d.FS.OpenReadWrite(name, c, options...))
}

func (d *smallDisk) ReuseForWrite(oldName, newName string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return d.wrap(d.FS.ReuseForWrite(oldName, newName, c))
}

func (f *smallFile) Write(p []byte) (int, error) {
	if err := f.disk.take(len(p)); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

func (f *smallFile) WriteAt(p []byte, at int64) (int, error) {
	if err := f.disk.take(len(p)); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, at)
}

// ledger is which numbers were acknowledged under which keys.
type ledger struct {
	mu    sync.Mutex
	acked map[string]int
}

// fill writes from several goroutines until each has met an error, and returns
// the errors.
func (l *ledger) fill(db *kv.Database) []error {
	const workers = 4
	failures := make([]error, workers)
	value := strings.Repeat("v", 5_000)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := 1; failures[w] == nil && i < 20_000; i++ {
				key := fmt.Sprintf("key%d-%d", w, i%100)
				if failures[w] = set(db, key, fmt.Sprintf("%d %s", i, value)); failures[w] == nil {
					l.mu.Lock()
					l.acked[key] = i
					l.mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	return failures
}

// check demands that no key is older than what was acknowledged.
func (l *ledger) check(t *testing.T, db *kv.Database) {
	t.Helper()
	for key, number := range l.acked {
		value, err := get(db, key)
		var got int
		if _, scanErr := fmt.Sscan(value, &got); err != nil || scanErr != nil || got < number {
			t.Errorf("%s is %.20q (%v), acknowledged was %d", key, value, err, number)
		}
	}
}

// The disk fills up at different moments: in the log, in a flush, in a
// compaction. Commits then fail and say why; nothing acknowledged is lost.
func TestAFullDiskStopsCommitsAndLosesNothing(t *testing.T) {
	for _, room := range []int64{400_000, 1_500_000, 4_000_000, 4_100_000, 9_000_000} {
		t.Run(fmt.Sprint(room), func(t *testing.T) {
			disk := &smallDisk{FS: vfs.NewMem()}
			disk.room.Store(room)
			db, store := open(t, disk, small())
			l := &ledger{acked: map[string]int{}}
			for _, err := range l.fill(db) {
				if !errors.Is(err, kv.ErrDiskFull) || !strings.Contains(err.Error(), "make room") {
					t.Errorf("a write to the full disk: %v", err)
				}
			}
			<-store.Ended()
			if err := set(db, "later", "1"); !errors.Is(err, kv.ErrDiskFull) {
				t.Errorf("a later write: %v", err)
			}
			if err := store.Close(); !errors.Is(err, kv.ErrDiskFull) {
				t.Errorf("Close after the disk was full: %v", err)
			}
			disk.room.Store(1 << 60)
			db, store = open(t, disk, small())
			defer closeStore(t, store)
			l.check(t, db)
			mustSet(t, db, "later", "2")
			expect(t, db, "later", "2")
		})
	}
}

func TestADiskThatIsFullFromTheStartIsToldByOpen(t *testing.T) {
	disk := &smallDisk{FS: vfs.NewMem()}
	var logged bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelWarn}))
	for _, room := range []int64{0, 10, 5_000, 10_000, 20_000} {
		disk.room.Store(room)
		_, store, err := embedded.Open("data", embedded.WithFS(disk), embedded.WithLogger(logger), small())
		if err == nil {
			closeStore(t, store)
		}
		if !errors.Is(err, kv.ErrDiskFull) {
			t.Errorf("open with room for %d bytes: %v", room, err)
		}
	}
	if logged.Len() > 0 {
		t.Errorf("what Open returns was also logged: %s", logged.String())
	}
	disk.room.Store(1 << 60)
	db, store := open(t, disk, small())
	defer closeStore(t, store)
	mustSet(t, db, "a", "1")
}

// filled returns a store's file system with several log segments and tables,
// and the value of each key.
func filled(t *testing.T) (*vfs.MemFS, map[string]string) {
	t.Helper()
	fs := vfs.NewMem()
	db, store := open(t, fs, small())
	values := map[string]string{}
	for i := range 20_000 {
		if i >= 300 && store.Status().Storage.Popped > 0 {
			break
		}
		// No key twice: what is in a table is then nowhere else.
		key, value := fmt.Sprint("key", i), fmt.Sprint(strings.Repeat("v", 2_000), i)
		mustSet(t, db, key, value)
		values[key] = value
	}
	closeStore(t, store)
	return fs, values
}

func TestACorruptLogIsNamedAndNotOpened(t *testing.T) {
	fs, values := filled(t)
	path := files(t, fs, "log", ".wal")[0]
	at := func(size int) int { return size / 2 }
	flip(t, fs, path, at)
	for range 2 {
		_, _, err := embedded.Open("data", embedded.WithFS(fs), small())
		if !errors.Is(err, kv.ErrFileCorrupt) || !strings.Contains(err.Error(), path+", offset ") {
			t.Fatalf("open with a damaged log: %v", err)
		}
	}
	// Nothing was changed: with the bit as it was, all is there.
	flip(t, fs, path, at)
	db, store := open(t, fs, small())
	defer closeStore(t, store)
	for key, value := range values {
		expect(t, db, key, value)
	}
}

// A damaged table is noticed when it is opened or read. No read returns what is
// not there.
func TestACorruptEngineFileIsNamedAndNeverBelieved(t *testing.T) {
	fs, values := filled(t)
	tables := files(t, fs, "storage", ".sst")
	if len(tables) == 0 {
		t.Fatal("there is no table")
	}
	for _, path := range tables {
		flip(t, fs, path, func(size int) int { return size / 3 })
	}
	db, store, err := embedded.Open("data", embedded.WithFS(fs), small())
	if err == nil {
		defer store.Close()
		for key, want := range values {
			got, readErr := get(db, key)
			if readErr != nil {
				err = readErr
			} else if got != want {
				t.Errorf("%s reads %.20q from a damaged engine", key, got)
			}
		}
	}
	if !errors.Is(err, kv.ErrFileCorrupt) || !strings.Contains(err.Error(), ".sst") {
		t.Errorf("with all tables damaged: %v", err)
	}
}
