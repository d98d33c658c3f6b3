package cluster

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/wire"
)

// The parts of a data directory.
const (
	lockFile   = "LOCK"    // held while a process uses the directory (C1)
	ownerFile  = "OWNER"   // says who that is, for the error message of others
	formatFile = "FORMAT"  // the format of everything below
	logDir     = "log"     // the write-ahead log
	storageDir = "storage" // the storage server's engine

	// formatVersion is the newest format that this code reads and writes.
	formatVersion = 1
	formatPrefix  = "plinth data directory, format "
)

// directory is a data directory that this process holds.
type directory struct {
	fs   vfs.FS
	path string
	lock io.Closer
}

// openDirectory makes the directory if it does not exist and takes its lock.
// It returns ErrDirectoryInUse, which says who has it, ErrNewerFormat, or
// ErrFileCorrupt for a directory that holds something else.
func openDirectory(fs vfs.FS, path string) (*directory, error) {
	if err := fs.MkdirAll(path, 0o755); err != nil {
		return nil, diskError(path, err)
	}
	d, err := lockDirectory(fs, path)
	if err != nil {
		return nil, err
	}
	// This syncs the directory too: a part of it that a killed process made, and
	// whose name it did not live to sync, may be relied on from here on.
	if err := d.writeFile(ownerFile, owner()); err != nil {
		return nil, errors.Join(err, d.lock.Close())
	}
	return d, nil
}

