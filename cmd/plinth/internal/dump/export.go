package dump

import (
	"bufio"
	"context"
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
}

// ExportReport says what was exported.
type ExportReport struct {
	Rows  int64 `json:"rows"`
	Bytes int64 `json:"bytes"` // of text written
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
	writeBufferBytes = 256 << 10
	// maxStalls is how many read versions in a row may serve no row before
	// Export gives up.
	maxStalls = 20
	// progressRows is after how many rows progress is reported.
	progressRows = 256
)

// Export writes the rows of a range to w as lines, see the package comment.
// The report is right also with an error: that much was written.
func Export(ctx context.Context, db *kv.Database, w io.Writer, options ExportOptions) (ExportReport, error) {
	e := exporter{ExportOptions: options, out: bufio.NewWriterSize(w, writeBufferBytes)}
	err := e.run(ctx, db, options.Range)
	e.tell()
	if err != nil {
		return e.report, err
	}
	if err := e.out.Flush(); err != nil {
		return e.report, fmt.Errorf("write: %w", err)
	}
	return e.report, nil
}

type exporter struct {
	ExportOptions
	out    *bufio.Writer
	report ExportReport
	line   []byte
	// last is the last key written.
	last []byte
	// toldRows and toldBytes are what progress has been told of.
	toldRows, toldBytes int64
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
			return fmt.Errorf("version %d cannot be read any more after %d rows, and one version was asked for: %w", e.report.FirstVersion, e.report.Rows, err)
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
	for row, err := range tx.Snapshot().Range(r, kv.RangeOptions{}).All() {
		if err != nil {
			return last, err
		}
		if last == nil {
			e.readAt(version)
		}
		last = row.Key
		e.line = e.Format.AppendLine(e.line[:0], row)
		if _, err := e.out.Write(e.line); err != nil {
			return last, fmt.Errorf("write: %w", err)
		}
		e.last = row.Key
		e.report.Rows++
		e.report.Bytes += int64(len(e.line))
		if e.report.Rows-e.toldRows >= progressRows {
			e.tell()
		}
	}
	if last == nil {
		e.readAt(version) // That nothing more is there was seen at this version.
	}
	return last, nil
}

// readAt notes that rows were read at a version.
func (e *exporter) readAt(version kv.Version) {
	if e.report.Versions == 0 {
		e.report.FirstVersion = version
	}
	e.report.LastVersion = version
	e.report.Versions++
}

// tell reports progress since the last call.
func (e *exporter) tell() {
	if e.Progress != nil {
		e.Progress(e.report.Rows-e.toldRows, e.report.Bytes-e.toldBytes, e.last)
	}
	e.toldRows, e.toldBytes = e.report.Rows, e.report.Bytes
}
