package storage_test

import (
	"context"
	"errors"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/storage"
)

// expectFatal makes a server report its fatal error on a channel.
func expectFatal(fatal chan error) func(*storage.Config) {
	return func(cfg *storage.Config) {
		cfg.FlushInterval = time.Millisecond
		cfg.OnFatal = func(err error) { fatal <- err }
	}
}

func quickFlush(cfg *storage.Config) { cfg.FlushInterval = time.Millisecond }

func TestAFullDiskEndsTheServerAndLosesNothing(t *testing.T) {
	mem, l, fatal := vfs.NewMem(), newFakeLog(), make(chan error, 1)
	var full atomic.Bool
	fs := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if full.Load() && (op.Kind == errorfs.OpFileWrite || op.Kind == errorfs.OpCreate) {
			return syscall.ENOSPC
		}
		return nil
	}))
	s := open(t, fs, l, expectFatal(fatal))
	l.append(1_000_000, set("a", "1"))
	l.append(9_000_000, set("b", "1"))
	l.awaitPop(1_000_000)
	full.Store(true)
	l.append(20_000_000, set("c", "1"))
	l.append(30_000_000, set("d", "1"))
	if err := <-fatal; !errors.Is(err, wire.ErrDiskFull) || !strings.Contains(err.Error(), "db") {
		t.Fatalf("fatal error %v", err)
	}
	if _, err := s.GetValues(t.Context(), &wire.GetValuesRequest{Version: 30_000_000}); !errors.Is(err, wire.ErrDiskFull) {
		t.Fatalf("read after the failure: %v", err)
	}
	if err := s.Close(); !errors.Is(err, wire.ErrDiskFull) {
		t.Fatalf("close: %v", err)
	}
	if popped := l.popped(); popped != 1_000_000 {
		t.Fatalf("S6: popped to %d after the failure", popped)
	}
	full.Store(false)
	s = open(t, fs, l, nil)
	same(t, get(t, s, 30_000_000, "a", "b", "c", "d"), "1", "1", "1", "1")
}

// A full disk while the engine waits for its flushes must not keep Close
// waiting.
func TestCloseEndsBehindAFullDisk(t *testing.T) {
	mem, l, fatal := vfs.NewMem(), newFakeLog(), make(chan error, 1)
	fs := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpCreate && strings.HasSuffix(op.Path, ".sst") {
			return syscall.ENOSPC
		}
		return nil
	}))
	s := open(t, fs, l, func(cfg *storage.Config) {
		expectFatal(fatal)(cfg)
		cfg.MemTableBytes, cfg.WindowVersions, cfg.StepVersions = 16<<10, 1, 1
	})
	value := string(make([]byte, 10_000))
	for version := wire.Version(1); version <= 100; version++ {
		l.append(version, set(strconv.Itoa(int(version)), value))
	}
	if err := <-fatal; !errors.Is(err, wire.ErrDiskFull) {
		t.Fatalf("fatal error %v", err)
	}
	if err := s.Close(); !errors.Is(err, wire.ErrDiskFull) {
		t.Fatalf("close: %v", err)
	}
}

// Pebble panicked on a goroutine of its own, and so ended the program around the
// store (simulation, seed 204 of 2026-11-23).
func TestADirectoryThatCannotBeSyncedEndsTheServerAndNotTheProgram(t *testing.T) {
	mem, l, fatal := vfs.NewMem(), newFakeLog(), make(chan error, 1)
	var broken, moved atomic.Bool
	fs := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpCreate && strings.Contains(op.Path, "marker.manifest") {
			moved.Store(true)
		}
		// The sync of the directory that follows the move of a marker.
		if broken.Load() && moved.Load() && op.Kind == errorfs.OpFileSync && path.Ext(op.Path) == "" {
			return errors.New("the disk is gone")
		}
		return nil
	}))
	s := open(t, fs, l, quickFlush)
	l.append(1_000_000, set("a", "1"))
	l.append(9_000_000, set("b", "1"))
	l.awaitPop(1_000_000)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// An engine that is opened begins a new manifest and moves its marker.
	moved.Store(false)
	broken.Store(true)
	cfg := storage.Config{FS: fs, Dir: "db", Tag: 7, Log: l}
	expectFatal(fatal)(&cfg)
	popped := l.popped()
	s, err := storage.Open(t.Context(), cfg)
	if err == nil {
		err = <-fatal
		if closeErr := s.Close(); !errors.Is(closeErr, wire.ErrIO) {
			t.Errorf("close: %v", closeErr)
		}
	}
	if !errors.Is(err, wire.ErrIO) || !strings.Contains(err.Error(), "the disk is gone") || !moved.Load() {
		t.Fatalf("error %v; marker moved: %v", err, moved.Load())
	}
	if l.popped() != popped {
		t.Fatalf("S6: popped to %d, before to %d", l.popped(), popped)
	}
	broken.Store(false)
	s = open(t, fs, l, nil)
	same(t, get(t, s, 9_000_000, "a", "b"), "1", "1")
}

