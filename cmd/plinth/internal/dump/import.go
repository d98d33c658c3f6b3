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
	// Format is that of the lines.
	Format Format
	// ContinueOnError goes on after a bad line instead of stopping there.
	ContinueOnError bool
	// Bad is told of each bad line, in order; it may be nil.
	Bad func(BadLine)
	// Progress may be nil.
	Progress Progress
	// From is where to begin; the zero value is the beginning. The lines before
	// are read, and compared with it, but not imported again.
	From Checkpoint
	// Checkpoint is called when the place has moved on up to which everything
	// is in the store. Its error ends the import. It may be nil.
	Checkpoint func(Checkpoint) error
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
	Lines int64 `json:"lines"` // read, those before From included
	// ResumedAfterLine is From.Line. Rows, Bytes, Skipped and Transactions
	// count what came after it.
	ResumedAfterLine int64 `json:"resumed_after_line"`
	Rows             int64 `json:"rows"`         // committed
	Bytes            int64 `json:"bytes"`        // of keys and values committed
	Skipped          int64 `json:"skipped"`      // rows outside of the range
	BadLines         int64 `json:"bad_lines"`    // that are no rows, those before From included
	Transactions     int64 `json:"transactions"` // committed
	// ImportedToLine is the last line of those up to which everything is in the
	// store. Of the lines behind it some may be, if there was an error.
	ImportedToLine int64 `json:"imported_to_line"`
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
// store, later ones may be. To import the same lines again does no harm, nor to
// go on at the last checkpoint. An input that does not begin with the lines
// before From ends it with ErrOtherInput.
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
	im := importer{ImportOptions: options, interrupted: ctx.Err, commits: committer{db: db, limit: options.InFlight, reached: options.From}}
	in := newLines(r)
	err := im.run(committing, in)
	if err != nil {
		cancel() // What is still in flight need not finish.
	}
	if e := im.commits.finish(); err == nil {
		err = e
	}
	if e := im.tell(); err == nil {
		err = e
	}
	im.report.Lines, im.report.Unfinished = in.at.Line, in.unfinished
	im.report.ResumedAfterLine, im.report.ImportedToLine = options.From.Line, im.commits.reached.Line
	return im.report, err
}

type importer struct {
	ImportOptions
	// interrupted returns why to read no more, nil if there is no reason.
	interrupted func() error
	commits     committer
	report      ImportReport
	// told is the last checkpoint that Checkpoint was called with.
	told Checkpoint
}

// run reads all lines and starts the commits of their batches, whose context is
// ctx.
func (im *importer) run(ctx context.Context, in *lines) error {
	if err := im.skip(in); err != nil {
		return err
	}
	b := &batch{from: in.at, to: in.at}
	for {
		line, err := in.next()
		if errors.Is(err, io.EOF) {
			return im.launch(ctx, b)
		}
		if err != nil && !errors.Is(err, errLineTooLong) {
			if reason := im.interrupted(); reason != nil {
				return im.interrupt(ctx, b, in.at.Line, reason)
			}
			return im.end(ctx, b, fmt.Errorf("read after line %d: %w", in.at.Line, err))
		}
		if err == nil {
			err = im.take(b, line)
		}
		if err != nil {
			bad := BadLine{Number: in.at.Line, Reason: err}
			im.report.BadLines++
			if !im.ContinueOnError {
				return im.end(ctx, b, bad)
			}
			in.at.BadLines++
			if im.Bad != nil {
				im.Bad(bad)
			}
		}
		b.to = in.at
		if im.full(b) {
			if reason := im.interrupted(); reason != nil {
				return im.interrupt(ctx, b, in.at.Line, reason)
			}
			if err := im.launch(ctx, b); err != nil {
				return err
			}
			b = &batch{from: in.at, to: in.at}
		}
	}
}

// skip passes over the lines before the checkpoint at which to begin.
func (im *importer) skip(in *lines) error {
	im.told = im.From
	im.report.BadLines = im.From.BadLines
	return in.skipTo(im.From, func(bytes int64) error {
		if im.Progress != nil {
			im.Progress(0, bytes)
		}
		if reason := im.interrupted(); reason != nil {
			return fmt.Errorf("interrupted before line %d: %w", im.From.Line+1, reason)
		}
		return nil
	})
}

// maxTextFactor is how much longer the line of a row may be than its size; see
// maxLineBytes.
const maxTextFactor = 6

// full reports whether a batch is to be committed. More text than its rows can
// have means that most lines are no rows, and the batch is then ended for the
// sake of progress.
func (im *importer) full(b *batch) bool {
	return b.size >= im.BatchBytes || b.lineBytes() >= maxTextFactor*int64(im.BatchBytes)
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
	skipped, err := b.add(line, im.Format, im.Range)
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
	return im.tell()
}

// tell reports the progress of the commits that ended since the last call.
func (im *importer) tell() error {
	done := im.commits.take()
	im.report.add(done)
	if im.Progress != nil {
		im.Progress(done.rows, done.lineBytes)
	}
	if im.Checkpoint == nil || im.told == im.commits.reached {
		return nil
	}
	im.told = im.commits.reached
	if err := im.Checkpoint(im.told); err != nil {
		return fmt.Errorf("note that all lines up to %d are imported: %w", im.told.Line, err)
	}
	return nil
}

// add counts what commits have done.
func (r *ImportReport) add(d tally) {
	r.Rows += d.rows
	r.Bytes += d.rowBytes
	r.Transactions += d.transactions
}
