package wal

import (
	"errors"
	"os"
	"slices"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/fault"
)

// writeCategory names the log's writes in the statistics of the file system.
const writeCategory vfs.DiskWriteCategory = "plinth-wal"

// housekeep makes the next segment ready and frees dropped ones, until the
// writer has ended. A failure of the disk stops the log: it is not the kind of
// thing to go on with.
func (l *Log) housekeep() {
	defer l.goroutines.Done()
	for {
		job := l.nextJob()
		if job == nil {
			return
		}
		if err := job(); err != nil {
			l.fail(err)
			return
		}
	}
}

// nextJob waits for something to do. It returns nil at the end.
func (l *Log) nextJob() func() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &l.mu.catalog
	for {
		switch {
		case l.mu.failure != nil:
			return nil
		case c.fresh == nil && c.wanted > c.made && !l.mu.writerDone:
			return l.makeReadyLocked(c.wanted)
		case len(c.dropped) > 0 && c.dropped[0].reader.users == 0:
			return l.freeOldestLocked()
		case l.mu.writerDone:
			return nil
		}
		l.house.Wait()
	}
}

// makeReadyLocked returns the job of making segment seq ready.
func (l *Log) makeReadyLocked(seq uint64) func() error {
	c := &l.mu.catalog
	var old *freeFile
	if n := len(c.free); n > 0 {
		last := c.free[n-1]
		old = &last
		c.free = c.free[:n-1]
		l.mu.stats.Recycled++
	}
	return func() error {
		fresh, err := makeSegment(l.opts.FS, l.opts.Dir, seq, old)
		if err != nil {
			return err
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		c.fresh, c.made = fresh, seq
		l.ready.Broadcast()
		return nil
	}
}

// makeSegment makes a file that is ready to take the records of segment seq,
// out of old if given: its header and its name are on disk (L4).
func makeSegment(fs vfs.FS, dir string, seq uint64, old *freeFile) (*freshSegment, error) {
	s := &freshSegment{seq: seq, path: fs.PathJoin(dir, segmentName(seq)), size: segmentHeaderBytes}
	if old != nil {
		if err := fs.Rename(old.path, s.path); err != nil {
			return nil, ioError("rename", old.path, err)
		}
		s.size = max(s.size, old.size)
	}
	f, err := fs.OpenReadWrite(s.path, writeCategory)
	if err != nil {
		return nil, ioError("create", s.path, err)
	}
	s.file = f
	err = syncDir(fs, dir)
	if err == nil {
		if _, err = f.WriteAt(segmentHeader(seq), 0); err != nil {
			err = ioError("write", s.path, err)
		} else {
			err = ioError("sync", s.path, f.Sync())
		}
	}
	if err != nil {
		return nil, closeAfter(err, f)
	}
	return s, nil
}

// closeAfter closes a file that failed and returns the failure.
func closeAfter(err error, f vfs.File) error {
	// The first error is the one to tell; the file is given up either way.
	_ = f.Close()
	return err
}

// freeOldestLocked returns the job of freeing the oldest dropped segment. One
// after the other, oldest first, each on disk before the next: so a crash leaves
// no hole (L6), and no crash shows a segment's name with new content (L4).
func (l *Log) freeOldestLocked() func() error {
	c := &l.mu.catalog
	s := c.dropped[0]
	keep := len(c.free) < l.opts.FreeSegments && s.size <= l.opts.SegmentBytes+l.opts.SegmentBytes/4 && !fault.Point("wal.segment.useOnce")
	return func() error {
		if s.reader.file != nil {
			if err := s.reader.file.Close(); err != nil {
				return ioError("close", s.path, err)
			}
			s.reader.file = nil
		}
		free, err := freeSegment(l.opts.FS, l.opts.Dir, s, keep)
		if err != nil {
			return err
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		c.dropped = c.dropped[1:]
		if free != nil {
			c.free = append(c.free, *free)
		}
		return nil
	}
}

// freeSegment takes a segment out of the log and returns its file if it is to
// be used again. If it cannot be renamed, on a full disk say, it is removed.
func freeSegment(fs vfs.FS, dir string, s *segment, keep bool) (*freeFile, error) {
	f := &freeFile{path: fs.PathJoin(dir, freeName(s.seq)), size: s.size}
	if !keep || fs.Rename(s.path, f.path) != nil {
		if err := fs.Remove(s.path); err != nil {
			return nil, ioError("remove", s.path, err)
		}
		f = nil
	}
	return f, syncDir(fs, dir)
}

// syncDir puts the names in a directory on disk.
func syncDir(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return ioError("open directory", dir, err)
	}
	if err := d.Sync(); err != nil {
		return closeAfter(ioError("sync directory", dir, err), d)
	}
	return ioError("close directory", dir, d.Close())
}

// makeDir makes the directory and those of its parents that do not exist, each
// on disk before the next is made. A process that was killed can so have left at
// most one whose name is not on disk, the deepest: that name is synced again.
func makeDir(fs vfs.FS, dir string) error {
	var missing []string
	at := dir
	for ; ; at = fs.PathDir(at) {
		if _, err := fs.Stat(at); err == nil || fs.PathDir(at) == at {
			break
		}
		missing = append(missing, at)
	}
	if err := syncName(fs, at); err != nil {
		return err
	}
	for _, path := range slices.Backward(missing) {
		if err := fs.MkdirAll(path, 0o755); err != nil {
			return ioError("create directory", path, err)
		}
		if err := syncDir(fs, fs.PathDir(path)); err != nil {
			return err
		}
	}
	return nil
}

// syncName puts the name of a directory that exists on disk. One whose parent
// this process may not open, or whose file system cannot sync directories, was
// not made by makeDir.
func syncName(fs vfs.FS, dir string) error {
	parent := fs.PathDir(dir)
	if parent == dir {
		return nil
	}
	err := syncDir(fs, parent)
	if errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EINVAL) {
		return nil
	}
	return err
}
