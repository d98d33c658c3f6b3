package disk

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func newTestDisk(config Config) (*Disk, *strings.Builder) {
	var trace strings.Builder
	d := New(config, rand.New(rand.NewPCG(1, 1)), func(line []byte) {
		trace.Write(line)
		trace.WriteByte('\n')
	})
	return d, &trace
}

func write(t *testing.T, f vfs.File, s string) {
	t.Helper()
	if _, err := f.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, m *Mount, name string) string {
	t.Helper()
	f, err := m.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, info.Size())
	if _, err := f.ReadAt(p, 0); err != nil && len(p) > 0 {
		t.Fatal(err)
	}
	return string(p)
}

func TestKillLosesNothingAndEndsTheMount(t *testing.T) {
	d, _ := newTestDisk(Config{})
	m := d.Mount()
	f := mustCreate(t, m, "/a")
	write(t, f, "unsynced")
	if _, err := m.Lock("/LOCK"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Mount().Lock("/LOCK"); !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("a second process got the lock: %v", err)
	}
	m.Kill()
	if _, err := f.Write([]byte("x")); !errors.Is(err, ErrDead) {
		t.Errorf("D2: write after kill: %v", err)
	}
	if err := f.Sync(); !errors.Is(err, ErrDead) {
		t.Errorf("D2: sync after kill: %v", err)
	}
	if _, err := f.ReadAt(make([]byte, 1), 0); !errors.Is(err, ErrDead) {
		t.Errorf("D2: read after kill: %v", err)
	}
	if err := m.Remove("/a"); !errors.Is(err, ErrDead) {
		t.Errorf("D2: remove after kill: %v", err)
	}
	after := d.Mount()
	if got := read(t, after, "/a"); got != "unsynced" {
		t.Errorf("D3: file holds %q after kill", got)
	}
	if _, err := after.Lock("/LOCK"); err != nil {
		t.Errorf("the lock outlived its process: %v", err)
	}
}

func TestFailedSyncIsNotRepairedByTheNext(t *testing.T) {
	d, _ := newTestDisk(Config{})
	m := d.Mount()
	f := mustCreate(t, m, "/a")
	mustSyncDir(t, m, "/")
	write(t, f, "lost")
	d.SetFaults(Faults{SyncErrors: 1})
	if err := f.Sync(); !errors.Is(err, syscall.EIO) {
		t.Fatalf("sync: %v, want EIO", err)
	}
	d.SetFaults(Faults{})
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, m, "/a"); got != "lost" {
		t.Errorf("the cache forgot the data: %q", got)
	}
	d.PowerLoss()
	if got := read(t, d.Mount(), "/a"); got != "" {
		t.Errorf("file holds %q, want the data of the failed sync gone", got)
	}
}

