package cluster

import (
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/wire"
)

// fit is what must be compared to know that a log and an engine belong
// together (C4).
type fit struct {
	fs  vfs.FS
	dir string
	// end and popped are where the log ends, 0 if there is none, and what the
	// storage server has popped of it.
	end, popped wire.Version
	// engine is where the engine stands; 0 if there is none.
	engine wire.Version
	// closed is where the log ended when the store was last closed, 0 if it
	// never was.
	closed wire.Version
}

// err returns nil, or ErrFileCorrupt that says what is missing and what to do.
func (f fit) err() error {
	logPath, enginePath := f.fs.PathJoin(f.dir, logDir), f.fs.PathJoin(f.dir, storageDir)
	switch {
	case f.end == 0 && f.engine > 0:
		return wire.ErrFileCorrupt.With(
			"the log, directory %s, is missing or empty, and the engine stands at version %d: what was committed after that is lost with the log; restore the data directory from a backup",
			logPath, f.engine)
	case f.engine == 0 && f.popped > 0:
		return wire.ErrFileCorrupt.With(
			"the engine, directory %s, is missing or empty, and the log keeps only what follows version %d; restore the data directory from a backup",
			enginePath, f.popped)
	case f.engine < f.popped:
		return wire.ErrFileCorrupt.With(
			"the engine, directory %s, stands at version %d, but the log keeps only what follows version %d: the engine is of an earlier state than the log; restore both from the same backup",
			enginePath, f.engine, f.popped)
	case f.engine > f.end:
		return wire.ErrFileCorrupt.With(
			"the engine, directory %s, stands at version %d, but the log ends at version %d: the log is of an earlier state than the engine; restore both from the same backup",
			enginePath, f.engine, f.end)
	case f.end < f.closed:
		return wire.ErrFileCorrupt.With(
			"the log, directory %s, ends at version %d, but had reached version %d when the store was closed: its last file was cut short or lost, and commits with it; restore the data directory from a backup",
			logPath, f.end, f.closed)
	}
	return nil
}
