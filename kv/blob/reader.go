package blob

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/plinthdb/plinth/kv"
)

// fill reads the part of a content that begins at offset into all of dst, with
// one range read.
func (s *Store) fill(r kv.Reader, info Info, dst []byte, offset int64) error {
	if len(dst) == 0 {
		return nil
	}
	size := int64(info.ChunkBytes)
	first, last := offset/size, (offset+int64(len(dst))-1)/size
	keys := kv.KeyRange{Begin: s.chunkKey(info.ID, first), End: s.chunkKey(info.ID, last+1)}
	rows, err := r.Range(keys, kv.RangeOptions{}).Slice()
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return s.whyMissing(r, info, first)
	}
	for n := first; n <= last; n++ {
		i := int(n - first)
		if i >= len(rows) || string(rows[i].Key) != string(s.chunkKey(info.ID, n)) {
			return s.whyMissing(r, info, n)
		}
		chunk := rows[i].Value
		if want := min(size, info.Size-n*size); int64(len(chunk)) < want || len(chunk) > info.ChunkBytes {
			return &DamagedError{Key: rows[i].Key, Err: fmt.Errorf("chunk of %d bytes instead of %d", len(chunk), want)}
		}
		copied := copy(dst, chunk[max(0, offset-n*size):])
		dst = dst[copied:]
	}
	return nil
}

// whyMissing returns the error for chunk n of a content that is not there: the
// content may be gone, or the store damaged.
func (s *Store) whyMissing(r kv.Reader, info Info, n int64) error {
	if now, found, err := s.head(r, info.Name); err != nil {
		return err
	} else if found && now.ID == info.ID {
		return &DamagedError{Key: s.chunkKey(info.ID, n), Err: errors.New("chunk is missing")}
	}
	return ErrChanged
}

// Reader reads one content. ReadAt may be called by several goroutines at once,
// the other methods may not. It needs not be closed.
type Reader struct {
	s    *Store
	info Info
	// read runs f in a transaction to read with.
	read   func(f func(kv.Reader) error) error
	offset int64
	buffer []byte // what was read ahead at offset
}

var (
	_ io.ReadSeeker = (*Reader)(nil)
	_ io.ReaderAt   = (*Reader)(nil)
	_ io.WriterTo   = (*Reader)(nil)
)

// Open returns a Reader of the blob of a name. Each of its reads is a
// transaction of its own under ctx, and may therefore go on for any time. If
// there is no such blob the error wraps ErrNotExist.
func (s *Store) Open(ctx context.Context, db *kv.Database, name string) (*Reader, error) {
	info, err := kv.ReadTransact(ctx, db, func(r kv.Reader) (Info, error) { return s.Stat(r, name) }, s.options.Transaction...)
	if err != nil {
		return nil, at("open", name, err)
	}
	return &Reader{s: s, info: info, read: func(f func(kv.Reader) error) error {
		_, err := kv.ReadTransact(ctx, db, func(r kv.Reader) (struct{}, error) { return struct{}{}, f(r) }, s.options.Transaction...)
		return err
	}}, nil
}

// In returns a Reader of the blob of a name that reads with r, and is of no use
// any more when r's transaction has ended.
func (s *Store) In(r kv.Reader, name string) (*Reader, error) {
	info, err := s.Stat(r, name)
	if err != nil {
		return nil, err
	}
	return &Reader{s: s, info: info, read: func(f func(kv.Reader) error) error { return f(r) }}, nil
}

// Info describes the content that is read.
func (r *Reader) Info() Info { return r.info }

// Size returns the number of bytes.
func (r *Reader) Size() int64 { return r.info.Size }

// ReadAt implements io.ReaderAt. It reads exactly the chunks that it needs.
func (r *Reader) ReadAt(p []byte, offset int64) (n int, err error) {
	if offset < 0 {
		return 0, at("read", r.info.Name, kv.ErrClientInvalidOperation.With("offset %d is negative", offset))
	}
	if left := r.info.Size - offset; left < int64(len(p)) {
		p, err = p[:max(0, left)], io.EOF
	}
	for n < len(p) {
		part := p[n:min(len(p), n+r.s.options.TransactionBytes)]
		if err := r.fill(part, offset+int64(n)); err != nil {
			return n, err
		}
		n += len(part)
	}
	return n, err
}

// fill reads all of dst from offset with one transaction.
func (r *Reader) fill(dst []byte, offset int64) error {
	err := r.read(func(reader kv.Reader) error { return r.s.fill(reader, r.info, dst, offset) })
	return at("read", r.info.Name, err)
}

// readAheadBytes is what Read reads at once if it is asked for less.
const readAheadBytes = 256_000

// Read implements io.Reader. Small reads are served from what one transaction
// read ahead.
func (r *Reader) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(r.buffer) == 0 {
		left := r.info.Size - r.offset
		if left <= 0 {
			return 0, io.EOF
		}
		ahead := int(min(left, int64(min(readAheadBytes, r.s.options.TransactionBytes))))
		if len(p) >= ahead {
			n, err = r.ReadAt(p[:min(int64(len(p)), left)], r.offset)
			r.offset += int64(n)
			return n, err
		}
		buffer := make([]byte, ahead)
		if err := r.fill(buffer, r.offset); err != nil {
			return 0, err
		}
		r.buffer = buffer
	}
	n = copy(p, r.buffer)
	r.buffer = r.buffer[n:]
	r.offset += int64(n)
	return n, nil
}

// Seek implements io.Seeker.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += r.offset
	case io.SeekEnd:
		offset += r.info.Size
	default:
		return 0, at("seek in", r.info.Name, kv.ErrClientInvalidOperation.With("whence %d", whence))
	}
	if offset < 0 {
		return 0, at("seek in", r.info.Name, kv.ErrClientInvalidOperation.With("offset %d is negative", offset))
	}
	if offset != r.offset {
		r.offset, r.buffer = offset, nil
	}
	return offset, nil
}

// piece is what was read for WriteTo.
type piece struct {
	data []byte
	err  error
}

// WriteTo implements io.WriterTo, by which io.Copy works: it reads the next part
// while w takes the one before.
func (r *Reader) WriteTo(w io.Writer) (n int64, err error) {
	pieces, stop := make(chan piece), make(chan struct{})
	go func() {
		defer close(pieces)
		for offset := r.offset; offset < r.info.Size; {
			p := piece{data: make([]byte, min(r.info.Size-offset, int64(r.s.options.TransactionBytes)))}
			p.err = r.fill(p.data, offset)
			offset += int64(len(p.data))
			select {
			case pieces <- p:
			case <-stop:
				return
			}
			if p.err != nil {
				return
			}
		}
	}()
	defer func() { // the goroutine ends before WriteTo does
		close(stop)
		for range pieces {
		}
	}()
	r.buffer = nil
	for p := range pieces {
		if p.err != nil {
			return n, p.err
		}
		written, err := w.Write(p.data)
		n += int64(written)
		r.offset += int64(written)
		if err == nil && written < len(p.data) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
