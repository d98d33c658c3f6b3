package wal

import (
	"errors"
	"io"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wire"
)

// maxReaders is how many segments are kept open for ReadAt.
const maxReaders = 64

// reader is a segment's file opened for ReadAt. The log's lock guards it.
type reader struct {
	file vfs.File
	// users is the number of reads under way.
	users int
	// used orders readers by their last use.
	used uint64
}

// ReadAt reads a record back. The payload is appended to buf[:0] and belongs to
// the caller. It returns wire.ErrFileCorrupt if the record is damaged on disk,
// and wire.ErrClientInvalidOperation if the position is not in the log: dropped,
// still on its way to the disk, or never returned by this log.
func (l *Log) ReadAt(p Position, buf []byte) (Record, error) {
	s, f, err := l.openReader(p)
	if err != nil {
		return Record{}, err
	}
	defer l.closeReader(s)
	size := int(recordBytes(int64(p.PayloadBytes)))
	b := slices.Grow(buf[:0], size)[:size]
	if _, err := f.ReadAt(b, int64(p.Offset)); err != nil && !errors.Is(err, io.EOF) {
		return Record{}, ioError("read", s.path, err)
	}
	h, ok := parseHeader(b, p.Segment, int64(p.Offset))
	if !ok || h.payloadBytes != p.PayloadBytes || h.typ != typeData {
		return Record{}, corrupt(s.path, int64(p.Offset), "no record where one was written")
	}
	if !h.payloadIntact(b[recordHeaderBytes:]) {
		return Record{}, corrupt(s.path, int64(p.Offset), "checksum of a record does not match")
	}
	copy(b, b[recordHeaderBytes:])
	return Record{Group: h.group, Kind: h.kind, Index: h.index, Payload: b[:p.PayloadBytes]}, nil
}

// openReader returns the file of the position's segment and keeps it open until
// closeReader.
func (l *Log) openReader(p Position) (*segment, vfs.File, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.readableLocked(); err != nil {
		return nil, nil, err
	}
	c := &l.mu.catalog
	s := c.find(p.Segment)
	if s == nil || p.Offset < firstRecordOffset || p.end() > s.written {
		return nil, nil, wire.ErrClientInvalidOperation.With(
			"write-ahead log %s has no record at %s: dropped, or not yet written", l.opts.Dir, p)
	}
	if s.reader.file == nil {
		if err := l.makeRoomLocked(); err != nil {
			return nil, nil, err
		}
		f, err := l.opts.FS.Open(s.path, vfs.RandomReadsOption)
		if err != nil {
			return nil, nil, ioError("open", s.path, err)
		}
		s.reader.file = f
	}
	s.reader.users++
	l.mu.stats.Reads++
	s.reader.used = uint64(l.mu.stats.Reads)
	return s, s.reader.file, nil
}

// readableLocked returns why nothing can be read, or nil. A log that stopped
// can still be read.
func (l *Log) readableLocked() error {
	if l.mu.closing {
		return wire.ErrDatabaseClosed.With("write-ahead log %s is closed", l.opts.Dir)
	}
	return nil
}

// closeReader ends a use of the segment's reader.
func (l *Log) closeReader(s *segment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.reader.users--
	if s.reader.users > 0 {
		return
	}
	if len(l.mu.catalog.dropped) > 0 {
		l.house.Signal()
	}
	if l.mu.closing {
		l.ready.Broadcast()
	}
}

// makeRoomLocked closes the reader that was unused for longest if there are
// enough of them.
func (l *Log) makeRoomLocked() error {
	var oldest *segment
	open := 0
	for _, s := range l.mu.catalog.live {
		if s.reader.file == nil {
			continue
		}
		open++
		if s.reader.users == 0 && (oldest == nil || s.reader.used < oldest.reader.used) {
			oldest = s
		}
	}
	if oldest == nil || open < maxReaders && !fault.Point("wal.reader.closeEarly") {
		return nil
	}
	f := oldest.reader.file
	oldest.reader.file = nil
	return ioError("close", oldest.path, f.Close())
}
