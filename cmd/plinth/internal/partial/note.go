package partial

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"

	"github.com/plinthdb/plinth/cmd/plinth/internal/dump"
)

// noteFormat is the version of the note's format.
const noteFormat = 1

// Source is what is exported. It must be the same when the export goes on.
type Source struct {
	// Store names the store, wherever it lies.
	Store string `json:"store"`
	// RowFormat is the format of the lines, Begin and End are the range.
	RowFormat dump.Format `json:"row_format"`
	Begin     []byte      `json:"begin_base64"`
	End       []byte      `json:"end_base64"`
}

// note is what a note holds.
type note struct {
	Format int `json:"format"`
	Source
	dump.ExportCheckpoint
}

// readNote reads a note. The error wraps fs.ErrNotExist if there is none.
func readNote(files FS, name string) (n note, err error) {
	f, err := files.Open(name)
	if err != nil {
		return n, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxNoteBytes))
	if err := errors.Join(err, f.Close()); err != nil {
		return n, err
	}
	return parseNote(name, text)
}

// maxNoteBytes is more than a note with three keys of the greatest length.
const maxNoteBytes = 64 << 10

// parseNote reads the text of a note.
func parseNote(name string, text []byte) (n note, err error) {
	if err := json.Unmarshal(text, &n); err != nil {
		return n, fmt.Errorf("%w: %s does not say how far an export is: %w", ErrDamaged, name, err)
	}
	if n.Format != noteFormat {
		return n, fmt.Errorf("%w: %s has the format %d, this program knows %d", ErrDamaged, name, n.Format, noteFormat)
	}
	if n.Rows < 0 || n.Bytes < n.Rows || (n.Rows == 0) != (n.Bytes == 0) {
		return n, fmt.Errorf("%w: %s tells of %d rows in %d bytes", ErrDamaged, name, n.Rows, n.Bytes)
	}
	return n, nil
}

// check compares what was begun with what is to go on.
func (n note) check(source Source) error {
	switch {
	case n.Store != source.Store:
		return fmt.Errorf("%w: it is of another store", ErrOtherExport)
	case n.RowFormat != source.RowFormat:
		return fmt.Errorf("%w: it was begun with --format %s", ErrOtherExport, n.RowFormat)
	case !bytes.Equal(n.Begin, source.Begin) || !bytes.Equal(n.End, source.End):
		return fmt.Errorf("%w: it was begun with another range of keys", ErrOtherExport)
	}
	return nil
}

// checkContent compares the noted part of the partial file with the note.
func (n note) checkContent(ctx context.Context, files FS, name string) error {
	f, err := files.Open(name)
	if err != nil {
		return err
	}
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	copied, err := io.Copy(sum, io.LimitReader(readerUntil{ctx, f}, n.Bytes))
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	switch {
	case copied < n.Bytes:
		return fmt.Errorf("%w: %s has %d bytes, %d were written", ErrDamaged, name, copied, n.Bytes)
	case sum.Sum32() != n.Checksum:
		return fmt.Errorf("%w: the first %d bytes of %s are not those that were written", ErrDamaged, n.Bytes, name)
	}
	return nil
}

// readerUntil reads until a context ends.
type readerUntil struct {
	ctx context.Context
	in  io.Reader
}

// Read implements io.Reader.
func (r readerUntil) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.in.Read(p)
}

// writeNote replaces a note.
func writeNote(files FS, name string, n note) error {
	text, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return err
	}
	return Replace(files, name, append(text, '\n'))
}

// Replace gives a file a content, which is durable before it gets the name: a
// loss of power leaves the old content or the new one (P2). Afterwards it is the
// new one.
func Replace(files FS, name string, content []byte) error {
	next := name + ".new"
	if err := files.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := files.Create(next)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err := closed(f, err); err != nil {
		return errors.Join(err, files.Remove(next))
	}
	if err := files.Rename(next, name); err != nil {
		return err
	}
	return files.SyncNames(name)
}

// Remove removes a file, if it is there, so that a loss of power does not bring
// it back.
func Remove(files FS, name string) error {
	if err := files.Remove(name); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return files.SyncNames(name)
}

// closed closes a file and returns an error that was met before, or that.
func closed(f io.Closer, err error) error {
	if closeErr := f.Close(); err == nil {
		return closeErr
	}
	return err
}
