package embedded

import (
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/cluster"
	"github.com/plinthdb/plinth/kv"
)

// Exists reports whether dir holds a store. It changes nothing, whereas Open
// makes a store where there is none. Its errors are kv.ErrIO, and
// kv.ErrClientInvalidOperation for an empty dir.
func Exists(dir string) (bool, error) {
	dir, err := directory(vfs.Default, dir)
	if err != nil {
		return false, err
	}
	return cluster.LocalExists(vfs.Default, dir)
}

// directory returns the name by which the store knows its directory. On the
// operating system's files that is an absolute one: files are opened all the
// time, and the working directory may change.
func directory(fs vfs.FS, dir string) (string, error) {
	if fs != vfs.Default {
		return dir, nil
	}
	if dir == "" {
		return "", kv.ErrClientInvalidOperation.With("the name of the store's directory is empty; name one, or use InMemory for a store without a disk")
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", kv.ErrIO.With("cannot find the working directory, from which %s is to be taken", dir).Because(err)
	}
	return absolute, nil
}
