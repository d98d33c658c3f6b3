package blob

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

// PutOption is a condition of an upload.
type PutOption func(*condition)

// condition is what the blob must be when the new content takes its place.
type condition struct {
	absent bool
	match  *tuple.UUID
}

// IfAbsent makes an upload fail with ErrPrecondition if there is a blob of that
// name when it is to be committed.
func IfAbsent() PutOption { return func(c *condition) { c.absent = true } }

// IfMatch makes an upload fail with ErrPrecondition if the content is another
// one than id, which Info gives, when it is to be committed.
func IfMatch(id tuple.UUID) PutOption { return func(c *condition) { c.match = &id } }

func (c *condition) check(now Info, found bool) error {
	if c.absent && found || c.match != nil && (!found || now.ID != *c.match) {
		return ErrPrecondition
	}
	return nil
}

// Put stores everything that src gives as the blob of a name, in one transaction
// if it is small and else in many; see the package comment. On an error the blob
// is as it was before, except that after an error that is kv.MaybeCommitted it
// may be the new one.
func (s *Store) Put(ctx context.Context, db *kv.Database, name string, src io.Reader, options ...PutOption) (Info, error) {
	w := s.Create(ctx, db, name, options...)
	if _, err := w.ReadFrom(src); err != nil {
		w.abandon()
		return Info{}, err
	}
	return w.Commit()
}

// Copy stores the content of one blob as another. If it changes meanwhile the
// error wraps ErrChanged, and nothing is changed.
func (s *Store) Copy(ctx context.Context, db *kv.Database, from, to string, options ...PutOption) (Info, error) {
	r, err := s.Open(ctx, db, from)
	if err != nil {
		return Info{}, err
	}
	return s.Put(ctx, db, to, r, options...)
}

// Writer is an upload. Write to it, then Commit; Close gives it up unless it was
// committed, so that it can be deferred. It is for one goroutine.
type Writer struct {
	ctx       context.Context
	s         *Store
	db        *kv.Database
	info      Info // Size is that of the chunks written
	condition condition
	buffer    []byte // what is not written yet, up to a batch
	begun     bool   // the upload is registered
	err       error  // of an earlier call, or ErrClosed
}

// Create begins an upload, without writing anything yet. ctx bounds all of it.
func (s *Store) Create(ctx context.Context, db *kv.Database, name string, options ...PutOption) *Writer {
	w := &Writer{ctx: ctx, s: s, db: db, info: Info{Name: name, ID: newID(), ChunkBytes: s.options.ChunkBytes}}
	for _, option := range options {
		option(&w.condition)
	}
	return w
}

// Write implements io.Writer. It keeps up to a transaction's worth in memory.
func (w *Writer) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		space, err := w.space()
		if err != nil {
			return n, err
		}
		copied := copy(space, p)
		w.buffer = w.buffer[:len(w.buffer)+copied]
		n, p = n+copied, p[copied:]
	}
	return n, w.failed()
}

// maxIdleReads is how often a reader may give neither data nor an error.
const maxIdleReads = 100

// ReadFrom implements io.ReaderFrom.
func (w *Writer) ReadFrom(src io.Reader) (n int64, err error) {
	for idle := 0; ; idle++ {
		space, err := w.space()
		if err != nil {
			return n, err
		}
		read, err := src.Read(space)
		if read > 0 {
			idle = 0
		} else if err == nil && idle == maxIdleReads {
			err = io.ErrNoProgress
		}
		w.buffer = w.buffer[:len(w.buffer)+read]
		n += int64(read)
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, at("put", w.info.Name, err)
		}
	}
}

// firstBufferBytes is the first room for what is written: many blobs are small.
const firstBufferBytes = 16 << 10

// space returns room in the buffer, for which it writes the buffer if it is full.
// It looks at the context each time, for who writes slowly.
func (w *Writer) space() ([]byte, error) {
	if w.err == nil && w.ctx.Err() != nil {
		w.err = context.Cause(w.ctx)
	}
	if w.err != nil {
		return nil, w.failed()
	}
	limit := w.s.batchBytes()
	if len(w.buffer) == limit {
		if err := w.transact((*Writer).writeBatch); err != nil {
			return nil, err
		}
		w.info.Size += int64(len(w.buffer))
		w.begun = true
		w.buffer = w.buffer[:0]
	}
	if len(w.buffer) == cap(w.buffer) {
		grown := make([]byte, len(w.buffer), min(limit, max(firstBufferBytes, 4*cap(w.buffer))))
		copy(grown, w.buffer)
		w.buffer = grown
	}
	return w.buffer[len(w.buffer):cap(w.buffer)], nil
}

