package disk

import (
	"io"
	"io/fs"
	"path"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// file is an open file or directory of a mount.
type file struct {
	mount *Mount
	name  string
	node  *inode
	// pos and closed are guarded by the disk's lock.
	pos    int64
	closed bool
}

var _ vfs.File = (*file)(nil)

func newFile(m *Mount, name string, n *inode) *file {
	return &file{mount: m, name: name, node: n}
}

// wait takes the time of one operation and returns with the disk locked. It
// returns the error that the operation must have instead of its effect.
func (f *file) wait(kind opKind) (d *Disk, err error) {
	d = f.mount.disk
	d.mu.Lock()
	if err := f.usableLocked(); err != nil {
		return d, err
	}
	delay, injected := d.drawLocked(f.mount, kind)
	if delay > 0 {
		d.mu.Unlock()
		time.Sleep(delay)
		d.mu.Lock()
		if err := f.usableLocked(); err != nil {
			return d, err
		}
	}
	return d, injected
}

func (f *file) usableLocked() error {
	switch {
	case f.mount.dead.Load():
		return ErrDead
	case f.closed:
		return fs.ErrClosed
	}
	return nil
}

func (f *file) wrap(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &fs.PathError{Op: op, Path: f.name, Err: err}
}

// Close implements vfs.File.
func (f *file) Close() error {
	d := f.mount.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := f.usableLocked(); err != nil {
		return f.wrap("close", err)
	}
	f.closed = true
	d.traceLocked("close", f.name, -1, -1, nil)
	return nil
}

// Read implements io.Reader.
func (f *file) Read(p []byte) (int, error) {
	d, err := f.wait(opRead)
	defer d.mu.Unlock()
	n, err := f.readLocked(p, f.pos, err)
	f.pos += int64(n)
	return n, err
}

// ReadAt implements io.ReaderAt.
func (f *file) ReadAt(p []byte, off int64) (int, error) {
	d, err := f.wait(opRead)
	defer d.mu.Unlock()
	n, err := f.readLocked(p, off, err)
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

func (f *file) readLocked(p []byte, off int64, err error) (n int, _ error) {
	switch {
	case err != nil:
	case f.node.file == nil:
		err = syscall.EISDIR
	case off >= int64(len(f.node.file.data)) && len(p) > 0:
		err = io.EOF
	default:
		n = copy(p, f.node.file.data[min(off, int64(len(f.node.file.data))):])
		f.mount.disk.flipReadLocked(f, p[:n], off)
	}
	if !f.mount.dead.Load() {
		f.mount.disk.traceLocked("read", f.name, off, int64(n), err)
	}
	return n, f.wrap("read", err)
}

// Write implements io.Writer.
func (f *file) Write(p []byte) (int, error) {
	d, err := f.wait(opWrite)
	defer d.mu.Unlock()
	n, err := f.writeLocked(p, f.pos, err)
	f.pos += int64(n)
	return n, err
}

// WriteAt implements io.WriterAt.
func (f *file) WriteAt(p []byte, off int64) (int, error) {
	d, err := f.wait(opWrite)
	defer d.mu.Unlock()
	return f.writeLocked(p, off, err)
}

// writeLocked writes p, or a random part of it if the write fails.
func (f *file) writeLocked(p []byte, off int64, err error) (int, error) {
	d := f.mount.disk
	if f.mount.dead.Load() || f.closed {
		return 0, f.wrap("write", err)
	}
	if f.node.file == nil {
		return 0, f.wrap("write", syscall.EISDIR)
	}
	data := f.node.file
	written := len(p)
	if err != nil {
		written = d.mu.rng.IntN(len(p) + 1)
	}
	grow := off + int64(written) - int64(len(data.data))
	if fits := d.spaceLocked(f.mount, grow); fits < grow {
		d.mu.stats.Injected++
		d.mu.stats.Refused++
		err = syscall.ENOSPC
		written = max(0, written-int(grow-fits))
	}
	before := len(data.data)
	data.writeAt(p[:written], off)
	if f.node.links > 0 {
		d.mu.used += int64(len(data.data) - before)
	}
	d.mu.stats.BytesWritten += uint64(written)
	f.node.modTime = time.Now()
	d.traceWriteLocked(f.name, off, p[:written], err)
	return written, f.wrap("write", err)
}

// Sync implements vfs.File. It covers what was written before the call (D1).
func (f *file) Sync() error {
	d := f.mount.disk
	d.mu.Lock()
	var covered int
	var pending pendingSync
	if f.node.dir != nil {
		covered = f.node.dir.beginSync()
	} else {
		pending = f.node.file.beginSync()
	}
	d.mu.Unlock()

	d, err := f.wait(opSync)
	defer d.mu.Unlock()
	switch {
	case f.mount.dead.Load() || f.closed:
		return f.wrap("sync", err)
	case err != nil && f.node.file != nil:
		f.node.file.failSync(pending)
	case err != nil:
	case f.node.dir != nil:
		f.node.dir.finishSync(covered)
	default:
		f.node.file.finishSync(pending)
	}
	d.traceLocked("sync", f.name, int64(len(pending.blocks)), -1, err)
	return f.wrap("sync", err)
}

// SyncData implements vfs.File.
func (f *file) SyncData() error { return f.Sync() }

// SyncTo implements vfs.File. It promises nothing, as on Linux.
func (f *file) SyncTo(int64) (fullSync bool, err error) { return false, nil }

// Stat implements vfs.File.
func (f *file) Stat() (vfs.FileInfo, error) {
	d := f.mount.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := f.usableLocked(); err != nil {
		return nil, f.wrap("stat", err)
	}
	return f.node.infoLocked(f.name), nil
}

// Preallocate implements vfs.File. It reserves nothing and the size stays.
func (f *file) Preallocate(int64, int64) error { return nil }

// Prefetch implements vfs.File.
func (f *file) Prefetch(int64, int64) error { return nil }

// Fd implements vfs.File.
func (f *file) Fd() uintptr { return vfs.InvalidFd }

// fileInfo adds what vfs wants to know.
type fileInfo struct{ info }

// DeviceID implements vfs.FileInfo.
func (*fileInfo) DeviceID() vfs.DeviceID { return vfs.DeviceID{} }

func (n *inode) infoLocked(name string) vfs.FileInfo {
	i := &fileInfo{info{name: path.Base(name), dir: n.dir != nil, modTime: n.modTime}}
	if n.file != nil {
		i.size = int64(len(n.file.data))
	}
	return i
}
