package cluster

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/plinthdb/plinth/internal/wire"
)

// A store in a new directory was gone after a loss of power, because nobody had
// synced the directory that holds the data directory's name. A new one then took
// its place, whose versions began again at 100,000,000, below those that had been
// acknowledged (simulation, seed 1 of 2026-11-23, as a violation of E1).
func TestNewDataDirectorySurvivesALossOfPower(t *testing.T) {
	fs := vfs.NewCrashableMem()
	l := open(t, fs, "/parent/store")
	commit, err := l.Commit(t.Context(), setRequest(readVersion(t, l), "key", "value"))
	if err != nil {
		t.Fatal(err)
	}
	crashed := fs.CrashClone(vfs.CrashCloneCfg{})
	closeStore(t, l)

	l = open(t, crashed, "/parent/store")
	defer closeStore(t, l)
	if got := get(t, l, "key"); got != "value" {
		t.Errorf("after the loss of power the key holds %s", got)
	}
	if v := readVersion(t, l); v < commit.Version {
		t.Errorf("T1: after the loss of power the read version is %d, acknowledged was %d", v, commit.Version)
	}
}

// The same directory could be opened a second time in one process, under
// another spelling of its name, and the two stores wrote over each other.
func TestADirectoryIsTheSameUnderEveryName(t *testing.T) {
	parent := t.TempDir()
	dir, link := filepath.Join(parent, "store"), filepath.Join(parent, "link")
	defer closeStore(t, open(t, vfs.Default, dir))
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	t.Chdir(parent)
	for _, name := range []string{"store", "./store", dir + "/.", link} {
		l, err := OpenLocal(context.Background(), LocalConfig{FS: vfs.Default, Dir: name})
		if !errors.Is(err, wire.ErrDirectoryInUse) {
			t.Errorf("C1: second open as %s: %v", name, err)
		}
		if err == nil {
			closeStore(t, l)
		}
	}
}

// A lock file that could not be made was said to be in use by another process.
func TestALockThatCannotBeTakenIsNotOneThatIsHeld(t *testing.T) {
	for cause, want := range map[syscall.Errno]error{
		syscall.ENOSPC: wire.ErrDiskFull,
		syscall.EROFS:  wire.ErrIO,
		syscall.EAGAIN: wire.ErrDirectoryInUse,
	} {
		fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
			if op.Kind == errorfs.OpLock {
				return cause
			}
			return nil
		}))
		_, err := OpenLocal(context.Background(), LocalConfig{FS: fs, Dir: "data"})
		if !errors.Is(err, want) || strings.Contains(err.Error(), "this very process") {
			t.Errorf("lock fails with %v: %v, want %v", cause, err, want)
		}
	}
}
