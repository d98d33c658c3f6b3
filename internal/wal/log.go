package wal

import (
	"sync"

	"github.com/plinthdb/plinth/internal/wire"
)

// Log is an open write-ahead log. Its methods may be called from any goroutine;
// records of concurrent calls of Append land in some order, those of one call
// stand together.
type Log struct {
	opts Options
	// work wakes the writer, room the producers, house the housekeeper, ready
	// whoever waits for the next segment. All are on mu.
	work, room, house, ready *sync.Cond
	goroutines               sync.WaitGroup

	mu struct {
		sync.Mutex
		queue queue
		// queuedBytes is what was appended and is not yet written.
		queuedBytes int64
		// failure is why the log stopped; it never changes again.
		failure error
		closing bool
		// writerDone says that the writer has ended: no segment is needed any more.
		writerDone bool

		catalog catalog
		stats   counters
	}
}

// Append queues records for the disk, in order, behind everything appended
// before, and returns at once: it never waits for the disk unless more than
// Options.QueueLimitBytes wait already. It appends the records' positions to
// positions and returns the result.
//
// done, if not nil, is called when these records and all before them are on
// disk, or with the error that stopped the log; then nobody can tell whether
// they are. Calls of done come one at a time in the order of the appends, from
// the log's own goroutine: they must be quick, must not call Close, and may call
// Append only where the caller knows that less than Options.QueueLimitBytes are
// queued, since nobody makes room meanwhile. Records appended without a done are
// written soon but
// synced only together with later ones or by Close.
//
// After a crash the log holds a prefix of what was appended, which includes
// everything that was reported done. A record is there as a whole or not at all.
//
// If Append returns an error nothing was appended, and done is never called:
// wire.ErrDatabaseClosed, wire.ErrInvalidOptionValue for a record longer than
// Options.RecordLimitBytes, or what stopped the log.
func (l *Log) Append(positions []Position, records []Record, done func(error)) ([]Position, error) {
	var bytes int64
	for i := range records {
		n := records[i].payloadBytes()
		if n > l.opts.RecordLimitBytes {
			return positions, wire.ErrInvalidOptionValue.With(
				"write-ahead log: a record of %d bytes is longer than the limit of %d", n, l.opts.RecordLimitBytes)
		}
		bytes += recordBytes(n)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.usableLocked() == nil && l.mu.queuedBytes > 0 && l.mu.queuedBytes+bytes > l.opts.QueueLimitBytes {
		l.mu.stats.Blocked++
		l.room.Wait()
	}
	if err := l.usableLocked(); err != nil {
		return positions, err
	}
	q := &l.mu.queue
	before := q.pending.bytes
	for i := range records {
		positions = append(positions, q.add(&records[i]))
	}
	l.mu.queuedBytes += q.pending.bytes - before
	if done != nil {
		q.pending.done = append(q.pending.done, done)
	}
	l.work.Signal()
	return positions, nil
}

// usableLocked returns why nothing can be appended, or nil.
func (l *Log) usableLocked() error {
	if l.mu.failure != nil {
		return l.mu.failure
	}
	if l.mu.closing {
		return wire.ErrDatabaseClosed.With("write-ahead log %s is closed", l.opts.Dir)
	}
	return nil
}

// Sync waits until everything appended before is on disk.
func (l *Log) Sync() error {
	result := make(chan error, 1)
	if _, err := l.Append(nil, nil, func(err error) { result <- err }); err != nil {
		return err
	}
	return <-result
}

// QueuedBytes returns how much was appended and is not yet written. A producer
// that must not block stays below Options.QueueLimitBytes.
func (l *Log) QueuedBytes() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.queuedBytes
}

// DropBefore gives up all segments that lie wholly before the position: their
// records can no longer be read, and their files are freed or used again. The
// segment being written is never given up. It returns at once; after a crash
// the records of segments that were still to be freed are replayed once more.
func (l *Log) DropBefore(p Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &l.mu.catalog
	c.dropSeq = max(c.dropSeq, p.Segment)
	c.giveUp()
	l.house.Signal()
}

// Close writes and syncs what is queued, and stops the log. It returns the
// error that stopped the log before, if one did. Later calls do nothing.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.mu.closing {
		l.mu.Unlock()
		return nil
	}
	l.mu.closing = true
	l.wakeAllLocked()
	l.mu.Unlock()
	l.goroutines.Wait()

	l.mu.Lock()
	for l.mu.catalog.reading() {
		l.ready.Wait()
	}
	err := l.mu.failure
	files := l.mu.catalog.takeFiles()
	l.mu.Unlock()
	for _, f := range files {
		if cerr := f.Close(); err == nil && cerr != nil {
			err = ioError("close a file of", l.opts.Dir, cerr)
		}
	}
	return err
}

func (l *Log) wakeAllLocked() {
	l.work.Broadcast()
	l.room.Broadcast()
	l.house.Broadcast()
	l.ready.Broadcast()
}

// fail stops the log: from here on nothing is acknowledged. The writer tells
// those who wait.
func (l *Log) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.failure == nil {
		l.mu.failure = err
	}
	l.wakeAllLocked()
}
