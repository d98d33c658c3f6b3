package wal

import (
	"bytes"
	"errors"
	"io"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// scanWindowBytes is how much of a segment is read at a time.
const scanWindowBytes = 256 << 10

// scanner reads the records of one segment's file in their order, in memory
// bounded by the longest record.
type scanner struct {
	path string
	seq  uint64
	file io.ReaderAt
	// size is the length of the file.
	size int64
	// window holds the bytes of the file from windowStart.
	window      []byte
	windowStart int64
}

// openScanner opens a segment's file.
func openScanner(fs vfs.FS, path string, seq uint64) (*scanner, vfs.File, error) {
	f, err := fs.Open(path, vfs.SequentialReadsOption)
	if err != nil {
		return nil, nil, ioError("open", path, err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, closeAfter(ioError("read the size of", path, err), f)
	}
	return &scanner{path: path, seq: seq, file: f, size: info.Size()}, f, nil
}

// bytes returns n bytes at off, fewer at the end of the file. They are valid
// until the next call.
func (s *scanner) bytes(off, n int64) ([]byte, error) {
	n = max(0, min(n, s.size-off))
	if off < s.windowStart || off+n > s.windowStart+int64(len(s.window)) {
		want := min(max(n, scanWindowBytes), s.size-off)
		if int64(cap(s.window)) < want {
			s.window = make([]byte, want)
		}
		s.window, s.windowStart = s.window[:want], off
		got, err := s.file.ReadAt(s.window, off)
		s.window = s.window[:got]
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, ioError("read", s.path, err)
		}
		n = min(n, int64(got))
	}
	at := off - s.windowStart
	return s.window[at : at+n : at+n], nil
}

// forget makes the next look at the file read it anew. Whatever seems damaged is
// read twice: the end of a log must not be cut because one read went wrong (L2).
func (s *scanner) forget() { s.window = s.window[:0] }

// readSegmentHeader reads the file's first block, as parseSegmentHeader does.
func (s *scanner) readSegmentHeader() (seq uint64, newer uint32, ok bool, err error) {
	for range 2 {
		b, err := s.bytes(0, segmentHeaderBytes)
		if err != nil {
			return 0, 0, false, err
		}
		if seq, newer, ok = parseSegmentHeader(b); ok {
			break
		}
		s.forget()
	}
	return seq, newer, ok, nil
}

// record reads the record at off. problem says why there is none. The payload
// is valid until the next call.
func (s *scanner) record(off int64) (h header, payload []byte, problem string, err error) {
	h, payload, problem, err = s.readRecord(off)
	if err != nil || problem == "" {
		return h, payload, problem, err
	}
	s.forget()
	return s.readRecord(off)
}

// readRecord is record with one read.
func (s *scanner) readRecord(off int64) (h header, payload []byte, problem string, err error) {
	b, err := s.bytes(off, recordHeaderBytes)
	if err != nil {
		return header{}, nil, "", err
	}
	h, ok := parseHeader(b, s.seq, off)
	if !ok {
		return header{}, nil, "no record where one was written", nil
	}
	if h.typ < typeData || h.typ > typeLink {
		return header{}, nil, "a record is of an unknown type", nil
	}
	if off+h.size() > s.size {
		return header{}, nil, "the file ends within a record", nil
	}
	if b, err = s.bytes(off, h.size()); err != nil {
		return header{}, nil, "", err
	}
	if int64(len(b)) < h.size() || !h.payloadIntact(b[recordHeaderBytes:]) {
		return header{}, nil, "checksum of a record does not match", nil
	}
	return h, b[recordHeaderBytes:][:h.payloadBytes], "", nil
}

// readLink reads the first record of the segment.
func (s *scanner) readLink() (k link, ok bool, err error) {
	h, payload, problem, err := s.record(segmentHeaderBytes)
	if err != nil || problem != "" || h.typ != typeLink {
		return link{}, false, err
	}
	k, ok = parseLink(payload)
	return k, ok, nil
}

// provenSynced looks behind off for the header of a record that names a synced
// offset greater than off. If there is one then what stands at off had been
// synced, so it is not the torn end of the log (L2). The header alone is proof:
// it has a checksum of its own, and its payload may be torn.
func (s *scanner) provenSynced(off int64) (bool, error) {
	magic := []byte{recordMagic0, recordMagic1}
	at := (off/recordAlign + 1) * recordAlign
	for at < s.size {
		b, err := s.bytes(at, min(scanWindowBytes, s.size-at))
		if err != nil || len(b) < recordHeaderBytes {
			return false, err
		}
		for i := 0; i+recordHeaderBytes <= len(b); {
			if next := bytes.Index(b[i:], magic); next < 0 {
				break
			} else if next%recordAlign != 0 {
				i += (next/recordAlign + 1) * recordAlign
				continue
			} else {
				i += next
			}
			if h, ok := parseHeader(b[i:], s.seq, at+int64(i)); ok && int64(h.syncedOffset) > off {
				return true, nil
			}
			i += recordAlign
		}
		if at+int64(len(b)) >= s.size {
			return false, nil
		}
		// The next window begins so that no header is cut by the edge.
		at += (int64(len(b)) - recordHeaderBytes) / recordAlign * recordAlign
	}
	return false, nil
}
