package dump

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

// Progress is told of rows that are done and of the bytes of their lines. It
// is called from one goroutine at a time.
type Progress func(rows, bytes int64)

// ExportProgress is told of rows that are done, of the bytes of their lines, and
// of the last key written, nil if there is none. It must not keep or change the
// key. It is called from one goroutine.
type ExportProgress func(rows, bytes int64, last []byte)

// ExportOptions says what to export.
type ExportOptions struct {
	// Range is the range of keys; AllKeys for everything.
	Range kv.KeyRange
	// Format is that of the lines.
	Format Format
	// OneVersion ends the export with an error that wraps
	// kv.ErrTransactionTooOld instead of going on at a newer version.
	OneVersion bool
	// Progress may be nil.
	Progress ExportProgress
	// From is where to begin: behind what an earlier Export of the same range
	// and format has written. The zero value is the beginning.
	From ExportCheckpoint
	// Checkpoint is called after each write to w, which is of whole lines, and
	// in the end, also if the export has failed to read more. Its error ends the
	// export. It may be nil; what a failed export has read last is not written
	// then.
	Checkpoint func(ExportCheckpoint) error
	// BufferBytes is how much is collected for a write; 0 is the default.
	BufferBytes int
}

// ExportCheckpoint is a place in an export, behind a line. It says enough of the
// lines before it to know them again, and to go on.
type ExportCheckpoint struct {
	Rows int64 `json:"rows"`
	// Bytes is the length of the lines, Checksum their CRC-32C.
	Bytes    int64  `json:"bytes"`
	Checksum uint32 `json:"checksum"`
	// Last is the key of the last row, which may be empty if Rows is not 0.
	Last []byte `json:"last_key_base64"`
	// FirstVersion, LastVersion and Versions are those of ExportReport.
	FirstVersion kv.Version `json:"first_version"`
	LastVersion  kv.Version `json:"last_version"`
	Versions     int        `json:"versions"`
}

// Rest is what of a range is behind the checkpoint.
func (c ExportCheckpoint) Rest(r kv.KeyRange) kv.KeyRange {
	if c.Rows > 0 {
		r.Begin = kv.KeyAfter(c.Last)
	}
	return r
}

// ExportReport says what was exported.
type ExportReport struct {
	// Rows, Bytes and Checksum, a CRC-32C, are those of all the text, what was
	// written before From included.
	Rows     int64  `json:"rows"`
	Bytes    int64  `json:"bytes"`
	Checksum uint32 `json:"checksum"`
	// ResumedAfterRow is From.Rows.
	ResumedAfterRow int64 `json:"resumed_after_row"`
	// FirstVersion and LastVersion are the oldest and newest version that was
	// read, Versions is their number. With one version the export is a
	// consistent snapshot.
	FirstVersion kv.Version `json:"first_version"`
	LastVersion  kv.Version `json:"last_version"`
	Versions     int        `json:"versions"`
}

// Consistent reports whether everything was read at one version.
func (r ExportReport) Consistent() bool { return r.Versions <= 1 }

const (
	// defaultBufferBytes is ExportOptions.BufferBytes where that is 0.
	defaultBufferBytes = 256 << 10
	// maxStalls is how many read versions in a row may serve no row before
	// Export gives up.
	maxStalls = 20
	// progressRows is after how many rows progress is reported.
	progressRows = 256
)

// ErrOlderStore says that the store is at an older version than From has read:
// an export cannot go on in what may be an old copy.
var ErrOlderStore = errors.New("the store is older than the export that was begun")

// Export writes the rows of a range to w as lines, see the package comment.
// The report is right also with an error: that much was written.
func Export(ctx context.Context, db *kv.Database, w io.Writer, options ExportOptions) (ExportReport, error) {
	if options.BufferBytes <= 0 {
		options.BufferBytes = defaultBufferBytes
	}
	e := exporter{ExportOptions: options, out: w, at: options.From, toldRows: options.From.Rows, toldBytes: options.From.Bytes}
	err := e.run(ctx, db, options.From.Rest(options.Range))
	e.tell()
	if err == nil || options.Checkpoint != nil {
		err = errors.Join(err, e.flush())
	}
	return e.report(), err
}

type exporter struct {
	ExportOptions
	out io.Writer
	// buffer is the lines that were read and not written.
	buffer []byte
	// at is the place behind the lines that were read.
	at ExportCheckpoint
	// broken says that a write has failed: nobody knows what it has written.
	broken bool
	// toldRows and toldBytes are what progress has been told of.
	toldRows, toldBytes int64
}

