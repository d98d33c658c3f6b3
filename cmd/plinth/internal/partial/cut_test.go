package partial

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

var (
	errCut  = errors.New("cut")
	errFull = errors.New("no space left")
)

// cutFS is an FS in memory that fails at one of its changes.
type cutFS struct {
	mem *vfs.MemFS
	// left is how many changes work; negative for all.
	left int
	// power says that the failure is a loss of power: nothing works from then on,
	// and of what was not synced each block is kept with a probability.
	power       bool
	keepPercent int
	rng         *rand.Rand
	// lies says that after a sync that has failed later ones of that file work and
	// do nothing, as some systems have it; lied, that one has, and that the power
	// is lost in the end.
	lies, lied bool
	// roomBytes is how much the files may hold together; 0 for any number.
	roomBytes int
	// after is what is there after a loss of power.
	after *vfs.MemFS
}

func newCutFS(left int) *cutFS { return &cutFS{mem: vfs.NewCrashableMem(), left: left} }

// change fails if the time has come.
func (c *cutFS) change() error {
	if c.after != nil {
		return errCut
	}
	if c.left--; c.left != -1 {
		return nil
	}
	if c.power {
		c.after = c.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: c.keepPercent, RNG: c.rng})
	}
	return errCut
}

// repaired is what is there when the next process begins.
func (c *cutFS) repaired() *cutFS {
	switch {
	case c.after != nil:
		return &cutFS{mem: c.after, left: -1}
	case c.lied:
		return &cutFS{mem: c.mem.CrashClone(vfs.CrashCloneCfg{}), left: -1}
	}
	return &cutFS{mem: c.mem, left: -1}
}

func (c *cutFS) Create(name string) (File, error) {
	if _, err := c.mem.Stat(name); err == nil {
		return nil, fs.ErrExist
	}
	if err := c.change(); err != nil {
		return nil, err
	}
	f, err := c.mem.Create(name, vfs.WriteCategoryUnspecified)
	return &cutFile{files: c, name: name, file: f}, err
}

func (c *cutFS) Append(name string, size int64) (File, error) {
	if err := c.change(); err != nil {
		return nil, err
	}
	f, err := c.cut(name, size)
	return &cutFile{files: c, name: name, file: f}, err
}

// cut makes a file of the first bytes, since files in memory cannot be cut.
func (c *cutFS) cut(name string, size int64) (vfs.File, error) {
	old, err := c.read(name)
	if err != nil {
		return nil, err
	}
	f, err := c.mem.Create(name+".cut", vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(old[:size])
	return f, errors.Join(err, f.Sync(), c.mem.Rename(name+".cut", name), c.syncNames())
}

func (c *cutFS) Open(name string) (io.ReadCloser, error) { return c.mem.Open(name) }

func (c *cutFS) Stat(name string) (fs.FileInfo, error) { return c.mem.Stat(name) }

func (c *cutFS) Rename(from, to string) error {
	if err := c.change(); err != nil {
		return err
	}
	return c.mem.Rename(from, to)
}

func (c *cutFS) Remove(name string) error {
	if err := c.change(); err != nil {
		return err
	}
	return c.mem.Remove(name)
}

func (c *cutFS) SyncNames(string) error {
	if err := c.change(); err != nil {
		return err
	}
	return c.syncNames()
}

func (c *cutFS) syncNames() error {
	dir, err := c.mem.OpenDir("/")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// read returns a whole file.
func (c *cutFS) read(name string) ([]byte, error) {
	f, err := c.mem.Open(name)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(f)
	return text, errors.Join(err, f.Close())
}

// put makes a file, or replaces it.
func (c *cutFS) put(t *testing.T, name, text string) {
	t.Helper()
	f, err := c.mem.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write([]byte(text))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// cutFile is a file of a cutFS. A write that fails has written a half.
type cutFile struct {
	files *cutFS
	name  string
	file  vfs.File
	lies  bool
}

func (f *cutFile) Write(p []byte) (int, error) {
	if err := f.files.change(); err != nil {
		if f.files.after == nil {
			if _, writeErr := f.file.Write(append([]byte{}, p[:len(p)/2]...)); writeErr != nil {
				return 0, writeErr
			}
		}
		return len(p) / 2, err
	}
	if left := f.full(len(p)); left > 0 {
		n, err := f.file.Write(append([]byte{}, p[:len(p)-left]...))
		return n, errors.Join(errFull, err)
	}
	return f.file.Write(append([]byte{}, p...))
}

// full reports how much of some bytes there is no room for.
func (f *cutFile) full(n int) (left int) {
	if f.files.roomBytes == 0 {
		return 0
	}
	names, err := f.files.mem.List("/")
	if err != nil {
		return n
	}
	used := n
	for _, name := range names {
		if info, err := f.files.mem.Stat("/" + name); err == nil {
			used += int(info.Size())
		}
	}
	return min(n, max(0, used-f.files.roomBytes))
}

func (f *cutFile) Truncate(size int64) error {
	if err := f.files.change(); err != nil {
		return err
	}
	cut, err := f.files.cut(f.name, size)
	if err == nil {
		err = f.file.Close()
		f.file = cut
	}
	return err
}

func (f *cutFile) Sync() error {
	if err := f.files.change(); err != nil {
		f.lies, f.files.lied = f.files.lies, f.files.lies
		return err
	}
	if f.lies {
		return nil
	}
	return f.file.Sync()
}

func (f *cutFile) Close() error { return f.file.Close() }
