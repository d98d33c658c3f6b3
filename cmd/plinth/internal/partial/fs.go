package partial

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// FS is what files are kept in.
type FS interface {
	// Create makes a file that is not there; otherwise the error wraps
	// fs.ErrExist.
	Create(name string) (File, error)
	// Append cuts a file to a size, and writes behind that.
	Append(name string, size int64) (File, error)
	// Open reads a file. Of one that is not there the error wraps
	// fs.ErrNotExist, here and below.
	Open(name string) (io.ReadCloser, error)
	// Stat describes a file.
	Stat(name string) (fs.FileInfo, error)
	// Rename gives a file another name, and takes the place of what has it.
	Rename(from, to string) error
	// Remove removes a file.
	Remove(name string) error
	// SyncNames makes durable what was created, renamed and removed in the
	// directory of a file.
	SyncNames(name string) error
}

// File is a file that is written.
type File interface {
	io.WriteCloser
	// Truncate cuts the file to a size; nothing is written behind that.
	Truncate(size int64) error
	// Sync makes durable what was written.
	Sync() error
}

// Disk returns the operating system's files. Those that it makes are for their
// owner only, as rows may be nobody else's business.
func Disk() FS { return disk{} }

type disk struct{}

const ownerOnly = 0o600

func (disk) Create(name string) (File, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, ownerOnly)
}

func (disk) Append(name string, size int64) (File, error) {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	if err := f.Truncate(size); err != nil {
		return nil, closed(f, err)
	}
	if _, err := f.Seek(size, io.SeekStart); err != nil {
		return nil, closed(f, err)
	}
	return f, nil
}

func (disk) Open(name string) (io.ReadCloser, error) { return os.Open(name) }
func (disk) Stat(name string) (fs.FileInfo, error)   { return os.Stat(name) }
func (disk) Rename(from, to string) error            { return os.Rename(from, to) }
func (disk) Remove(name string) error                { return os.Remove(name) }

func (disk) SyncNames(name string) error {
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return closed(dir, dir.Sync())
}