// report tells what was read; after a failed write that is more than what was
// written.
func (e *exporter) report() ExportReport {
	return ExportReport{
		Rows: e.at.Rows, Bytes: e.at.Bytes, Checksum: e.at.Checksum, ResumedAfterRow: e.From.Rows,
		FirstVersion: e.at.FirstVersion, LastVersion: e.at.LastVersion, Versions: e.at.Versions,
	}
}

// flush writes the buffer.
func (e *exporter) flush() error {
	if e.broken {
		return nil // The first write that failed has said it.
	}
	if len(e.buffer) > 0 {
		if _, err := e.out.Write(e.buffer); err != nil {
			e.broken = true
			return fmt.Errorf("write: %w", err)
		}
		e.buffer = e.buffer[:0]
	}
	if e.Checkpoint == nil {
		return nil
	}
	if err := e.Checkpoint(e.at); err != nil {
		e.broken = true
		return fmt.Errorf("note that %d rows are exported: %w", e.at.Rows, err)
	}
	return nil
}

// run reads the range with one transaction after the other, each going on
// after the last key of the one before.
func (e *exporter) run(ctx context.Context, db *kv.Database, rest kv.KeyRange) error {
	tx := db.Begin(ctx)
	defer func() { tx.Cancel() }()
	for stalls := 0; ; {
		last, err := e.copyRows(tx, rest)
		if err == nil {
			return nil
		}
		if !kv.Retryable(err) {
			return err
		}
		if last == nil {
			if stalls++; stalls > maxStalls {
				return fmt.Errorf("no row could be read at %d versions in a row, beginning with key %s: %w", stalls, tuple.Printable(rest.Begin), err)
			}
			if err := tx.OnError(err); err != nil {
				return err
			}
			continue
		}
		if e.OneVersion {
			return fmt.Errorf("version %d cannot be read any more after %d rows, and one version was asked for: %w", e.at.FirstVersion, e.at.Rows, err)
		}
		stalls = 0
		rest.Begin = kv.KeyAfter(last)
		tx.Cancel()
		tx = db.Begin(ctx)
	}
}

// copyRows writes the rows of the range at the transaction's read version. It
// returns the last key written, nil if there was none, also with an error.
func (e *exporter) copyRows(tx *kv.Transaction, r kv.KeyRange) (last []byte, err error) {
	version, err := tx.ReadVersion()
	if err != nil {
		return nil, err
	}
	if version < e.From.LastVersion {
		return nil, fmt.Errorf("%w: it is at version %d, and version %d was read", ErrOlderStore, version, e.From.LastVersion)
	}
	for row, err := range tx.Snapshot().Range(r, kv.RangeOptions{}).All() {
		if err != nil {
			return last, err
		}
		if last == nil {
			e.readAt(version)
		}
		last = row.Key
		e.add(row)
		if len(e.buffer) >= e.BufferBytes {
			if err := e.flush(); err != nil {
				return last, err
			}
		}
		if e.at.Rows-e.toldRows >= progressRows {
			e.tell()
		}
	}
	if last == nil {
		e.readAt(version) // That nothing more is there was seen at this version.
	}
	return last, nil
}

// add appends the line of a row to the buffer.
func (e *exporter) add(row kv.KeyValue) {
	before := len(e.buffer)
	e.buffer = e.Format.AppendLine(e.buffer, row)
	line := e.buffer[before:]
	e.at.Rows++
	e.at.Bytes += int64(len(line))
	e.at.Checksum = checksum(e.at.Checksum, line)
	e.at.Last = row.Key
}

// readAt notes that rows were read at a version. Only a resumed export can meet
// one a second time.
func (e *exporter) readAt(version kv.Version) {
	if e.at.Versions > 0 && version == e.at.LastVersion {
		return
	}
	if e.at.Versions == 0 {
		e.at.FirstVersion = version
	}
	e.at.LastVersion = version
	e.at.Versions++
}

// tell reports progress since the last call.
func (e *exporter) tell() {
	if e.Progress != nil {
		e.Progress(e.at.Rows-e.toldRows, e.at.Bytes-e.toldBytes, e.at.Last)
	}
	e.toldRows, e.toldBytes = e.at.Rows, e.at.Bytes
}
