package storage

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/storage/internal/window"
)

const (
	// collectPiece and trimPiece are how many keys of a step are read or
	// forgotten under one hold of the lock.
	collectPiece = 1024
	trimPiece    = 128
)

// advanceLoop moves steps that are due from the window to the engine until ctx
// ends.
func (s *Server) advanceLoop(ctx context.Context) {
	for ctx.Err() == nil {
		step := s.dueStep()
		if step == nil || s.backlogged() {
			select {
			case <-s.advanceSignal:
			case <-ctx.Done():
			}
			continue
		}
		if err := s.advance(step); err != nil {
			s.fail(err)
			return
		}
	}
}

// backlogged reports whether the engine must catch up before it takes a step.
// The end of every flush and compaction wakes the loop to look again.
func (s *Server) backlogged() bool {
	if !s.engine.backlogged(s.cfg.MemTableBytes) {
		return false
	}
	s.counters.stalls.Add(1)
	return true
}

// dueStep returns the oldest step if it is older than the window reaches, if
// the store has been idle since, or if the window is too large, else nil.
func (s *Server) dueStep() *window.Step {
	s.mu.RLock()
	defer s.mu.RUnlock()
	step := s.mu.win.OldestStep()
	if step == nil {
		s.nextDue.store(wire.MaxVersion)
		return nil
	}
	// Before the look at applied: whoever publishes after the look sees it.
	s.nextDue.store(step.End() + s.cfg.WindowVersions)
	if fault.Point("storage.window.advanceEarly") {
		return step
	}
	if step.End() > max(s.applied.load()-s.cfg.WindowVersions, s.idle.load()) && s.mu.win.Bytes() <= s.cfg.WindowBytes {
		return nil
	}
	return step
}

// advance moves one step to the engine (S2, S3).
func (s *Server) advance(step *window.Step) error {
	s.advancing.store(step.End())
	writes := s.collect(step)
	if err := s.engine.write(step.Clears(), writes, step.End()); err != nil {
		return err
	}
	if err := s.Err(); err != nil {
		return err
	}
	s.engineVersion.store(step.End())
	s.trim(step)
	s.counters.steps.Add(1)
	wake(s.spaceSignal)
	s.wakeFlush()
	return nil
}

// collect returns the rows that the step leaves behind, sorted by key.
func (s *Server) collect(step *window.Step) []window.Write {
	writes := make([]window.Write, 0, step.Keys())
	for from := 0; from < step.Keys(); from += collectPiece {
		s.mu.RLock()
		writes = s.mu.win.Collect(step, from, min(from+collectPiece, step.Keys()), writes)
		s.mu.RUnlock()
	}
	slices.SortFunc(writes, func(a, b window.Write) int {
		switch {
		case a.Prefix < b.Prefix:
			return -1
		case a.Prefix > b.Prefix:
			return 1
		}
		return bytes.Compare(a.Key, b.Key)
	})
	return writes
}

// trim takes a step out of the window in short pieces.
func (s *Server) trim(step *window.Step) {
	s.mu.Lock()
	s.mu.win.BeginTrim(step)
	s.mu.Unlock()
	for from := 0; from < step.Keys(); from += trimPiece {
		s.mu.Lock()
		s.mu.win.TrimKeys(step, from, min(from+trimPiece, step.Keys()))
		s.mu.Unlock()
	}
	for from := range step.Clears() {
		s.mu.Lock()
		s.mu.win.TrimClears(step, from, from+1)
		s.mu.Unlock()
	}
	s.mu.Lock()
	s.mu.win.EndTrim(step)
	s.windowBytes.Store(int64(s.mu.win.Bytes()))
	s.mu.Unlock()
}

// write commits one step as one batch: the clears, then the rows, then the
// version.
func (e *engine) write(clears []wire.KeyRange, writes []window.Write, version wire.Version) error {
	size := 64
	for i := range writes {
		size += len(writes[i].Key) + len(writes[i].Value) + 12
	}
	batch := e.db.NewBatchWithSize(size)
	defer batch.Close()
	if err := e.addClears(batch, clears); err != nil {
		return ioError(e.dir, err)
	}
	for i := range writes {
		key, value := writes[i].Key, writes[i].Value
		var op *pebble.DeferredBatchOp
		if value == nil {
			op = batch.DeleteDeferred(len(key) + 1)
		} else {
			op = batch.SetDeferred(len(key)+1, len(value))
			copy(op.Value, value)
		}
		op.Key[0] = dataPrefix
		copy(op.Key[1:], key)
		if err := op.Finish(); err != nil {
			return ioError(e.dir, err)
		}
	}
	if err := batch.Set(versionKey(), binary.BigEndian.AppendUint64(nil, uint64(version)), nil); err != nil {
		return ioError(e.dir, err)
	}
	if err := batch.Commit(pebble.NoSync); err != nil {
		return ioError(e.dir, err)
	}
	return nil
}
