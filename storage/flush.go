package storage

import (
	"context"
	"time"

	"github.com/plinthdb/plinth/internal/fault"
)

const (
	// popRetryPause is how long the flush loop waits before it repeats a failed
	// pop.
	popRetryPause = time.Second
	// firstFlushPart is the part of FlushInterval after which a life flushes
	// first; the pause doubles from flush to flush. A process that is killed
	// again and again before its first flush would replay ever more, and its log
	// would grow without end.
	firstFlushPart = 256
)

// flushLoop flushes the engine's memtables when data in them gets old, learns
// from every flush what is durable, and pops the log up to there (S5). The
// engine flushes by size on its own.
func (s *Server) flushLoop(ctx context.Context) {
	interval := s.cfg.FlushInterval / firstFlushPart
	flushAt := time.NewTimer(interval)
	defer flushAt.Stop()
	armed := true
	for {
		s.noteDurable()
		popped := s.pop(ctx)
		dirty := s.engineVersion.load() > s.durable.load()
		if dirty != armed {
			flushAt.Stop()
			if dirty {
				flushAt.Reset(interval)
			}
			armed = dirty
		}
		if dirty && fault.Point("storage.engine.flushEarly") {
			s.flush()
		}
		var retry <-chan time.Time
		if !popped {
			retry = time.After(popRetryPause)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.flushSignal:
		case <-retry:
		case <-flushAt.C:
			armed = false
			interval = min(2*interval, s.cfg.FlushInterval)
			s.flush()
		}
	}
}

// flush begins to flush what is in memory; the engine's listener wakes the
// loop at its end.
func (s *Server) flush() {
	if s.Err() != nil {
		return
	}
	if _, err := s.engine.db.AsyncFlush(); err != nil {
		s.fail(ioError(s.cfg.Dir, err))
	}
}

// noteDurable looks up what the flushed tables hold.
func (s *Server) noteDurable() {
	if s.Err() != nil {
		return
	}
	version, err := s.engine.durableVersion()
	if err != nil {
		s.fail(err)
		return
	}
	// After a failure a flush may seem to have worked (gatedDir.Sync).
	if version > s.durable.load() && s.Err() == nil {
		s.durable.store(version)
	}
}

// pop tells the log what it need not keep. It returns false if that is to be
// repeated.
func (s *Server) pop(ctx context.Context) bool {
	version := s.durable.load()
	if version <= s.popped.load() || s.Err() != nil {
		return true
	}
	if err := s.cfg.Log.Pop(ctx, s.cfg.Tag, version); err != nil {
		if ctx.Err() == nil {
			s.cfg.Logger.Warn("storage: pop failed", "tag", s.cfg.Tag, "version", version, "error", err)
		}
		return false
	}
	s.popped.store(version)
	return true
}

// finalFlush brings what the engine holds to disk, for Close. A failure shows
// as the server's.
func (s *Server) finalFlush() {
	if s.Err() != nil || s.engineVersion.load() == s.durable.load() && s.durable.load() > 0 {
		return
	}
	done, err := s.engine.db.AsyncFlush()
	if err != nil {
		s.fail(ioError(s.cfg.Dir, err))
		return
	}
	select {
	case <-done:
		s.noteDurable()
	case <-s.failed:
	}
}
