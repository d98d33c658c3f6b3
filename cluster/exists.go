package cluster

import (
	"errors"
	"os"

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
	}
	return false, wire.ErrIO.With("cannot look for %s", path).Because(err)
}
