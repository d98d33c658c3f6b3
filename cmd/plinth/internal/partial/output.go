package partial

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/plinthdb/plinth/cmd/plinth/internal/dump"
)

var (
	// ErrUnfinished says that an export to the same file has stopped on the way.
	ErrUnfinished = errors.New("an export has stopped on the way")
	// ErrOtherExport says that it was another export that stopped.
	ErrOtherExport = errors.New("it is not the export that was begun")
	// ErrDamaged says that the partial file or its note do not hold what they
	// held.
	ErrDamaged = errors.New("what was exported so far is damaged")
)

// noteEvery is how often a note is written while an export goes on.
const noteEvery = time.Second

// Output is the output of an export that is under way. Its methods are called
// by one goroutine.
type Output struct {
	files FS
	name  string
	// file is the partial file, nil when it is closed.
	file File
	note note
	// earlier is the checkpoint before that of the note.
	earlier dump.ExportCheckpoint
	// unsure says that a sync has failed: nobody knows what is on disk behind the
	// last note, and a later sync that works says nothing of it.
	unsure bool
	// stale says that the note on disk is older than this one.
	stale   bool
	written time.Time
	now     func() time.Time
}

// Name is the name of the partial file of an output.
func Name(output string) string { return output + ".partial" }

// noteName is the name of the note on a partial file.
func noteName(output string) string { return Name(output) + ".note" }

// Begin begins the output that is to become a file with a name. The error wraps
// ErrUnfinished if there is a partial file already; that, and a note on it, are
// left as they are (P4).
func Begin(files FS, name string, source Source) (*Output, error) {
	f, err := files.Create(Name(name))
	if errors.Is(err, fs.ErrExist) {
		return nil, unfinished(files, name)
	}
	if err != nil {
		return nil, err
	}
	o := newOutput(files, name, f, note{Format: noteFormat, Source: source})
	if err := o.writeNote(); err != nil {
		return nil, errors.Join(err, o.Discard())
	}
	return o, nil
}

func newOutput(files FS, name string, f File, n note) *Output {
	return &Output{files: files, name: name, file: f, note: n, now: time.Now, written: time.Now()}
}

// unfinished is the error of a partial file that is there.
func unfinished(files FS, name string) error {
	n, err := readNote(files, noteName(name))
	if err != nil {
		return fmt.Errorf("%w: there is a file %s", ErrUnfinished, Name(name))
	}
	return fmt.Errorf("%w: %s holds %d rows", ErrUnfinished, Name(name), n.Rows)
}

// Resume goes on with the output that is to become a file with a name, and
// returns how far it is. Where none was begun it begins one: the checkpoint is
// the zero value then. The error wraps ErrOtherExport or ErrDamaged if what is
// there is nothing to go on with; it is left as it is. What is there is read
// once, which the end of ctx ends.
func Resume(ctx context.Context, files FS, name string, source Source) (*Output, dump.ExportCheckpoint, error) {
	n, err := readNote(files, noteName(name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, dump.ExportCheckpoint{}, err
	}
	noted := err == nil
	info, err := files.Stat(Name(name))
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, dump.ExportCheckpoint{}, err
	case err != nil && n.Rows > 0:
		return nil, dump.ExportCheckpoint{}, fmt.Errorf("%w: %s is missing, which held %d rows", ErrDamaged, Name(name), n.Rows)
	case err != nil:
		out, err := Begin(files, name, source)
		return out, dump.ExportCheckpoint{}, err
	case !noted && info.Size() > 0:
		return nil, dump.ExportCheckpoint{}, fmt.Errorf("%w: there is no note %s on what %s holds", ErrDamaged, noteName(name), Name(name))
	case !noted:
		n = note{Format: noteFormat, Source: source} // The end came before the note on nothing.
	}
	if err := n.check(source); err != nil {
		return nil, dump.ExportCheckpoint{}, err
	}
	if err := n.checkContent(ctx, files, Name(name)); err != nil {
		return nil, dump.ExportCheckpoint{}, err
	}
	f, err := files.Append(Name(name), n.Bytes)
	if err != nil {
		return nil, dump.ExportCheckpoint{}, err
	}
	o := newOutput(files, name, f, n)
	if !noted {
		if err := o.writeNote(); err != nil {
			return nil, dump.ExportCheckpoint{}, errors.Join(err, f.Close())
		}
	}
	return o, n.ExportCheckpoint, nil
}

