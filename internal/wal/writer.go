package wal

import (
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/invariants"
)

// writer owns the segment that is being written. Only its goroutine touches it.
type writer struct {
	log *Log
	// segment is 0 until the first record since Open.
	segment uint64
	path    string
	file    vfs.File
	// written is the offset behind the last record in the file, synced the
	// offset below which all is on disk, filled the length of the file: up to
	// there it holds blocks that need no allocation.
	written, synced, filled int64
	// zeros is what new ground is filled with, made when first needed.
	zeros []byte
	// marked says that the last record names everything before it as synced.
	marked bool
	// ended says that the last marks of a closed log were written.
	ended bool
}

// run writes what is queued until the log is closed or fails.
func (w *writer) run() {
	defer w.log.goroutines.Done()
	for {
		b, ok := w.next()
		if !ok {
			break
		}
		err := w.write(&b)
		if err != nil {
			w.log.fail(err)
		}
		if !w.complete(b) {
			break
		}
	}
	w.finish()
}

// next waits for a batch. It returns false if there will be none.
func (w *writer) next() (batch, bool) {
	l := w.log
	l.mu.Lock()
	defer l.mu.Unlock()
	q := &l.mu.queue
	for l.mu.failure == nil && q.empty() && !l.mu.closing {
		l.work.Wait()
	}
	if l.mu.failure != nil {
		return batch{}, false
	}
	if q.empty() {
		if w.segment == 0 || w.ended {
			return batch{}, false
		}
		w.endLocked()
	}
	return q.take(), true
}

// markLocked queues a mark if the newest records are synced and unnamed.
func (w *writer) markLocked() {
	q := &w.log.mu.queue
	if w.marked || w.synced != w.written || q.segment != w.segment {
		return
	}
	before := q.pending.bytes
	q.mark()
	w.log.mu.queuedBytes += q.pending.bytes - before
	w.marked = true
}

// endLocked queues the last words of a log that is closed: first a sync, then
// marks that name everything as synced, and a sync for them.
func (w *writer) endLocked() {
	q := &w.log.mu.queue
	q.pending.sync = true
	if w.synced != w.written {
		return
	}
	q.lastMarks()
	w.log.mu.queuedBytes += q.pending.bytes
	w.marked, w.ended = true, true
}

// write puts a batch on disk. It syncs at its end if someone waits for it.
func (w *writer) write(b *batch) error {
	for i := range b.chunks {
		c := &b.chunks[i]
		if c.segment != w.segment {
			if err := w.rotate(c.segment); err != nil {
				return err
			}
		}
		if err := w.writeChunk(c); err != nil {
			return err
		}
	}
	if b.records > 0 {
		w.marked = false
	}
	if b.sync || len(b.done) > 0 {
		return w.sync()
	}
	return nil
}

// rotate ends the segment being written and goes on to the next.
func (w *writer) rotate(segment uint64) error {
	if w.file != nil {
		// L3: what comes next seals this segment.
		if err := w.sync(); err != nil {
			return err
		}
		if err := w.file.Close(); err != nil {
			return ioError("close", w.path, err)
		}
		w.file = nil
	}
	fresh, err := w.log.takeFresh(segment)
	if err != nil {
		return err
	}
	w.segment, w.path, w.file = segment, fresh.path, fresh.file
	w.written, w.synced, w.filled = segmentHeaderBytes, segmentHeaderBytes, fresh.size
	return nil
}

// writeChunk writes a chunk in one call, and fills new ground behind it with
// zeros: overwriting blocks that exist spares the sync a commit of the file
// system's journal.
func (w *writer) writeChunk(c *chunk) error {
	if invariants.Enabled {
		invariants.Assert(c.start == w.written, "L1: chunk at %d does not follow what was written up to %d", c.start, w.written)
	}
	stamp(c.buf, c.start, w.synced)
	if _, err := w.file.WriteAt(c.buf, c.start); err != nil {
		return ioError("write", w.path, err)
	}
	w.written += int64(len(c.buf))
	if err := w.grow(); err != nil {
		return err
	}
	w.log.noteWritten(w.segment, w.written, w.filled)
	return nil
}

// grow fills the file with zeros ahead of the records, GrowBytes at a time.
func (w *writer) grow() error {
	if w.written <= w.filled {
		return nil
	}
	o := &w.log.opts
	w.filled = w.written
	if fault.Point("wal.segment.growNot") {
		return nil
	}
	target := min(w.written+o.GrowBytes, o.SegmentBytes)
	if w.zeros == nil {
		w.zeros = make([]byte, min(o.GrowBytes, 1<<20))
	}
	for w.filled < target {
		n := min(int64(len(w.zeros)), target-w.filled)
		if _, err := w.file.WriteAt(w.zeros[:n], w.filled); err != nil {
			return ioError("write", w.path, err)
		}
		w.filled += n
	}
	return nil
}

// sync puts what was written on disk. A failed sync is never repeated: the
// kernel may have dropped the pages and would report success (L5).
func (w *writer) sync() error {
	if w.synced == w.written {
		return nil
	}
	start := time.Now()
	if err := w.file.SyncData(); err != nil {
		return ioError("sync", w.path, err)
	}
	w.synced = w.written
	w.log.noteSynced(w.segment, time.Since(start))
	return nil
}

// complete tells those who waited for the batch. It returns false if the log
// has failed.
func (w *writer) complete(b batch) bool {
	l := w.log
	l.mu.Lock()
	failure := l.mu.failure
	l.mu.queuedBytes -= b.bytes
	l.mu.stats.Batches++
	l.mu.stats.Records += int64(b.records)
	l.mu.stats.Bytes += b.bytes
	l.mu.queue.release(b)
	l.room.Broadcast()
	l.mu.Unlock()

	for _, done := range b.done {
		done(failure)
	}
	if failure != nil {
		return false
	}
	l.mu.Lock()
	if l.mu.queue.empty() {
		w.markLocked()
	}
	l.mu.Unlock()
	return true
}

// finish closes the file and, if the log has failed, tells everyone.
func (w *writer) finish() {
	l := w.log
	if w.file != nil {
		if err := w.file.Close(); err != nil {
			l.fail(ioError("close", w.path, err))
		}
	}
	l.mu.Lock()
	failure := l.mu.failure
	b := l.mu.queue.take()
	l.mu.writerDone = true
	l.house.Broadcast()
	l.mu.Unlock()
	if failure == nil {
		return
	}
	for _, done := range b.done {
		done(failure)
	}
	// Everyone who was told knows better how bad that is.
	l.opts.Logger.Info("write-ahead log stopped", "dir", l.opts.Dir, "error", failure)
	if l.opts.OnFatal != nil {
		l.opts.OnFatal(failure)
	}
}
