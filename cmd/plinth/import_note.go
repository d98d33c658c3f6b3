package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/plinthdb/plinth/cmd/plinth/internal/dump"
	"github.com/plinthdb/plinth/cmd/plinth/internal/partial"
)

const (
	// importNoteName is the file in the data directory that says how far an
	// import is. It lies there because it is about that store: with a copy of
	// the directory goes what was imported into it, and a new store has none.
	importNoteName = "IMPORT"
	// importNoteEvery is how often it is written while an import goes on.
	importNoteEvery = time.Second
	// importNoteFormat is the version of its format.
	importNoteFormat = 1
)

// importNote keeps the checkpoint of an import in a file, as long as the import
// is not complete.
type importNote struct {
	files   partial.FS
	path    string
	content importNoteContent
	written time.Time
	// stale says that the file does not have the content.
	stale bool
	now   func() time.Time
}

// importNoteContent is what the file holds, as JSON.
type importNoteContent struct {
	Format int `json:"format"`
	// Input is the file's name as it was given; for people.
	Input string `json:"input"`
	// RowFormat, Begin and End must be the same when the import goes on.
	RowFormat string `json:"row_format"`
	Begin     string `json:"begin_base64"`
	End       string `json:"end_base64"`
	dump.Checkpoint
}

// newImportNote returns the note on an import into the store in dir. The store
// must be open, which keeps others away from the file.
func newImportNote(dir, input string, rows rowFlags) *importNote {
	return &importNote{
		files: partial.Disk(),
		path:  filepath.Join(dir, importNoteName),
		content: importNoteContent{
			Format: importNoteFormat, Input: input, RowFormat: rows.format.String(),
			Begin: base64.StdEncoding.EncodeToString(rows.keys.Begin),
			End:   base64.StdEncoding.EncodeToString(rows.keys.End),
		},
		now: time.Now,
	}
}

// begin returns where to begin: at the noted checkpoint if resume is set,
// otherwise at the beginning. It says on out what people may not expect.
func (n *importNote) begin(out io.Writer, resume bool) (dump.Checkpoint, error) {
	noted, err := n.read()
	switch {
	case errors.Is(err, fs.ErrNotExist) && resume:
		fmt.Fprintln(out, "plinth: no import into this store has stopped on the way: beginning at the first line")
		return dump.Checkpoint{}, nil
	case errors.Is(err, fs.ErrNotExist):
		return dump.Checkpoint{}, nil
	case !resume:
		// Whatever the note says, or if it is damaged: it is of another import.
		if err == nil {
			fmt.Fprintf(out, "plinth: an earlier import, of %s, stopped behind line %d; with --resume it would have gone on there\n", noted.Input, noted.Line)
		}
		// If a loss of power could bring it back, it would tell of lines that this
		// import has not come to.
		return dump.Checkpoint{}, partial.Remove(n.files, n.path)
	case err != nil:
		return dump.Checkpoint{}, fmt.Errorf("%w; without --resume the import begins at the first line", err)
	}
	if err := n.sameRows(noted); err != nil {
		return dump.Checkpoint{}, err
	}
	n.content.Checkpoint = noted.Checkpoint
	fmt.Fprintf(out, "plinth: going on behind line %d\n", noted.Line)
	return noted.Checkpoint, nil
}

// sameRows refuses to go on with an import that takes other rows.
func (n *importNote) sameRows(noted importNoteContent) error {
	switch {
	case noted.RowFormat != n.content.RowFormat:
		return fmt.Errorf("the import of %s was begun with --format %s: give it again, or leave --resume out", noted.Input, noted.RowFormat)
	case noted.Begin != n.content.Begin || noted.End != n.content.End:
		return fmt.Errorf("the import of %s was begun with another range of keys: give it again, or leave --resume out", noted.Input)
	}
	return nil
}

// read returns what the file holds.
func (n *importNote) read() (content importNoteContent, err error) {
	f, err := n.files.Open(n.path)
	if err != nil {
		return content, err
	}
	text, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return content, err
	}
	if err := json.Unmarshal(text, &content); err != nil {
		return content, fmt.Errorf("%s does not say how far an import is: %w", n.path, err)
	}
	if content.Format != importNoteFormat {
		return content, fmt.Errorf("%s has the format %d, this program knows %d", n.path, content.Format, importNoteFormat)
	}
	return content, nil
}

// reached notes a checkpoint, now or a little later.
func (n *importNote) reached(c dump.Checkpoint) error {
	n.content.Checkpoint = c
	n.stale = true
	if now := n.now(); now.Sub(n.written) >= importNoteEvery {
		n.written = now
		return n.write()
	}
	return nil
}

// end removes the file after a complete import, and brings it up to date after
// any other.
func (n *importNote) end(complete bool) error {
	if complete {
		return partial.Remove(n.files, n.path)
	}
	if n.stale {
		return n.write()
	}
	return nil
}

// write replaces the file.
func (n *importNote) write() error {
	text, err := json.MarshalIndent(n.content, "", "  ")
	if err != nil {
		return err
	}
	if err := partial.Replace(n.files, n.path, append(text, '\n')); err != nil {
		return err
	}
	n.stale = false
	return nil
}