func TestAFailedManifestWriteEndsTheServer(t *testing.T) {
	mem, l, fatal := vfs.NewMem(), newFakeLog(), make(chan error, 1)
	var broken atomic.Bool
	fs := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if broken.Load() && strings.Contains(op.Path, "MANIFEST") && (op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData) {
			return errors.New("the disk is gone")
		}
		return nil
	}))
	s := open(t, fs, l, expectFatal(fatal))
	broken.Store(true)
	l.append(1_000_000, set("a", "1"))
	l.append(9_000_000, set("b", "1"))
	if err := <-fatal; !errors.Is(err, wire.ErrIO) {
		t.Fatalf("fatal error %v", err)
	}
	if err := s.Close(); !errors.Is(err, wire.ErrIO) || l.popped() != 0 {
		t.Fatalf("close: %v; popped to %d", err, l.popped())
	}
	broken.Store(false)
	s = open(t, fs, l, nil)
	same(t, get(t, s, 9_000_000, "a", "b"), "1", "1")
}

// tables lists the engine's table files.
func tables(t *testing.T, fs vfs.FS) []string {
	t.Helper()
	names, err := fs.List("db")
	if err != nil {
		t.Fatal(err)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !strings.HasSuffix(name, ".sst") })
	if len(names) == 0 {
		t.Fatal("no table file")
	}
	return names
}

// filled returns a closed directory whose engine holds rows.
func filled(t *testing.T) (*vfs.MemFS, *fakeLog) {
	fs, l := vfs.NewMem(), newFakeLog()
	s := open(t, fs, l, quickFlush)
	l.append(1_000_000, set("a", strings.Repeat("1", 5000)), set("b", "1"))
	l.reach(9_000_000)
	l.awaitPop(1_000_000)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return fs, l
}

