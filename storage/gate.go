package storage

import (
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// gate is a file system that can be shut: from then on nothing changes a file,
// so that what is on disk stays as it was (S6). Pebble expects its Fatalf not
// to return. A library must not end its caller's process, so Fatalf shuts the
// gate and returns; whatever Pebble does after that happens in memory only, and
// the server no longer looks at it.
//
// What Pebble is told behind a shut gate depends on what it does. At work it
// gets the error. It repeats a failed flush at once and for ever, so creating
// a file then takes a moment, which keeps that loop from being a busy one until
// Close ends it. While it opens there is no Close: pebble.Open would wait for
// that flush without end. So during the opening every change that fails shuts
// the gate, and is reported to Pebble as done. Pebble then comes to the end of
// its opening and can be closed as any other, which also ends its goroutines.
type gate struct {
	vfs.FS
	// fatal is told of a failed change that is hidden from Pebble. It shuts the
	// gate.
	fatal   func(error)
	closing chan struct{} // closed when the server closes: no more delays
	// opening says that failures are to be hidden from Pebble.
	opening atomic.Bool
	// changing is held for reading by every change under way.
	changing sync.RWMutex
	mu       struct {
		sync.RWMutex
		err error
	}
}

// failedCreateDelay is how long creating a file behind a shut gate takes.
const failedCreateDelay = 50 * time.Millisecond

// newGate returns an open gate to fs for an engine that is being opened.
func newGate(fs vfs.FS, closing chan struct{}, fatal func(error)) *gate {
	g := &gate{FS: fs, closing: closing, fatal: fatal}
	g.opening.Store(true)
	return g
}

// shut makes every change fail from now on with err.
func (g *gate) shut(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.mu.err == nil {
		g.mu.err = err
	}
}

// drain waits for the changes under way. After shut and drain the disk is left
// alone, whatever runs on in Pebble.
func (g *gate) drain() {
	g.changing.Lock()
	defer g.changing.Unlock()
}

func (g *gate) check() error {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.mu.err
}

// delay waits a moment if the gate is shut.
func (g *gate) delay() {
	if g.opening.Load() || g.check() == nil {
		return
	}
	timer := time.NewTimer(failedCreateDelay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-g.closing:
	}
}

// change makes a change of the disk unless the gate is shut. A failure that is
// hidden from Pebble returns hidden.
func change[T any](g *gate, hidden T, do func() (T, error)) (T, error) {
	g.changing.RLock()
	defer g.changing.RUnlock()
	result, err := hidden, g.check()
	if err == nil {
		result, err = do()
	}
	if err != nil && g.opening.Load() {
		g.fatal(err)
		return hidden, nil
	}
	return result, err
}

// change is the function of that name for a change without a result.
func (g *gate) change(do func() error) error {
	_, err := change(g, struct{}{}, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

// create makes a file. One whose failure is hidden from Pebble is in memory.
func (g *gate) create(do func() (vfs.File, error)) (vfs.File, error) {
	g.delay()
	f, err := change(g, nil, do)
	if err == nil && f == nil {
		f, err = vfs.NewMem().Create("nowhere", vfs.WriteCategoryUnspecified)
	}
	if err != nil {
		return nil, err
	}
	return &gatedFile{File: f, gate: g}, nil
}

// syncBeforeMarker syncs the directory of name if it is one of Pebble's
// markers.
//
// A marker's name holds the name of a manifest. Pebble creates a manifest,
// creates the new marker, removes the old one, and only then syncs the
// directory. A file system may bring these entries to disk in any order: after
// a power failure the marker named a manifest that was not there, and the store
// could not be opened. So a manifest is made durable before its marker, and a
// marker before the one that it replaces goes.
func (g *gate) syncBeforeMarker(name string) error {
	if !strings.HasPrefix(g.FS.PathBase(name), "marker.") {
		return nil
	}
	dir, err := g.FS.OpenDir(g.FS.PathDir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Create is vfs.FS's.
func (g *gate) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return g.create(func() (vfs.File, error) {
		if err := g.syncBeforeMarker(name); err != nil {
			return nil, err
		}
		return g.FS.Create(name, category)
	})
}

// OpenReadWrite is vfs.FS's.
func (g *gate) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return g.create(func() (vfs.File, error) { return g.FS.OpenReadWrite(name, category, opts...) })
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
	return g.create(func() (vfs.File, error) { return g.FS.ReuseForWrite(oldname, newname, category) })
}

// Link is vfs.FS's.
func (g *gate) Link(oldname, newname string) error {
	return g.change(func() error { return g.FS.Link(oldname, newname) })
}

// Remove is vfs.FS's. Its failure is not hidden: Pebble can do without, and
// expects not to find some of the files.
func (g *gate) Remove(name string) error {
	var failure error
	err := g.change(func() error {
		if err := g.syncBeforeMarker(name); err != nil {
			// Pebble would take no notice, and the next sync of the directory may
			// report success for what this one lost.
			g.fatal(err)
			return err
		}
		failure = g.FS.Remove(name)
		return nil
	})
	if err != nil {
		return err
	}
	return failure
}

// RemoveAll is vfs.FS's. Its failure is not hidden, as in Remove.
func (g *gate) RemoveAll(name string) error {
	var failure error
	err := g.change(func() error {
		failure = g.FS.RemoveAll(name)
		return nil
	})
	if err != nil {
		return err
	}
	return failure
}

// Rename is vfs.FS's.
func (g *gate) Rename(oldname, newname string) error {
	return g.change(func() error { return g.FS.Rename(oldname, newname) })
}

// List is vfs.FS's. Its failure is hidden like that of a change: Pebble lists
// the directory last of all, and would leave goroutines behind. The gate is
// shut before Pebble takes the directory for an empty one.
func (g *gate) List(dir string) ([]string, error) {
	names, err := g.FS.List(dir)
	if err != nil && g.opening.Load() {
		g.fatal(err)
		return nil, nil
	}
	return names, err
}

// MkdirAll is vfs.FS's. Its failure is not hidden: nothing of Pebble runs yet.
func (g *gate) MkdirAll(dir string, perm os.FileMode) error {
	if err := g.check(); err != nil {
		return err
	}
	return g.FS.MkdirAll(dir, perm)
}

// Unwrap is vfs.FS's.
func (g *gate) Unwrap() vfs.FS { return g.FS }

// gatedFile is a file that was opened for writing behind a gate.
type gatedFile struct {
	vfs.File
	gate *gate
}

// Write is vfs.File's.
func (f *gatedFile) Write(p []byte) (int, error) {
	return change(f.gate, len(p), func() (int, error) { return f.File.Write(p) })
}

// WriteAt is vfs.File's.
func (f *gatedFile) WriteAt(p []byte, off int64) (int, error) {
	return change(f.gate, len(p), func() (int, error) { return f.File.WriteAt(p, off) })
}

// Preallocate is vfs.File's. Its failure is not hidden: Pebble can do without.
func (f *gatedFile) Preallocate(offset, length int64) error {
	var failure error
	err := f.gate.change(func() error {
		failure = f.File.Preallocate(offset, length)
		return nil
	})
	if err != nil {
		return err
	}
	return failure
}

// Sync is vfs.File's.
func (f *gatedFile) Sync() error { return f.gate.change(f.File.Sync) }

// SyncData is vfs.File's.
func (f *gatedFile) SyncData() error { return f.gate.change(f.File.SyncData) }

// SyncTo is vfs.File's.
func (f *gatedFile) SyncTo(length int64) (bool, error) {
	return change(f.gate, false, func() (bool, error) { return f.File.SyncTo(length) })
}

// Close is vfs.File's. It closes the file behind a shut gate too.
func (f *gatedFile) Close() error {
	err := f.File.Close()
	if err == nil {
		return nil
	}
	return f.gate.change(func() error { return err })
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
	d.gate.changing.RLock()
	defer d.gate.changing.RUnlock()
	if d.gate.check() != nil {
		return nil
	}
	if err := d.File.Sync(); err != nil {
		d.gate.fatal(err)
	}
	return nil
}
