package bulk

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/plinthdb/plinth/kv"
)

// Scan is a scan of a range, as far as it has come. Rows and Each go on with
// what remains; only one of them may run at a time.
type Scan struct {
	db      *kv.Database
	options ScanOptions
	err     error // of the options

	mu struct {
		sync.Mutex
		left  []kv.KeyRange // in key order, disjoint; some may be empty
		at    []byte        // memory for the key that Rows has reached
		stats ScanStats
	}
}

// ScanStats is what a Scan has shown so far.
type ScanStats struct {
	Rows, Bytes int64
	// Batches is how many transactions it took.
	Batches int64
}

// NewScan returns a scan of a range. Options out of range and an inverted range
// show as an error of Rows or Each that wraps kv.ErrInvalidOptionValue or
// kv.ErrInvertedRange.
func NewScan(db *kv.Database, r kv.KeyRange, options ScanOptions) *Scan {
	s := scanOf(db, []kv.KeyRange{{Begin: bytes.Clone(r.Begin), End: bytes.Clone(r.End)}}, options)
	if s.err == nil && bytes.Compare(r.Begin, r.End) > 0 {
		s.err = kv.ErrInvertedRange
	}
	return s
}

func scanOf(db *kv.Database, left []kv.KeyRange, options ScanOptions) *Scan {
	s := &Scan{db: db}
	s.options, s.err = options.resolved()
	s.mu.left = left
	return s
}

// Stats returns what was shown so far. It may be called at any time.
func (s *Scan) Stats() ScanStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.stats
}

// Remaining returns the ranges that remain, in key order. It may be called at
// any time, also while the scan runs.
func (s *Scan) Remaining() []kv.KeyRange {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []kv.KeyRange
	for _, r := range s.mu.left {
		n := len(all)
		switch {
		case r.Empty():
		case n > 0 && bytes.Equal(all[n-1].End, r.Begin):
			all[n-1].End = r.End
		default:
			all = append(all, kv.KeyRange{Begin: bytes.Clone(r.Begin), End: r.End})
		}
	}
	return all
}

// begin splits what remains into pieces, which left then holds.
func (s *Scan) begin(ctx context.Context) ([]kv.KeyRange, error) {
	if s.err != nil {
		return nil, s.err
	}
	var pieces []kv.KeyRange
	for _, r := range s.Remaining() {
		points, err := splitPoints(ctx, s.db, r, s.options)
		if err != nil {
			return nil, err
		}
		for i := 1; i < len(points); i++ {
			pieces = append(pieces, kv.KeyRange{Begin: points[i-1], End: points[i]})
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.left = append([]kv.KeyRange{}, pieces...)
	return pieces, nil
}

// batchOfRows is what one transaction has read of a piece.
type batchOfRows struct {
	rows  []kv.KeyValue
	bytes int64
	left  kv.KeyRange // of the piece, behind the rows
}

// minBatchBytes is the least that a batch is cut down to.
const minBatchBytes = 1 << 12

// read reads the first rows of a range with one transaction. If that becomes too
// old before it is done, the next try asks for half as much.
func (s *Scan) read(ctx context.Context, r kv.KeyRange) (batchOfRows, error) {
	limit := 2 * s.options.BatchBytes
	return kv.ReadTransact(ctx, s.db, func(reader kv.Reader) (b batchOfRows, err error) {
		limit = max(limit/2, min(minBatchBytes, s.options.BatchBytes))
		b.rows, err = reader.Range(r, kv.RangeOptions{LimitBytes: limit}).Slice()
		if err != nil {
			return batchOfRows{}, err
		}
		for _, row := range b.rows {
			b.bytes += int64(len(row.Key) + len(row.Value))
		}
		if b.left = (kv.KeyRange{Begin: r.End, End: r.End}); b.bytes >= int64(limit) {
			b.left.Begin = kv.KeyAfter(b.rows[len(b.rows)-1].Key)
		}
		return b, nil
	}, s.options.Transaction...)
}

// note notes what is left of piece i after more was shown.
func (s *Scan) note(i int, left kv.KeyRange, shown ScanStats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.left[i] = left
	s.mu.stats.add(shown)
}

func (t *ScanStats) add(more ScanStats) {
	t.Rows += more.Rows
	t.Bytes += more.Bytes
	t.Batches += more.Batches
}

// Each calls f with batches of rows, in key order within a batch and otherwise in
// none, from as many goroutines as the concurrency says. The rows belong to f. An
// error of f ends the scan and is returned; its batch then remains.
func (s *Scan) Each(ctx context.Context, f func(ctx context.Context, rows []kv.KeyValue) error) error {
	pieces, err := s.begin(ctx)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(s.options.Concurrency, len(pieces)) {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(pieces) {
					return nil
				}
				if err := s.eachOf(ctx, i, pieces[i], f); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

// eachOf calls f with the batches of piece i.
func (s *Scan) eachOf(ctx context.Context, i int, piece kv.KeyRange, f func(context.Context, []kv.KeyValue) error) error {
	for !piece.Empty() {
		b, err := s.read(ctx, piece)
		if err != nil {
			return err
		}
		if len(b.rows) > 0 {
			if err := f(ctx, b.rows); err != nil {
				return err
			}
		}
		s.note(i, b.left, ScanStats{Rows: int64(len(b.rows)), Bytes: b.bytes, Batches: 1})
		piece = b.left
	}
	return nil
}
