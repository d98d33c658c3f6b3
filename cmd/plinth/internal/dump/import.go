package dump

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/plinthdb/plinth/kv"
)

// ImportOptions says how to import.
type ImportOptions struct {
	// Range leaves out the rows whose keys are outside; AllKeys takes all.
	Range kv.KeyRange
	// ContinueOnError goes on after a bad line instead of stopping there.
	ContinueOnError bool
	// Bad is told of each bad line, in order; it may be nil.
	Bad func(BadLine)
	// Progress may be nil.
	Progress Progress
	// BatchBytes ends a transaction's batch, at most half the size limit of a
	// transaction. InFlight is how many are committed at the same time. 0 is
	// the default.
	BatchBytes, InFlight int
}

// Defaults of ImportOptions. A batch well below the limit of a transaction
// keeps commits short; eight of them keep the log busy while others prepare.
const (
	DefaultBatchBytes = 1 << 20
	DefaultInFlight   = 8
)

// ImportReport says what was imported.
type ImportReport struct {
	Lines        int64 `json:"lines"`        // read
	Rows         int64 `json:"rows"`         // committed
	Bytes        int64 `json:"bytes"`        // of keys and values committed
	Skipped      int64 `json:"skipped"`      // rows outside of the range
	BadLines     int64 `json:"bad_lines"`    // that are no rows
	Transactions int64 `json:"transactions"` // committed
	// Unfinished says that the last line had no line end: the file may have
	// been cut short.
	Unfinished bool `json:"unfinished"`
	// Interrupted says that the context ended before the input did. All Lines
	// are imported then, and none after.
	Interrupted bool `json:"interrupted"`
}

// BadLine is a line that is no row.
type BadLine struct {
	Number int64 // from 1
	Reason error
}

// Error names the line and the reason.
func (b BadLine) Error() string { return fmt.Sprintf("line %d: %v", b.Number, b.Reason) }

// Unwrap returns the reason.
func (b BadLine) Unwrap() error { return b.Reason }

// Import sets the rows that the lines of r hold, see the package comment.
//
// A bad line ends it with an error that wraps a BadLine or, with
// ContinueOnError, is passed over, reported and counted. If a batch cannot be
// committed the error names its lines; those of earlier batches are in the
// store, later ones may be. To import the same lines again does no harm.
//
// The end of ctx ends the reading: what was read is committed first, then the
// error wraps that of ctx. A reader that blocks must notice it by itself.
func Import(ctx context.Context, db *kv.Database, r io.Reader, options ImportOptions) (ImportReport, error) {
	if options.BatchBytes <= 0 {
		options.BatchBytes = DefaultBatchBytes
	}
	options.BatchBytes = min(options.BatchBytes, kv.MaxTransactionBytes/2)
	if options.InFlight <= 0 {
		options.InFlight = DefaultInFlight
	}
	committing, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	im := importer{ImportOptions: options, interrupted: ctx.Err, commits: committer{db: db, limit: options.InFlight}}
	in := newLines(r)
	err := im.run(committing, in)
	if err != nil {
		cancel() // What is still in flight need not finish.
	}
	if e := im.commits.finish(); err == nil {
		err = e
	}
	im.tell()
	im.report.Lines, im.report.Unfinished = in.number, in.unfinished
	return im.report, err
}

type importer struct {
	ImportOptions
	// interrupted returns why to read no more, nil if there is no reason.
	interrupted func() error
	commits     committer
	report      ImportReport
}

// run reads all lines and starts the commits of their batches, whose context is
// ctx.
func (im *importer) run(ctx context.Context, in *lines) error {
	b := &batch{}
	for {
		line, err := in.next()
		if errors.Is(err, io.EOF) {
			return im.launch(ctx, b)
		}
		if err != nil && !errors.Is(err, errLineTooLong) {
			if reason := im.interrupted(); reason != nil {
				return im.interrupt(ctx, b, in.number, reason)
			}
			return im.end(ctx, b, fmt.Errorf("read after line %d: %w", in.number, err))
		}
		b.covers(in.number, in.bytes)
		if err == nil {
			err = im.take(b, line)
		}
		if err != nil {
			bad := BadLine{Number: in.number, Reason: err}
			im.report.BadLines++
			if !im.ContinueOnError {
				return im.end(ctx, b, bad)
			}
			if im.Bad != nil {
				im.Bad(bad)
			}
		}
		if im.full(b) {
			if reason := im.interrupted(); reason != nil {
				return im.interrupt(ctx, b, in.number, reason)
			}
			if err := im.launch(ctx, b); err != nil {
				return err
			}
			b = &batch{}
		}
	}
}

// full reports whether a batch is to be committed. The text of a row is at
// most four times its size: more text without a commit means that most lines
// are no rows, and the batch is then ended for the sake of progress.
func (im *importer) full(b *batch) bool {
	return b.size >= im.BatchBytes || b.lineBytes >= 4*int64(im.BatchBytes)
}

// end commits what was read before the import ends because of reason. It
// returns the reason, or why that commit failed.
func (im *importer) end(ctx context.Context, b *batch, reason error) error {
	if err := im.launch(ctx, b); err != nil {
		return err
	}
	if err := im.commits.finish(); err != nil {
		return err
	}
	return reason
}

// interrupt ends the import after a line because somebody wants it to.
func (im *importer) interrupt(ctx context.Context, b *batch, line int64, reason error) error {
	err := im.end(ctx, b, fmt.Errorf("interrupted after line %d: %w", line, reason))
	im.report.Interrupted = errors.Is(err, reason)
	return err
}

// take adds the row of a line to the batch. An empty line is no row and not bad
// either.
func (im *importer) take(b *batch, line []byte) error {
	if len(line) == 0 {
		return nil
	}
	skipped, err := b.add(line, im.Range)
	if skipped {
		im.report.Skipped++
	}
	return err
}

// launch starts the commit of a batch and collects what others have done.
func (im *importer) launch(ctx context.Context, b *batch) error {
	if err := im.commits.launch(ctx, b); err != nil {
		return err
	}
	im.tell()
	return nil
}

// tell reports the progress of the commits that ended since the last call.
func (im *importer) tell() {
	done := im.commits.take()
	im.report.add(done)
	if im.Progress != nil {
		im.Progress(done.rows, done.lineBytes)
	}
}

// add counts what commits have done.
func (r *ImportReport) add(d tally) {
	r.Rows += d.rows
	r.Bytes += d.rowBytes
	r.Transactions += d.transactions
}
