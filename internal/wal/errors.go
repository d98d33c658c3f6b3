package wal

import (
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/wire"
)

// ioError makes a failed operation on a file into wire.ErrDiskFull or
// wire.ErrIO. It returns nil if err is nil.
func ioError(op, path string, err error) error {
	switch {
	case err == nil:
		return nil
	case vfs.IsNoSpaceError(err):
		return wire.ErrDiskFull.With("disk is full: cannot %s %s; make room, then open the store again", op, path).Because(err)
	}
	return wire.ErrIO.With("cannot %s %s", op, path).Because(err)
}

// corrupt says where a file is damaged and what is wrong there.
func corrupt(path string, offset int64, what string) error {
	return wire.ErrFileCorrupt.With(
		"write-ahead log is damaged: %s, offset %d: %s; nothing was changed: restore the file, or the store from a backup or a replica",
		path, offset, what)
}