func (w *Writer) failed() error { return at("put", w.info.Name, w.err) }

// transact runs one step of the upload. An error ends it.
func (w *Writer) transact(step func(*Writer, *kv.Transaction) error) error {
	_, err := kv.Transact(w.ctx, w.db, func(tx *kv.Transaction) (struct{}, error) {
		return struct{}{}, step(w, tx)
	}, w.s.options.Transaction...)
	w.err = err
	return w.failed()
}

// writeBatch writes the buffer, which is full, and renews the lease.
func (w *Writer) writeBatch(tx *kv.Transaction) error {
	key := w.s.uploadKey(w.info.Name, w.info.ID)
	if w.begun {
		registered, err := tx.Get(key).Wait()
		if err != nil {
			return err
		}
		if registered == nil {
			return ErrAbandoned
		}
	} else if err := w.begin(tx); err != nil {
		return err
	}
	tx.SetVersionstampedValue(key, make([]byte, stampBytes+4)) // the stamp at offset 0
	w.writeBuffer(tx)
	return nil
}

// begin does what comes before the first batch: it looks whether the upload has
// a chance, and removes those of the same name that were given up.
func (w *Writer) begin(tx *kv.Transaction) error {
	now, found, err := w.s.head(tx.Snapshot(), w.info.Name)
	if err != nil {
		return err
	}
	if err := w.condition.check(now, found); err != nil {
		return err
	}
	_, _, err = w.s.sweepPage(tx, w.s.uploads.Sub(w.info.Name).Range())
	return err
}

// writeBuffer writes the buffer as chunks behind those that are written.
func (w *Writer) writeBuffer(tx *kv.Transaction) {
	w.s.writeChunks(tx, w.info, w.info.Size/int64(w.info.ChunkBytes), w.buffer)
}

// Commit writes the rest and makes the blob visible. After an error the upload
// is given up.
func (w *Writer) Commit() (Info, error) {
	if w.err != nil {
		return Info{}, w.failed()
	}
	if err := w.transact((*Writer).commit); err != nil {
		w.abandon()
		return Info{}, err
	}
	info := w.info
	info.Size += int64(len(w.buffer))
	w.begun, w.buffer, w.err = false, nil, ErrClosed
	return info, nil
}

// commit is the last transaction of an upload.
func (w *Writer) commit(tx *kv.Transaction) error {
	key := w.s.uploadKey(w.info.Name, w.info.ID)
	upload := tx.Get(key)
	now, found, err := w.s.head(tx, w.info.Name)
	if err != nil {
		return err
	}
	if found && now.ID == w.info.ID {
		return nil // an earlier try, of which nothing was heard, has done it
	}
	if w.begun {
		registered, err := upload.Wait()
		if err != nil {
			return err
		}
		if registered == nil {
			return ErrAbandoned
		}
		tx.Clear(key)
	}
	if err := w.condition.check(now, found); err != nil {
		return err
	}
	if found {
		tx.ClearRange(w.s.contentRange(now.ID))
	}
	w.writeBuffer(tx)
	info := w.info
	info.Size += int64(len(w.buffer))
	tx.Set(w.s.headKey(info.Name), encodeHead(info))
	return nil
}

// abandon is Close after an error, which is the one that matters: if Close fails
// as well, the end of the lease does its work.
func (w *Writer) abandon() { _ = w.Close() }

// closeTimeout bounds Close, which works even if the upload's context has ended.
const closeTimeout = time.Second

// Close gives up an upload that was not committed, and removes what it wrote; if
// that fails, the end of its lease will do it. After Commit it does nothing.
func (w *Writer) Close() error {
	if !w.begun {
		w.buffer, w.err = nil, ErrClosed
		return nil
	}
	w.begun, w.buffer = false, nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), closeTimeout)
	defer cancel()
	w.ctx = ctx
	err := w.transact((*Writer).remove)
	w.err = ErrClosed
	return err
}

// remove removes what an upload wrote, unless it was committed after all.
func (w *Writer) remove(tx *kv.Transaction) error {
	key := w.s.uploadKey(w.info.Name, w.info.ID)
	registered, err := tx.Get(key).Wait()
	if err != nil || registered == nil {
		return err
	}
	tx.Clear(key)
	tx.ClearRange(w.s.contentRange(w.info.ID))
	return nil
}