// Discard removes the partial file and the note of an export that is not to go
// on, if there are any, and reports whether there were.
func Discard(files FS, name string) (found bool, err error) {
	for _, file := range []string{Name(name), noteName(name), noteName(name) + ".new"} {
		removeErr := files.Remove(file)
		found = found || removeErr == nil
		if !errors.Is(removeErr, fs.ErrNotExist) {
			err = errors.Join(err, removeErr)
		}
	}
	return found, err
}

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) { return o.file.Write(p) }

// Reached notes that everything up to a checkpoint was written, now or a little
// later. After an error call Leave, or Discard.
func (o *Output) Reached(c dump.ExportCheckpoint) error {
	if o.stale && c.Bytes > o.note.Bytes {
		o.earlier = o.note.ExportCheckpoint
	}
	o.note.ExportCheckpoint = c
	o.stale = true
	if now := o.now(); now.Sub(o.written) >= noteEvery {
		o.written = now
		return o.writeNote()
	}
	return nil
}

// writeNote makes durable what was written, and then the note on it (P2).
func (o *Output) writeNote() error {
	if err := o.sync(); err != nil {
		return err
	}
	if err := writeNote(o.files, noteName(o.name), o.note); err != nil {
		return err
	}
	o.stale, o.earlier = false, dump.ExportCheckpoint{}
	return nil
}

func (o *Output) sync() error {
	err := o.file.Sync()
	o.unsure = o.unsure || err != nil
	return err
}

func (o *Output) close(err error) error {
	f := o.file
	o.file = nil
	return closed(f, err)
}

// Keep makes the output durable and gives it its name (P1). After an error call
// Leave.
func (o *Output) Keep() error {
	if err := o.writeNote(); err != nil {
		return err
	}
	if err := o.close(nil); err != nil {
		return err
	}
	info, err := o.files.Stat(Name(o.name))
	if err != nil {
		return err
	}
	if info.Size() != o.note.Bytes {
		return fmt.Errorf("%w: %s has %d bytes, %d were written", ErrDamaged, Name(o.name), info.Size(), o.note.Bytes)
	}
	if err := o.files.Rename(Name(o.name), o.name); err != nil {
		return err
	}
	if err := o.files.SyncNames(o.name); err != nil {
		return err
	}
	return o.files.Remove(noteName(o.name))
}

// Leave ends an output that is not complete. It can be resumed behind what the
// result tells of, also if there is an error; if that is no row nothing is left
// of it.
func (o *Output) Leave() (dump.ExportCheckpoint, error) {
	var err error
	if o.file != nil {
		if o.stale {
			err = o.cut(o.note.ExportCheckpoint)
		}
		if err != nil && o.earlier.Rows > 0 && o.cut(o.earlier) == nil {
			err = nil // The disk is full, and what is given up made room for the note.
		}
		err = o.close(err)
	}
	if _, statErr := o.files.Stat(Name(o.name)); errors.Is(statErr, fs.ErrNotExist) {
		return dump.ExportCheckpoint{}, err // It has its name already.
	}
	n, noteErr := readNote(o.files, noteName(o.name))
	if noteErr == nil && n.Rows == 0 {
		_, discardErr := Discard(o.files, o.name)
		err = errors.Join(err, discardErr)
	}
	return n.ExportCheckpoint, errors.Join(err, noteErr)
}

// cut cuts the file behind a checkpoint, and notes that.
func (o *Output) cut(c dump.ExportCheckpoint) error {
	if o.unsure {
		return fmt.Errorf("a sync of %s has failed, so only what was noted before is sure", Name(o.name))
	}
	if err := o.file.Truncate(c.Bytes); err != nil {
		return err
	}
	o.note.ExportCheckpoint = c
	return o.writeNote()
}

// Discard removes what was written, and the note.
func (o *Output) Discard() error {
	closeErr := o.close(nil)
	_, err := Discard(o.files, o.name)
	return errors.Join(closeErr, err)
}
