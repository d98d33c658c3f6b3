package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/plinthdb/plinth/internal/wire"
)

// Report is what Check found in a directory.
type Report struct {
	// Version is where the engine stands.
	Version wire.Version
	// Rows and Bytes count what is stored, in keys and values.
	Rows, Bytes int64
	// DiskBytes is the size of the engine's files.
	DiskBytes uint64

	// Compared says that the engine was held against the log, Replayed how many
	// versions of the log that took. Mismatches says in what they differ, the
	// first few differences only.
	Compared   bool
	Replayed   int
	Mismatches []string
	// States holds the states that were asked for, as far as the engine is not
	// past them, and as the last one the state at the end of the log.
	States []State
}

// checkRows is how often Check looks whether its context ended.
const checkRows = 4096

// Check opens a server's directory that no server has open, without changing
// it, and verifies that every block has its checksum, that the levels are in
// order, that the engine's version is there, and that all rows keep the
// limits on keys and values.
//
// It fails with ErrNoEngine, or with ErrFileCorrupt, ErrNewerFormat,
// ErrDirectoryInUse or ErrIO of package wire, which name the directory, and the
// file where that is known.
func Check(ctx context.Context, fs vfs.FS, dir string) (Report, error) {
	return CheckLog(ctx, fs, dir, LogReader{})
}

// ErrNoComparison is what a LogReader returns if engine and log cannot be
// compared.
var ErrNoComparison = errors.New("engine and log do not fit together")

// CheckLog is Check, and compares the engine with the log that it follows: what
// the log keeps of the versions that the engine has must be in the engine. It
// takes about as much memory as a server that opens the directory.
func CheckLog(ctx context.Context, fs vfs.FS, dir string, log LogReader) (Report, error) {
	var corrupt error
	cfg := Config{FS: fs, Dir: dir, Logger: slog.New(slog.DiscardHandler)}.withDefaults()
	opts := engineOptions(&cfg)
	opts.ReadOnly, opts.ErrorIfNotExists = true, true
	// Pebble goes on after Fatalf only in its background work, of which a
	// read-only store has none that could write.
	opts.Logger = &engineLogger{log: cfg.Logger, fatal: func(err error) { corrupt = ioError(dir, err) }}
	eng, version, err := openEngineToCheck(dir, opts)
	if err != nil {
		return Report{}, err
	}
	report := Report{Version: version, DiskBytes: eng.db.Metrics().DiskSpaceUsage()}
	err = eng.check(ctx, &report, log)
	if closeErr := eng.db.Close(); err == nil && closeErr != nil {
		err = ioError(dir, closeErr)
	}
	if err == nil {
		err = corrupt
	}
	return report, err
}

// ErrNoEngine is wrapped by the error of Check for a directory that no engine
// was ever made in. A crash soon after the making of a store may leave it so;
// then the log holds everything.
var ErrNoEngine = errors.New("there is no engine")

// openEngineToCheck is openEngine for a store that must not be changed. One
// that a crash left empty, before anything was flushed, stands at version 0.
func openEngineToCheck(dir string, opts *pebble.Options) (*engine, wire.Version, error) {
	db, err := openPebble(dir, opts)
	if errors.Is(err, pebble.ErrDBDoesNotExist) {
		return nil, 0, fmt.Errorf("storage directory %s: %w", dir, ErrNoEngine)
	}
	if err != nil {
		return nil, 0, err
	}
	e := &engine{db: db, dir: dir}
	iter, err := db.NewIter(nil)
	if err != nil {
		return nil, 0, errors.Join(ioError(dir, err), db.Close())
	}
	empty := !iter.First()
	if err := errors.Join(iter.Error(), iter.Close()); err != nil {
		return nil, 0, errors.Join(ioError(dir, err), db.Close())
	}
	if empty {
		return e, 0, nil
	}
	version, err := e.begin(true)
	if err != nil {
		return nil, 0, errors.Join(err, db.Close())
	}
	return e, version, nil
}

// check reads everything in the engine, and the log if there is one to compare
// it with.
func (e *engine) check(ctx context.Context, report *Report, log LogReader) error {
	if err := e.db.CheckLevels(nil); err != nil {
		return ioError(e.dir, err)
	}
	row, end := func(key, value []byte) {}, func() {}
	if log.Read != nil {
		c := newComparison(e, log, report)
		switch err := c.read(ctx); {
		case err == nil:
			report.Compared = true
			row, end = c.finish()
		case !errors.Is(err, ErrNoComparison):
			return err
		}
	}
	err := e.scanRaw(ctx, func(key, value []byte) error {
		report.Rows++
		if problem := rowProblem(key, value); problem != "" {
			return wire.ErrFileCorrupt.With("storage directory %s: row %.60q: %s", e.dir, key, problem)
		}
		report.Bytes += int64(len(key) - 1 + len(value))
		row(key[1:], value)
		return nil
	})
	if err == nil {
		end()
	}
	return err
}

// scan visits all rows in key order.
func (e *engine) scan(ctx context.Context, visit func(key, value []byte) error) error {
	return e.scanRaw(ctx, func(key, value []byte) error { return visit(key[1:], value) })
}

// scanRaw visits what is stored from the first row on, by the engine's keys.
func (e *engine) scanRaw(ctx context.Context, visit func(key, value []byte) error) error {
	iter, err := e.db.NewIter(&pebble.IterOptions{LowerBound: []byte{dataPrefix}})
	if err != nil {
		return ioError(e.dir, err)
	}
	defer iter.Close()
	n := 0
	for ok := iter.First(); ok; ok = iter.Next() {
		if n++; n%checkRows == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		value, err := iter.ValueAndErr()
		if err != nil {
			return ioError(e.dir, err)
		}
		if err := visit(iter.Key(), value); err != nil {
			return err
		}
	}
	if err := iter.Error(); err != nil {
		return ioError(e.dir, err)
	}
	return nil
}

// rowProblem says what is wrong with a row of the engine, "" if nothing is.
func rowProblem(key, value []byte) string {
	switch {
	case key[0] != dataPrefix:
		return "its first byte is not one that this program writes"
	case bytes.HasPrefix(key[1:], []byte(endOfKeys)):
		return "its key is above the key space"
	case len(key)-1 > wire.MaxKeyBytes:
		return fmt.Sprintf("its key has %d bytes, the limit is %d", len(key)-1, wire.MaxKeyBytes)
	case len(value) > wire.MaxValueBytes:
		return fmt.Sprintf("its value has %d bytes, the limit is %d", len(value), wire.MaxValueBytes)
	}
	return ""
}