// lockDirectory takes the lock of a directory that exists, and checks or, in an
// empty one, writes its format.
func lockDirectory(fs vfs.FS, path string) (*directory, error) {
	lock, err := fs.Lock(lockName(fs, path))
	if err != nil {
		return nil, lockError(fs, path, err)
	}
	d := &directory{fs: fs, path: path, lock: lock}
	if err := d.checkFormat(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return d, nil
}

// lockName returns the name under which the lock is taken. The operating
// system's locks are between processes, and within a process Pebble tells them
// apart by name: other spellings of a directory must not pass for another one.
func lockName(fs vfs.FS, path string) string {
	if fs == vfs.Default {
		if followed, err := filepath.EvalSymlinks(path); err == nil {
			path = followed
		}
		if absolute, err := filepath.Abs(path); err == nil {
			path = absolute
		}
	}
	return fs.PathJoin(path, lockFile)
}

// lockError says who has the directory, as far as that is known, or what else
// is wrong with the lock file.
func lockError(fs vfs.FS, path string, err error) error {
	if !lockIsHeld(fs, path, err) {
		return diskError(fs.PathJoin(path, lockFile), err)
	}
	who := "another process"
	if text, readErr := readFile(fs, fs.PathJoin(path, ownerFile)); readErr == nil && len(text) > 0 {
		who = strings.TrimSpace(string(text))
	}
	remedy := "stop it first, or open another directory"
	if heldHere(fs, err) {
		remedy = "that is this very process: open a store once and share its handle, which any number of goroutines may use, or close it first"
	}
	return wire.ErrDirectoryInUse.With("data directory %s is in use by %s; %s", path, who, remedy).Because(err)
}

// heldHere reports that the lock is known to be held by this process. The id in
// the owner file proves nothing: every container may have a process 1.
func heldHere(fs vfs.FS, err error) bool {
	_, inMemory := fs.(*vfs.MemFS)
	return inMemory || strings.Contains(err.Error(), "held by current process")
}

// lockIsHeld tells a lock that somebody holds from one that cannot be taken.
// Some systems answer EACCES in the first case, as they do when the lock file
// may not be opened.
func lockIsHeld(fs vfs.FS, path string, err error) bool {
	if errors.Is(err, syscall.EACCES) {
		f, openErr := fs.OpenReadWrite(fs.PathJoin(path, lockFile), vfs.WriteCategoryUnspecified)
		return openErr == nil && f.Close() == nil
	}
	return errors.Is(err, syscall.EAGAIN) || strings.Contains(err.Error(), "lock held")
}

func owner() string {
	return fmt.Sprintf("process %d (%s), which opened it at %s\n", os.Getpid(), os.Args[0], time.Now().UTC().Format(time.RFC3339))
}

// checkFormat writes the format file of a new directory and checks an old one.
func (d *directory) checkFormat() error {
	path := d.fs.PathJoin(d.path, formatFile)
	text, err := readFile(d.fs, path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return d.initialize()
	case err != nil:
		return wire.ErrIO.With("cannot read %s", path).Because(err)
	}
	rest, found := strings.CutPrefix(strings.TrimSpace(string(text)), formatPrefix)
	version, numErr := strconv.Atoi(rest)
	switch {
	case !found || numErr != nil:
		return wire.ErrFileCorrupt.With("%s holds %.60q, not the format of a data directory; if this is one, restore that file, it reads %q",
			path, text, formatPrefix+strconv.Itoa(formatVersion))
	case version > formatVersion:
		return wire.ErrNewerFormat.With("data directory %s has format %d, this version of Plinth knows formats up to %d; open it with the newer version",
			d.path, version, formatVersion)
	case version < formatVersion:
		return wire.ErrFileCorrupt.With("%s names format %d, which never existed", path, version)
	}
	return nil
}

// initialize marks an empty directory as a data directory. One that already
// holds a log or an engine has lost its format file: it is not touched.
func (d *directory) initialize() error {
	for _, part := range []string{logDir, storageDir} {
		if _, err := d.fs.Stat(d.fs.PathJoin(d.path, part)); err == nil {
			return wire.ErrFileCorrupt.With("data directory %s holds %s but no file %s; restore that file, it reads %q",
				d.path, part, formatFile, formatPrefix+strconv.Itoa(formatVersion))
		}
	}
	// A format file proves to every later opening that the names of the
	// directory and its parents are on disk, so they must be there before it.
	if err := d.syncParents(); err != nil {
		return err
	}
	return d.writeFile(formatFile, formatPrefix+strconv.Itoa(formatVersion)+"\n")
}

// syncParents puts the name of the directory on disk, and those of its
// parents, which may be new as well. A parent that this process may not open,
// or whose file system cannot sync directories, was not made by it.
func (d *directory) syncParents() error {
	for at := d.path; d.fs.PathDir(at) != at; {
		at = d.fs.PathDir(at)
		parent, err := d.fs.OpenDir(at)
		if err == nil {
			err = errors.Join(parent.Sync(), parent.Close())
		}
		if err != nil && !errors.Is(err, os.ErrPermission) && !errors.Is(err, syscall.EINVAL) {
			return diskError(at, err)
		}
	}
	return nil
}

// writeFile puts a small file in place as a whole: written aside, synced,
// renamed, directory synced.
func (d *directory) writeFile(name, text string) (err error) {
	path := d.fs.PathJoin(d.path, name)
	defer func() {
		if err != nil {
			err = diskError(path, err)
		}
	}()
	f, err := d.fs.Create(path+".new", vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte(text))
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := d.fs.Rename(path+".new", path); err != nil {
		return err
	}
	dir, err := d.fs.OpenDir(d.path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func diskError(path string, err error) error {
	if vfs.IsNoSpaceError(err) {
		return wire.ErrDiskFull.With("disk is full: cannot write %s; make room, then open the store again", path).Because(err)
	}
	return wire.ErrIO.With("cannot write %s", path).Because(err)
}

// close gives the directory up. A directory whose disk has failed may keep the
// owner file; only the lock counts.
func (d *directory) close() error {
	_ = d.fs.Remove(d.fs.PathJoin(d.path, ownerFile))
	return d.lock.Close()
}

func readFile(fs vfs.FS, path string) ([]byte, error) {
	f, err := fs.Open(path)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, 4096))
	return text, errors.Join(err, f.Close())
}
