package embedded

import (
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/cluster"
)

// Exists reports whether dir holds a store. It changes nothing, whereas Open
// makes a store where there is none. Its error is kv.ErrIO.
func Exists(dir string) (bool, error) { return cluster.LocalExists(vfs.Default, dir) }
