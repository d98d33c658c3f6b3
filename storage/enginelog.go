package storage

import (
	"errors"
	"fmt"
	"log/slog"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// engineLogger brings Pebble's messages to slog.
type engineLogger struct {
	log   *slog.Logger
	fatal func(error)
}

// Infof is pebble.Logger's. Pebble's routine remarks are of debug level here.
func (l *engineLogger) Infof(format string, args ...any) {
	l.log.Debug("engine", "message", fmt.Sprintf(format, args...))
}

// Errorf is pebble.Logger's.
func (l *engineLogger) Errorf(format string, args ...any) {
	l.log.Warn("engine", "message", fmt.Sprintf(format, args...))
}

// Fatalf is pebble.Logger's. It ends the server, not the process, and returns;
// see gate for why that is safe.
func (l *engineLogger) Fatalf(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	for _, arg := range args {
		if cause, ok := arg.(error); ok {
			err = cause
		}
	}
	l.fatal(err)
}

// listener tells the server what it needs to know of the engine's background
// work: that a flush ended, and that something went wrong. Pebble calls it
// with locks held, so it does no more than set flags.
func (s *Server) listener() *pebble.EventListener {
	return &pebble.EventListener{
		FlushEnd: func(info pebble.FlushInfo) {
			if info.Err == nil {
				s.wakeFlush()
			}
			// A flush of memtables that are all empty ends with an error too, and
			// has made room all the same.
			wake(s.advanceSignal)
		},
		CompactionEnd: func(pebble.CompactionInfo) { wake(s.advanceSignal) },
		BackgroundError: func(err error) {
			if !benign(err) {
				s.fail(ioError(s.cfg.Dir, err))
			}
		},
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			s.fail(corruptFile(info))
		},
		DiskSlow: func(info vfs.DiskSlowInfo) {
			s.cfg.Logger.Warn("engine: disk is slow", "info", info.String())
		},
	}
}

// benign reports whether a background error is no reason to stop: nothing was
// lost and Pebble goes on by itself.
func benign(err error) bool {
	return errors.Is(err, pebble.ErrCancelledCompaction) || errors.Is(err, vfs.ErrUnsupported) || errors.Is(err, syscall.EINTR)
}
