package cluster

import (
	"errors"
	"os"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/wire"
)

// LocalExists reports whether dir is a data directory, without opening or
// changing anything. Its error is ErrIO.
func LocalExists(fs vfs.FS, dir string) (bool, error) {
	path := fs.PathJoin(dir, formatFile)
	_, err := fs.Stat(path)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, os.ErrNotExist):
		return false, nil
	case errors.Is(err, syscall.ENOTDIR):
		return false, wire.ErrIO.With("%s is not a directory; name the directory of a store", dir).Because(err)
	}
	return false, wire.ErrIO.With("cannot look for %s", path).Because(err)
}