func TestOneSyncFailsWhenItIsTold(t *testing.T) {
	d, _ := newTestDisk(Config{})
	f := mustCreate(t, d.Mount(), "/a")
	failed := make(chan error)
	go func() { failed <- d.FailNextSync(t.Context()) }()
	failures := 0
	for ended := false; !ended; {
		select {
		case err := <-failed:
			if err != nil {
				t.Fatal(err)
			}
			ended = true
		default:
			if _, err := f.WriteAt([]byte("x"), 0); err != nil {
				t.Fatal(err)
			}
			if err := f.Sync(); errors.Is(err, syscall.EIO) {
				failures++
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
	mustSync(t, f)
	if failures != 1 {
		t.Errorf("%d syncs failed, want 1", failures)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.FailNextSync(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("FailNextSync returned %v after its context has ended", err)
	}
	mustSync(t, f)
}

func TestSyncThatEndsLaterDoesNotUndoANewerOne(t *testing.T) {
	f := &fileData{}
	f.writeAt([]byte("old"), 0)
	first := f.beginSync()
	f.writeAt([]byte("new"), 0)
	second := f.beginSync()
	f.finishSync(second)
	f.finishSync(first)
	if string(f.durable) != "new" {
		t.Errorf("D1: durable content is %q, want the newer sync's", f.durable)
	}
}

func TestSyncDoesNotCoverAWriteThatCameAfterItsStart(t *testing.T) {
	f := &fileData{}
	f.writeAt([]byte("old"), 0)
	pending := f.beginSync()
	f.writeAt([]byte("new"), 0)
	f.finishSync(pending)
	var stats Stats
	after := f.afterPowerLoss(&Config{}, rand.New(rand.NewPCG(1, 1)), &stats)
	if string(after.data) != "old" || stats.LostBlocks != 1 {
		t.Errorf("after the loss of power: %q, %d blocks lost", after.data, stats.LostBlocks)
	}
}

func TestFullDiskRefusesGrowthButNotOverwriting(t *testing.T) {
	d, _ := newTestDisk(Config{CapacityBytes: 10})
	m := d.Mount()
	f := mustCreate(t, m, "/a")
	n, err := f.Write(make([]byte, 20))
	if n != 10 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("D6: wrote %d: %v, want 10 and ENOSPC", n, err)
	}
	if _, err := f.WriteAt([]byte("0123456789"), 0); err != nil {
		t.Errorf("overwriting a full disk: %v", err)
	}
	usage, err := m.GetDiskUsage("/")
	if err != nil || usage != (vfs.DiskUsage{TotalBytes: 10, UsedBytes: 10}) {
		t.Errorf("usage %+v (%v)", usage, err)
	}
	if err := m.Remove("/a"); err != nil {
		t.Fatal(err)
	}
	if got := d.UsedBytes(); got != 0 {
		t.Errorf("%d bytes used after removal", got)
	}
	d.SetFaults(Faults{Full: true})
	if n, err := mustCreate(t, m, "/b").Write([]byte("x")); n != 0 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("wrote %d to a full disk: %v", n, err)
	}
}

func TestFaultsSpareAMountThatOnlyLooks(t *testing.T) {
	d, _ := newTestDisk(Config{})
	f := mustCreate(t, d.Mount(), "/a")
	write(t, f, "content")
	d.SetFaults(Faults{Full: true, ReadErrors: 1, WriteErrors: 1, SyncErrors: 1, ReadFlips: 1})
	ctx, cancel := context.WithCancel(t.Context())
	failing := make(chan error, 1)
	go func() { failing <- d.FailNextSync(ctx) }()
	m := d.MountSpared()
	spared, err := m.Open("/a")
	if err != nil {
		t.Fatal(err)
	}
	content := make([]byte, 7)
	if _, err := spared.ReadAt(content, 0); err != nil || string(content) != "content" {
		t.Errorf("read %q: %v", content, err)
	}
	write(t, mustCreate(t, m, "/b"), "more")
	if err := spared.Sync(); err != nil {
		t.Errorf("sync: %v", err)
	}
	cancel()
	if err := <-failing; !errors.Is(err, context.Canceled) {
		t.Errorf("the sync that was to fail was the spared one: %v", err)
	}
	if _, err := f.ReadAt(content, 0); !errors.Is(err, syscall.EIO) {
		t.Errorf("the other mount reads %q: %v", content, err)
	}
}

func TestRenameAcrossDirectoriesNeverLosesTheFile(t *testing.T) {
	for seed := range uint64(50) {
		d := New(Config{KeepProbability: 0.5}, rand.New(rand.NewPCG(seed, 0)), func([]byte) {})
		m := d.Mount()
		f := mustCreate(t, m, "/x/a")
		write(t, f, "content")
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
		if err := m.MkdirAll("/y", 0o755); err != nil {
			t.Fatal(err)
		}
		mustSyncDir(t, m, "/")
		mustSyncDir(t, m, "/x")
		if err := m.Rename("/x/a", "/y/b"); err != nil {
			t.Fatal(err)
		}
		d.PowerLoss()
		m = d.Mount()
		_, err1 := m.Stat("/x/a")
		_, err2 := m.Stat("/y/b")
		if err1 != nil && err2 != nil {
			t.Fatalf("D5: seed %d lost the file: %v, %v", seed, err1, err2)
		}
	}
}

func TestErrorsNameTheFileAndAreInTheTrace(t *testing.T) {
	d, trace := newTestDisk(Config{Name: "d0"})
	m := d.Mount()
	_, err := m.Open("/none")
	var pathError *fs.PathError
	if !errors.As(err, &pathError) || pathError.Path != "/none" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open: %v", err)
	}
	f := mustCreate(t, m, "/a")
	write(t, f, "x")
	d.SetFaults(Faults{ReadErrors: 1})
	if _, err := f.ReadAt(make([]byte, 1), 0); !errors.Is(err, syscall.EIO) {
		t.Errorf("read: %v, want EIO", err)
	}
	if d.Stats().Injected != 1 {
		t.Errorf("%d faults counted, want 1", d.Stats().Injected)
	}
	for _, want := range []string{"disk d0 open /none: ", "disk d0 write /a 0 1 crc=", "disk d0 read /a 0 0: input/output error"} {
		if !strings.Contains(trace.String(), want) {
			t.Errorf("D7: the trace lacks %q:\n%s", want, trace)
		}
	}
}

func TestADiskThatGetsLargerTakesMore(t *testing.T) {
	d, _ := newTestDisk(Config{CapacityBytes: 10})
	f := mustCreate(t, d.Mount(), "/a")
	if n, err := f.Write(make([]byte, 12)); n != 10 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("wrote %d: %v, want 10 and ENOSPC", n, err)
	}
	d.SetCapacity(15)
	if n, err := f.Write(make([]byte, 12)); n != 5 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("with room again wrote %d: %v, want 5 and ENOSPC", n, err)
	}
	d.SetCapacity(3)
	if n, err := f.Write([]byte("x")); n != 0 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("D6: wrote %d to a disk smaller than its content: %v", n, err)
	}
	d.SetCapacity(0)
	write(t, f, "any number")
	if s := d.Stats(); s.Refused != 3 || s.Injected != 3 {
		t.Errorf("%d writes were refused, %d injected, want 3", s.Refused, s.Injected)
	}
}
