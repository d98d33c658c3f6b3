package bulk

import (
	"context"
	"iter"
	"sync"

	"github.com/plinthdb/plinth/kv"
)

// Rows returns an iterator over all rows that remain, in key order. While the
// loop works on a row, as many transactions as the concurrency says read ahead.
// An error ends the iteration, as its last pair. A loop that is left early may be
// continued by another call, which begins with the row at which it was left; so
// does a Token taken inside the loop.
func (s *Scan) Rows(ctx context.Context) iter.Seq2[kv.KeyValue, error] {
	return func(yield func(kv.KeyValue, error) bool) {
		pieces, err := s.begin(ctx)
		if err != nil {
			yield(kv.KeyValue{}, err)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		var group sync.WaitGroup
		defer group.Wait() // after cancel
		defer cancel()
		for i, batches := range s.readAhead(ctx, &group, pieces) {
			for b := range batches {
				if b.err != nil {
					yield(kv.KeyValue{}, b.err)
					return
				}
				if !s.show(i, b.batchOfRows, yield) {
					return
				}
			}
			if ctx.Err() != nil { // then the piece may not be complete
				yield(kv.KeyValue{}, context.Cause(ctx))
				return
			}
		}
	}
}

// show yields the rows of a batch of piece i, and reports whether to go on.
func (s *Scan) show(i int, b batchOfRows, yield func(kv.KeyValue, error) bool) bool {
	var shown ScanStats
	for _, row := range b.rows {
		s.reach(i, row.Key, shown)
		shown = ScanStats{Rows: 1, Bytes: int64(len(row.Key) + len(row.Value))}
		if !yield(row, nil) {
			return false
		}
	}
	shown.Batches = 1
	s.note(i, b.left, shown)
	return true
}

// reach notes that the row at key of piece i is next. The key may change
// afterwards.
func (s *Scan) reach(i int, key []byte, shown ScanStats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.at = append(s.mu.at[:0], key...)
	s.mu.left[i].Begin = s.mu.at
	s.mu.stats.add(shown)
}

// result is a batch, or why there is none.
type result struct {
	batchOfRows
	err error
}

// readAhead reads the pieces, as many at once as the concurrency says, and
// returns each with its batches in order. Of each piece that is being read, one
// batch waits in the channel and one at its door (L6).
func (s *Scan) readAhead(ctx context.Context, group *sync.WaitGroup, pieces []kv.KeyRange) iter.Seq2[int, <-chan result] {
	return func(yield func(int, <-chan result) bool) {
		var begun []<-chan result
		for i := range pieces {
			for len(begun) < s.options.Concurrency && i+len(begun) < len(pieces) {
				batches := make(chan result, 1)
				piece := pieces[i+len(begun)]
				group.Go(func() {
					defer close(batches)
					s.readPiece(ctx, piece, batches)
				})
				begun = append(begun, batches)
			}
			batches := begun[0]
			begun = begun[1:]
			if !yield(i, batches) {
				return
			}
		}
	}
}

// readPiece sends the batches of a piece.
func (s *Scan) readPiece(ctx context.Context, piece kv.KeyRange, batches chan<- result) {
	for !piece.Empty() {
		b, err := s.read(ctx, piece)
		select {
		case batches <- result{b, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
		piece = b.left
	}
}
