package disk

import (
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Mount is the disk as one process sees it, until that process is killed.
type Mount struct {
	disk *Disk
	// spared says that the disk's faults do not concern the mount.
	spared bool
	dead   atomic.Bool
}

var _ vfs.FS = (*Mount)(nil)

// Kill ends the mount. Everything that was written stays, synced or not, as
// when a process dies and its machine does not.
func (m *Mount) Kill() {
	d := m.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if m.dead.Swap(true) {
		return
	}
	for name, holder := range d.mu.locks {
		if holder == m {
			delete(d.mu.locks, name)
		}
	}
	d.traceLocked("kill", "", -1, -1, nil)
}

// Dead reports whether the mount has ended.
func (m *Mount) Dead() bool { return m.dead.Load() }

// entry runs f, which looks up or changes directory entries, under the lock
// and traces it. A change can fail by chance, before it did anything.
func (m *Mount) entry(op, name string, changes bool, f func(d *Disk) error) error {
	d := m.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if m.dead.Load() {
		return &fs.PathError{Op: op, Path: name, Err: ErrDead}
	}
	var err error
	if changes {
		_, err = d.drawLocked(m, opEntry)
	}
	if err == nil {
		err = f(d)
	}
	if err != nil {
		err = &fs.PathError{Op: op, Path: name, Err: err}
	}
	d.traceLocked(op, name, -1, -1, err)
	return err
}

// split cleans name and returns its elements.
func split(name string) []string {
	clean := strings.Trim(path.Clean("/"+name), "/")
	if clean == "" {
		return nil
	}
	return strings.Split(clean, "/")
}

// lookLocked finds the inode called name.
func (d *Disk) lookLocked(name string) (*inode, error) {
	n := d.mu.root
	for _, element := range split(name) {
		if n.dir == nil {
			return nil, syscall.ENOTDIR
		}
		child, ok := n.dir.entries[element]
		if !ok {
			return nil, fs.ErrNotExist
		}
		n = child
	}
	return n, nil
}

// parentLocked finds the directory that name is or would be in.
func (d *Disk) parentLocked(name string) (dir *dirData, base string, err error) {
	elements := split(name)
	if len(elements) == 0 {
		return nil, "", fs.ErrInvalid
	}
	base = elements[len(elements)-1]
	n, err := d.lookLocked(strings.Join(elements[:len(elements)-1], "/"))
	if err != nil {
		return nil, "", err
	}
	if n.dir == nil {
		return nil, "", syscall.ENOTDIR
	}
	return n.dir, base, nil
}

// unlinkLocked notes that n lost a name.
func (d *Disk) unlinkLocked(n *inode) {
	n.links--
	if n.links == 0 && n.file != nil {
		d.mu.used -= int64(len(n.file.data))
	}
}

// Create implements vfs.FS.
func (m *Mount) Create(name string, _ vfs.DiskWriteCategory) (vfs.File, error) {
	var file *file
	err := m.entry("create", name, true, func(d *Disk) error {
		dir, base, err := d.parentLocked(name)
		if err != nil {
			return err
		}
		if old := dir.entries[base]; old != nil {
			if old.dir != nil {
				return syscall.EISDIR
			}
			d.unlinkLocked(old)
		}
		n := &inode{file: &fileData{}, links: 1, modTime: time.Now()}
		dir.apply(dirChange{names: []string{base}, inodes: []*inode{n}})
		file = newFile(m, name, n)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return file, nil
}

func (m *Mount) open(op, name string) (*file, error) {
	var file *file
	err := m.entry(op, name, false, func(d *Disk) error {
		n, err := d.lookLocked(name)
		if err != nil {
			return err
		}
		file = newFile(m, name, n)
		return nil
	})
	return file, err
}

// Open implements vfs.FS.
func (m *Mount) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	f, err := m.open("open", name)
	if err != nil {
		return nil, err
	}
	for _, o := range opts {
		o.Apply(f)
	}
	return f, nil
}

// OpenReadWrite implements vfs.FS.
func (m *Mount) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	if _, err := m.Stat(name); os.IsNotExist(err) {
		return m.Create(name, c)
	}
	return m.Open(name, opts...)
}

// OpenDir implements vfs.FS.
func (m *Mount) OpenDir(name string) (vfs.File, error) {
	f, err := m.open("opendir", name)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Remove implements vfs.FS.
func (m *Mount) Remove(name string) error {
	return m.entry("remove", name, true, func(d *Disk) error {
		dir, base, err := d.parentLocked(name)
		if err != nil {
			return err
		}
		n := dir.entries[base]
		if n == nil {
			return fs.ErrNotExist
		}
		if n.dir != nil && len(n.dir.entries) > 0 {
			return syscall.ENOTEMPTY
		}
		dir.apply(dirChange{names: []string{base}, inodes: []*inode{nil}})
		d.unlinkLocked(n)
		return nil
	})
}

// RemoveAll implements vfs.FS.
func (m *Mount) RemoveAll(name string) error {
	if info, err := m.Stat(name); err == nil && info.IsDir() {
		children, err := m.List(name)
		if err != nil {
			return err
		}
		for _, child := range children {
			if err := m.RemoveAll(path.Join(name, child)); err != nil {
				return err
			}
		}
	}
	if err := m.Remove(name); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

// Link implements vfs.FS.
func (m *Mount) Link(oldname, newname string) error {
	return m.entry("link "+oldname, newname, true, func(d *Disk) error {
		n, err := d.lookLocked(oldname)
		if err != nil {
			return err
		}
		if n.dir != nil {
			return syscall.EPERM
		}
		dir, base, err := d.parentLocked(newname)
		if err != nil {
			return err
		}
		if dir.entries[base] != nil {
			return fs.ErrExist
		}
		n.links++
		dir.apply(dirChange{names: []string{base}, inodes: []*inode{n}})
		return nil
	})
}

// Rename implements vfs.FS.
func (m *Mount) Rename(oldname, newname string) error {
	return m.entry("rename "+oldname, newname, true, func(d *Disk) error {
		return d.renameLocked(oldname, newname)
	})
}

func (d *Disk) renameLocked(oldname, newname string) error {
	from, oldbase, err := d.parentLocked(oldname)
	if err != nil {
		return err
	}
	n := from.entries[oldbase]
	if n == nil {
		return fs.ErrNotExist
	}
	to, newbase, err := d.parentLocked(newname)
	if err != nil {
		return err
	}
	old := to.entries[newbase]
	if old == n {
		return nil
	}
	if old != nil {
		if old.dir != nil {
			return syscall.EISDIR
		}
		d.unlinkLocked(old)
	}
	if from == to {
		from.apply(dirChange{names: []string{oldbase, newbase}, inodes: []*inode{nil, n}})
		return nil
	}
	// Across directories the new entry is durable before the old one goes, so
	// that the file cannot be lost in between (D5).
	to.apply(dirChange{names: []string{newbase}, inodes: []*inode{n}})
	to.finishSync(to.beginSync())
	from.apply(dirChange{names: []string{oldbase}, inodes: []*inode{nil}})
	return nil
}

// ReuseForWrite implements vfs.FS: it renames and opens without truncation.
func (m *Mount) ReuseForWrite(oldname, newname string, _ vfs.DiskWriteCategory) (vfs.File, error) {
	if err := m.Rename(oldname, newname); err != nil {
		return nil, err
	}
	return m.Open(newname)
}

// MkdirAll implements vfs.FS.
func (m *Mount) MkdirAll(name string, _ fs.FileMode) error {
	return m.entry("mkdirall", name, true, func(d *Disk) error {
		n := d.mu.root
		for _, element := range split(name) {
			if n.dir == nil {
				return syscall.ENOTDIR
			}
			child := n.dir.entries[element]
			if child == nil {
				child = &inode{dir: newDir(), links: 1, modTime: time.Now()}
				n.dir.apply(dirChange{names: []string{element}, inodes: []*inode{child}})
			}
			n = child
		}
		if n.dir == nil {
			return syscall.ENOTDIR
		}
		return nil
	})
}

// List implements vfs.FS. The names are sorted.
func (m *Mount) List(name string) (names []string, err error) {
	err = m.entry("list", name, false, func(d *Disk) error {
		n, err := d.lookLocked(name)
		if err != nil {
			return err
		}
		if n.dir == nil {
			return syscall.ENOTDIR
		}
		names = n.dir.names()
		return nil
	})
	return names, err
}

// Stat implements vfs.FS.
func (m *Mount) Stat(name string) (result vfs.FileInfo, err error) {
	err = m.entry("stat", name, false, func(d *Disk) error {
		n, err := d.lookLocked(name)
		if err != nil {
			return err
		}
		result = n.infoLocked(name)
		return nil
	})
	return result, err
}

// Lock implements vfs.FS. A lock ends with its mount.
func (m *Mount) Lock(name string) (io.Closer, error) {
	lock := &fileLock{mount: m, name: path.Clean("/" + name)}
	err := m.entry("lock", name, true, func(d *Disk) error {
		if d.mu.locks[lock.name] != nil {
			return syscall.EAGAIN
		}
		dir, base, err := d.parentLocked(name)
		if err != nil {
			return err
		}
		if dir.entries[base] == nil {
			n := &inode{file: &fileData{}, links: 1, modTime: time.Now()}
			dir.apply(dirChange{names: []string{base}, inodes: []*inode{n}})
		}
		d.mu.locks[lock.name] = m
		return nil
	})
	if err != nil {
		return nil, err
	}
	return lock, nil
}

type fileLock struct {
	mount *Mount
	name  string
}

// Close releases the lock.
func (l *fileLock) Close() error {
	return l.mount.entry("unlock", l.name, false, func(d *Disk) error {
		if d.mu.locks[l.name] == l.mount {
			delete(d.mu.locks, l.name)
		}
		return nil
	})
}

// GetDiskUsage implements vfs.FS.
func (m *Mount) GetDiskUsage(string) (vfs.DiskUsage, error) {
	d := m.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if m.dead.Load() {
		return vfs.DiskUsage{}, ErrDead
	}
	const unlimited = 1 << 40
	total := d.mu.capacity
	if total == 0 {
		total = unlimited
	}
	return vfs.DiskUsage{
		AvailBytes: uint64(d.spaceLocked(m, max(0, total-d.mu.used))),
		TotalBytes: uint64(total),
		UsedBytes:  uint64(d.mu.used),
	}, nil
}

// PathBase implements vfs.FS.
func (*Mount) PathBase(p string) string { return path.Base(p) }

// PathJoin implements vfs.FS.
func (*Mount) PathJoin(elem ...string) string { return path.Join(elem...) }

// PathDir implements vfs.FS.
func (*Mount) PathDir(p string) string { return path.Dir(p) }

// Unwrap implements vfs.FS: there is nothing below.
func (*Mount) Unwrap() vfs.FS { return nil }