func TestACorruptTableIsNamedAndNeverRead(t *testing.T) {
	fs, l := filled(t)
	for _, name := range tables(t, fs) {
		f, err := fs.OpenReadWrite("db/"+name, vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte("xyz"), 20); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	_, err := storage.Check(t.Context(), fs, "db")
	if !errors.Is(err, wire.ErrFileCorrupt) {
		t.Fatalf("check: %v", err)
	}
	fatal := make(chan error, 1)
	cfg := storage.Config{FS: fs, Dir: "db", Log: l, OnFatal: func(err error) { fatal <- err }}
	s, err := storage.Open(t.Context(), cfg)
	if err == nil {
		defer s.Close()
		_, err = s.GetValues(t.Context(), &wire.GetValuesRequest{Version: 9_000_000, Keys: [][]byte{[]byte("a")}})
		if fatalErr := <-fatal; !errors.Is(fatalErr, wire.ErrFileCorrupt) {
			t.Fatalf("fatal error %v", fatalErr)
		}
	}
	if !errors.Is(err, wire.ErrFileCorrupt) || !strings.Contains(err.Error(), ".sst") {
		t.Fatalf("read: %v", err)
	}
}

func TestCheckCountsWhatIsThere(t *testing.T) {
	fs, _ := filled(t)
	report, err := storage.Check(t.Context(), fs, "db")
	if err != nil {
		t.Fatal(err)
	}
	if report.Version != 1_000_000 || report.Rows != 2 || report.Bytes != 5003 || report.DiskBytes == 0 {
		t.Fatalf("%+v", report)
	}
}

// tamper writes a row into a closed engine.
func tamper(t *testing.T, fs vfs.FS, key, value []byte) {
	t.Helper()
	db, err := pebble.Open("db", &pebble.Options{FS: fs, FormatMajorVersion: pebble.FormatNewest, Logger: quietLogger{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Set(key, value, pebble.Sync), db.Flush(), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestCheckFindsRowsBeyondTheLimits(t *testing.T) {
	for name, row := range map[string]wire.KeyValue{
		"LongKey":         {Key: append([]byte{1}, make([]byte, wire.MaxKeyBytes+1)...)},
		"LongValue":       {Key: []byte("\x01k"), Value: make([]byte, wire.MaxValueBytes+1)},
		"AboveTheKeys":    {Key: []byte("\x01\xff\xffk")},
		"ForeignPrefix":   {Key: []byte("k")},
		"ShortVersionKey": {Key: []byte("\x00version"), Value: []byte("1")},
	} {
		t.Run(name, func(t *testing.T) {
			fs, _ := filled(t)
			tamper(t, fs, row.Key, row.Value)
			if _, err := storage.Check(t.Context(), fs, "db"); !errors.Is(err, wire.ErrFileCorrupt) || !strings.Contains(err.Error(), "db") {
				t.Fatalf("check: %v", err)
			}
		})
	}
}

func TestANewerFormatIsRefused(t *testing.T) {
	fs, l := filled(t)
	tamper(t, fs, []byte("\x00format"), []byte{0, 0, 0, 0, 0, 0, 0, 2})
	_, err := storage.Open(t.Context(), storage.Config{FS: fs, Dir: "db", Log: l})
	if !errors.Is(err, wire.ErrNewerFormat) || !strings.Contains(err.Error(), "db has format 2") {
		t.Fatalf("open: %v", err)
	}
}

func TestADirectoryInUseIsRefused(t *testing.T) {
	fs, l := vfs.NewMem(), newFakeLog()
	open(t, fs, l, nil)
	if _, err := storage.Open(t.Context(), storage.Config{FS: fs, Dir: "db", Log: l}); !errors.Is(err, wire.ErrDirectoryInUse) {
		t.Fatalf("open: %v", err)
	}
	real, dir := vfs.Default, t.TempDir()
	s, err := storage.Open(t.Context(), storage.Config{FS: real, Dir: dir, Log: l})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := storage.Open(t.Context(), storage.Config{FS: real, Dir: dir, Log: l}); !errors.Is(err, wire.ErrDirectoryInUse) {
		t.Fatalf("open on the real disk: %v", err)
	}
}

func TestWhatTheLogMustNotHoldEndsTheServer(t *testing.T) {
	for name, list := range map[string][]byte{
		"CutShort":     {0, 5, 5, 'k'},
		"Versionstamp": mutations(wire.Mutation{Type: wire.SetVersionstampedKey, Param1: []byte("k")}),
		"AboveTheKeys": mutations(set("\xff\xffk", "v")),
	} {
		t.Run(name, func(t *testing.T) {
			l, fatal := newFakeLog(), make(chan error, 1)
			s := open(t, vfs.NewMem(), l, expectFatal(fatal))
			l.appendLists(10, list)
			if err := <-fatal; !errors.Is(err, wire.ErrInternal) || !strings.Contains(err.Error(), "version 10") {
				t.Fatalf("fatal error %v", err)
			}
			if s.Version() != 0 {
				t.Fatalf("S1: version %d was published", s.Version())
			}
		})
	}
}

func TestAFailedPeekIsRepeated(t *testing.T) {
	l := newFakeLog()
	l.fail(errors.New("no leader"))
	s := open(t, vfs.NewMem(), l, nil)
	l.append(10, set("a", "1"))
	l.fail(nil)
	same(t, get(t, s, 10, "a"), "1")
}

func TestAClosedServerSaysSo(t *testing.T) {
	l := newFakeLog()
	s := open(t, vfs.NewMem(), l, nil)
	done := make(chan error)
	go func() {
		_, err := s.GetValues(context.Background(), &wire.GetValuesRequest{Version: 10})
		done <- err
	}()
	for s.Stats().WaitingReads == 0 {
		runtime.Gosched()
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, wire.ErrDatabaseClosed) {
		t.Fatalf("waiting read: %v", err)
	}
	if _, err := s.GetRange(t.Context(), &wire.GetRangeRequest{}); !errors.Is(err, wire.ErrDatabaseClosed) {
		t.Fatalf("read: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatalf("second close: %v", err)
	}
}

// quietLogger keeps Pebble's remarks out of the output.
type quietLogger struct{}

func (quietLogger) Infof(string, ...any)              {}
func (quietLogger) Errorf(string, ...any)             {}
func (quietLogger) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
