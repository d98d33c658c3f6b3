package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/wal"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/storage"
	"github.com/plinthdb/plinth/txlog"
)

// CheckReport is what Check looked at and found.
type CheckReport struct {
	Dir string `json:"dir"`
	// Format is the format of the directory.
	Format int         `json:"format"`
	Log    LogCheck    `json:"log"`
	Engine EngineCheck `json:"engine"`
	// State sums up the rows that a store opened on the directory shows; nil if
	// the parts do not allow to know it. Earlier holds the same for the versions
	// that were asked for, ascending, as far as the engine is not past them.
	State   *storage.State  `json:"state,omitempty"`
	Earlier []storage.State `json:"earlier,omitempty"`
	// Problems is what is wrong; empty for a healthy directory.
	Problems []Problem `json:"problems"`
}

// LogCheck is what Check saw of the log.
type LogCheck struct {
	// Found says that the log holds anything. A store has no log yet if it
	// crashed while it was made.
	Found bool `json:"found"`
	// Segments and FreeFiles count files, Bytes is the length of the segments.
	Segments  int   `json:"segments"`
	FreeFiles int   `json:"free_files"`
	Bytes     int64 `json:"bytes"`
	Records   int64 `json:"records"`
	// CheckReport is about the content; its Popped is by storage server.
	txlog.CheckReport
}

// Oldest returns the version that the log keeps everything after.
func (l *LogCheck) Oldest() wire.Version { return l.Popped[localTag] }

// EngineCheck is what Check saw of the storage server's engine.
type EngineCheck struct {
	// Found says that there is an engine.
	Found bool `json:"found"`
	// Version is where it stands on disk.
	Version wire.Version `json:"version"`
	// Rows and Bytes count keys and values, DiskBytes the files.
	Rows      int64  `json:"rows"`
	Bytes     int64  `json:"bytes"`
	DiskBytes uint64 `json:"disk_bytes"`
	// Replayed is how many versions of the log it was compared with.
	Replayed int `json:"replayed"`
}

// Problem is something that is wrong with a data directory.
type Problem struct {
	// Part is "log", "engine" or "versions", which is that the two do not fit
	// together.
	Part string `json:"part"`
	// Text says what is wrong, with file and offset where there are such, and
	// what to do.
	Text string `json:"text"`
}

// checker collects a CheckReport.
type checker struct {
	fs     vfs.FS
	dir    string
	at     []wire.Version
	report CheckReport
	// content is what was read of the log.
	content txlog.Checker
	// logRead and engineRead say that a part was read to its end, so that the
	// two can be compared.
	logRead, engineRead bool
}

// Check verifies a data directory that no process has open: that every record
// of the log and every block of the engine has its checksum, that the log's
// batches form one chain of versions, that all keys and values keep the limits,
// that what the log keeps begins where the engine ends, and that the engine
// holds what the log says as far as the two overlap (C4). It also replays the
// rest of the log and sums up the rows that the store has at its end, and at
// the versions at. It holds the directory's lock meanwhile and changes nothing
// that belongs to the store. It takes about the memory of an open store.
//
// Damage is reported as Problems, as much of it as can be found. The error is
// for what keeps Check from looking: ErrDirectoryInUse (and by whom),
// ErrNewerFormat, ErrFileCorrupt for a directory of something else, ErrIO, or
// the end of the context.
func Check(ctx context.Context, fs vfs.FS, dir string, at ...wire.Version) (report CheckReport, err error) {
	c := &checker{fs: fs, dir: dir, at: at, report: CheckReport{Dir: dir, Format: formatVersion, Problems: []Problem{}}}
	held, err := holdDirectory(fs, dir)
	if err != nil {
		return c.report, err
	}
	defer func() {
		err = errors.Join(err, held.close())
	}()
	if err := c.checkLog(ctx); err != nil {
		return c.report, err
	}
	if err := c.checkEngine(ctx); err != nil {
		return c.report, err
	}
	if c.logRead && c.engineRead {
		c.checkVersions()
	}
	return c.report, nil
}

