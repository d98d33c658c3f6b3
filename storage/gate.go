package storage

import (
	"os"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// gate is a file system that can be shut: from then on everything that would
// change a file fails, so that what is on disk stays as it was (S6). Pebble
// expects its Fatalf not to return. A library must not end its caller's
// process, so Fatalf shuts the gate and returns; whatever Pebble does after
// that happens in memory only, and the server no longer looks at it.
//
// Pebble repeats a failed flush at once and for ever. So creating a file
// behind a shut gate takes a moment, which keeps that loop from being a busy
// one until Close ends it.
type gate struct {
	vfs.FS
	shut *shutter
	// fatal is told that a directory could not be synced.
	fatal func(error)
}

// shutter is the state of a gate, shared with its open files.
type shutter struct {
	closing chan struct{} // closed when the server closes: no more delays
	mu      struct {
		sync.RWMutex
		err error
	}
}

// failedCreateDelay is how long creating a file behind a shut gate takes.
const failedCreateDelay = 50 * time.Millisecond

func newGate(fs vfs.FS, closing chan struct{}, fatal func(error)) *gate {
	return &gate{FS: fs, shut: &shutter{closing: closing}, fatal: fatal}
}

// close shuts the gate with the error that every change gets from now on.
func (s *shutter) close(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.err == nil {
		s.mu.err = err
	}
}

func (s *shutter) check() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.mu.err
}

// checkSlowly is check with a delay when the gate is shut.
func (s *shutter) checkSlowly() error {
	err := s.check()
	if err == nil {
		return nil
	}
	timer := time.NewTimer(failedCreateDelay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.closing:
	}
	return err
}

func (g *gate) wrap(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &gatedFile{File: f, shut: g.shut}, nil
}

// Create is vfs.FS's.
func (g *gate) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := g.shut.checkSlowly(); err != nil {
		return nil, err
	}
	return g.wrap(g.FS.Create(name, category))
}

// OpenReadWrite is vfs.FS's.
func (g *gate) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	if err := g.shut.check(); err != nil {
		return nil, err
	}
	return g.wrap(g.FS.OpenReadWrite(name, category, opts...))
}

// OpenDir is vfs.FS's.
func (g *gate) OpenDir(name string) (vfs.File, error) {
	f, err := g.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &gatedDir{File: f, gate: g}, nil
}

// ReuseForWrite is vfs.FS's.
func (g *gate) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := g.shut.check(); err != nil {
		return nil, err
	}
	return g.wrap(g.FS.ReuseForWrite(oldname, newname, category))
}

// Link is vfs.FS's.
func (g *gate) Link(oldname, newname string) error {
	if err := g.shut.check(); err != nil {
		return err
	}
	return g.FS.Link(oldname, newname)
}

// Remove is vfs.FS's.
func (g *gate) Remove(name string) error {
	if err := g.shut.check(); err != nil {
		return err
	}
	return g.FS.Remove(name)
}

// RemoveAll is vfs.FS's.
func (g *gate) RemoveAll(name string) error {
	if err := g.shut.check(); err != nil {
		return err
	}
	return g.FS.RemoveAll(name)
}

// Rename is vfs.FS's.
func (g *gate) Rename(oldname, newname string) error {
	if err := g.shut.check(); err != nil {
		return err
	}
	return g.FS.Rename(oldname, newname)
}

// MkdirAll is vfs.FS's.
func (g *gate) MkdirAll(dir string, perm os.FileMode) error {
	if err := g.shut.check(); err != nil {
		return err
	}
	return g.FS.MkdirAll(dir, perm)
}

// Unwrap is vfs.FS's.
func (g *gate) Unwrap() vfs.FS { return g.FS }

// gatedFile is a file that was opened for writing behind a gate.
type gatedFile struct {
	vfs.File
	shut *shutter
}

// Write is vfs.File's.
func (f *gatedFile) Write(p []byte) (int, error) {
	if err := f.shut.check(); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

// WriteAt is vfs.File's.
func (f *gatedFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.shut.check(); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, off)
}

// Sync is vfs.File's.
func (f *gatedFile) Sync() error {
	if err := f.shut.check(); err != nil {
		return err
	}
	return f.File.Sync()
}

// SyncData is vfs.File's.
func (f *gatedFile) SyncData() error {
	if err := f.shut.check(); err != nil {
		return err
	}
	return f.File.SyncData()
}

// SyncTo is vfs.File's.
func (f *gatedFile) SyncTo(length int64) (bool, error) {
	if err := f.shut.check(); err != nil {
		return false, err
	}
	return f.File.SyncTo(length)
}

// gatedDir is a directory behind a gate.
type gatedDir struct {
	vfs.File
	gate *gate
}

// Sync is vfs.File's. Pebble panics if it fails, on a goroutine of its own. So
// a failure is told to the server, which shuts the gate and believes nothing
// of the engine any more, and not to Pebble.
func (d *gatedDir) Sync() error {
	if d.gate.shut.check() != nil {
		return nil
	}
	if err := d.File.Sync(); err != nil {
		d.gate.fatal(err)
	}
	return nil
}
