package wal

import (
	"errors"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

var errCrashed = errors.New("the machine has crashed")

// operation is a call that changes a file system.
type operation struct {
	name   string // create, write, sync, rename, remove, mkdir
	path   string
	offset int64
	bytes  int
}

// faultFS hands every operation to a hook before it carries it out, one at a
// time. If the hook returns an error the operation fails with it; a write has
// then written the given number of bytes. failed, if not nil, is called after
// that.
type faultFS struct {
	vfs.FS
	mu     sync.Mutex
	hook   func(operation) (written int, err error)
	failed func()
}

func (f *faultFS) do(op operation, carryOut func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.hook(op); err != nil {
		if f.failed != nil {
			f.failed()
		}
		return err
	}
	return carryOut()
}

func (f *faultFS) open(name, path string, open func() (vfs.File, error)) (file vfs.File, err error) {
	err = f.do(operation{name: name, path: path}, func() error {
		file, err = open()
		return err
	})
	if err != nil {
		return nil, err
	}
	return &faultFile{File: file, fs: f, path: path}, nil
}

func (f *faultFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.open("create", name, func() (vfs.File, error) { return f.FS.Create(name, c) })
}

func (f *faultFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return f.open("create", name, func() (vfs.File, error) { return f.FS.OpenReadWrite(name, c, o...) })
}

func (f *faultFS) OpenDir(name string) (vfs.File, error) {
	d, err := f.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &faultFile{File: d, fs: f, path: name}, nil
}

func (f *faultFS) Rename(from, to string) error {
	return f.do(operation{name: "rename", path: from}, func() error { return f.FS.Rename(from, to) })
}

func (f *faultFS) Remove(name string) error {
	return f.do(operation{name: "remove", path: name}, func() error { return f.FS.Remove(name) })
}

type faultFile struct {
	vfs.File
	fs   *faultFS
	path string
}

func (f *faultFile) WriteAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	n, err := f.fs.hook(operation{name: "write", path: f.path, offset: off, bytes: len(p)})
	if err == nil {
		return f.File.WriteAt(p, off)
	}
	if n > 0 {
		if _, werr := f.File.WriteAt(p[:n], off); werr != nil {
			return 0, werr
		}
	}
	if f.fs.failed != nil {
		f.fs.failed()
	}
	return n, err
}

func (f *faultFile) Sync() error {
	return f.fs.do(operation{name: "sync", path: f.path}, f.File.Sync)
}

func (f *faultFile) SyncData() error {
	return f.fs.do(operation{name: "sync", path: f.path}, f.File.SyncData)
}