// holdDirectory takes the lock of a directory that must be a data directory
// already.
func holdDirectory(fs vfs.FS, path string) (*directory, error) {
	for _, name := range []string{path, fs.PathJoin(path, formatFile)} {
		_, err := fs.Stat(name)
		switch {
		case err == nil:
			continue
		case errors.Is(err, syscall.ENOTDIR):
			return nil, wire.ErrIO.With("%s is not a directory; name the directory of a store", path).Because(err)
		case !errors.Is(err, os.ErrNotExist):
			return nil, wire.ErrIO.With("cannot look at %s", name).Because(err)
		case name == path:
			return nil, wire.ErrIO.With("there is no directory %s", path)
		}
		for _, part := range []string{logDir, storageDir} {
			if _, err := fs.Stat(fs.PathJoin(path, part)); err == nil {
				return nil, wire.ErrFileCorrupt.With("data directory %s holds %s but no file %s; restore that file, it reads %q",
					path, part, formatFile, fmt.Sprint(formatPrefix, formatVersion))
			}
		}
		return nil, wire.ErrFileCorrupt.With("%s is not a data directory: it holds no file %s", path, formatFile)
	}
	d, err := lockDirectory(fs, path)
	if err != nil {
		return nil, err
	}
	// Whoever is refused meanwhile is told by whom. A full disk, say, is no
	// reason not to check.
	_ = d.writeFile(ownerFile, owner())
	return d, nil
}

// problem takes in an error that was met while reading a part. It returns the
// errors that say nothing about the content.
func (c *checker) problem(ctx context.Context, part string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, wire.ErrNewerFormat) {
		return err
	}
	c.report.Problems = append(c.report.Problems, Problem{Part: part, Text: err.Error()})
	return nil
}

// exists reports whether a part of the directory is there.
func (c *checker) exists(part string) (bool, error) {
	path := c.fs.PathJoin(c.dir, part)
	_, err := c.fs.Stat(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, wire.ErrIO.With("cannot look at %s", path).Because(err)
	}
	return err == nil, nil
}

func (c *checker) checkLog(ctx context.Context) error {
	there, err := c.exists(logDir)
	if err != nil || !there {
		c.logRead = err == nil
		return err
	}
	seen, err := c.readLog(ctx, func(rec wal.Record, pos wal.Position) error {
		if rec.Group != localGroup {
			return wire.ErrFileCorrupt.With("the log holds records of group %d, this store has only group %d", rec.Group, localGroup)
		}
		return c.content.Record(rec, pos)
	})
	log := &c.report.Log
	log.Segments, log.FreeFiles, log.Bytes, log.Records = seen.Segments, seen.FreeFiles, seen.FileBytes, seen.Records
	if err != nil {
		return c.problem(ctx, "log", err)
	}
	log.CheckReport, log.Found, err = c.content.Finish()
	if err != nil {
		return c.problem(ctx, "log", err)
	}
	c.logRead = true
	return nil
}

func (c *checker) checkEngine(ctx context.Context) error {
	there, err := c.exists(storageDir)
	if err != nil || !there {
		c.engineRead = err == nil
		return err
	}
	var log storage.LogReader
	if c.logRead {
		log = storage.LogReader{Read: c.replayLog(ctx), End: c.report.Log.End, At: c.at}
	}
	seen, err := storage.CheckLog(ctx, c.fs, c.fs.PathJoin(c.dir, storageDir), log)
	if errors.Is(err, storage.ErrNoEngine) {
		c.engineRead = true
		return nil
	}
	if err != nil {
		return c.problem(ctx, "engine", err)
	}
	c.engineRead = true
	c.report.Engine = EngineCheck{
		Found: true, Version: seen.Version, Rows: seen.Rows, Bytes: seen.Bytes, DiskBytes: seen.DiskBytes, Replayed: seen.Replayed,
	}
	for _, m := range seen.Mismatches {
		c.addf("the engine, directory %s, does not hold at version %d what the log says: %s; restore the data directory from a backup",
			c.fs.PathJoin(c.dir, storageDir), seen.Version, m)
	}
	if n := len(seen.States); n > 0 {
		c.report.State, c.report.Earlier = &seen.States[n-1], seen.States[:n-1]
	}
	return nil
}

// checkVersions compares the log with the engine (C4).
func (c *checker) checkVersions() {
	log, engine := &c.report.Log, &c.report.Engine
	f := c.fit(engine.Version)
	var err error
	if f.closed, err = readClosed(c.fs, c.dir); err != nil {
		c.addf("%v", err)
	}
	if err := f.err(); err != nil {
		c.addf("%v", err)
	}
	for _, tag := range slices.Sorted(maps.Keys(log.Popped)) {
		if tag != localTag {
			c.addf("the log holds mutations for storage server %d, this store has only %d", tag, localTag)
		}
	}
}
