package cluster

import (
	"errors"
	"os"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/wire"
)

const (
	// closedFile says where the log ended when the store was last closed in
	// good order. The end of a log whose last file was cut short or lost looks
	// just like one that a crash tore; this file tells them apart. It is a
	// lower bound, so it stays true, and stays in place, while the store is
	// open.
	closedFile   = "CLOSED"
	closedPrefix = "the log had reached version "
)

// noteClosed writes the end of the log into the closed file.
func (d *directory) noteClosed(end wire.Version) error {
	return d.writeFile(closedFile, closedPrefix+strconv.FormatInt(int64(end), 10)+"\n")
}

// readClosed returns the version that the log had reached when the store was
// last closed, 0 if it never was. It returns ErrFileCorrupt for a file that
// holds something else.
func readClosed(fs vfs.FS, dir string) (wire.Version, error) {
	path := fs.PathJoin(dir, closedFile)
	text, err := readFile(fs, path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, wire.ErrIO.With("cannot read %s", path).Because(err)
	}
	rest, found := strings.CutPrefix(strings.TrimSpace(string(text)), closedPrefix)
	version, numErr := strconv.ParseInt(rest, 10, 64)
	if !found || numErr != nil || version < 0 {
		return 0, wire.ErrFileCorrupt.With(
			"%s holds %.60q instead of a version; if the disk is sound otherwise, remove that file: it only helps to notice a log that lost its end", path, text)
	}
	return wire.Version(version), nil
}
