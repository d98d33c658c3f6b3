package kv

import "iter"

// RangeResult is a range read that begins when it is iterated over. Rows come
// from the store in pieces that grow as the iteration goes on.
type RangeResult struct {
}

// All returns an iterator over the rows. An error ends it, as its last pair.
// Breaking off early is fine. Each iteration reads anew.
func (r *RangeResult) All() iter.Seq2[KeyValue, error] {
	return func(yield func(KeyValue, error) bool) { yield(KeyValue{}, errUnfinished) }
}

// Slice reads all rows at once. Give the range a limit, or know that it is
// small.
func (r *RangeResult) Slice() ([]KeyValue, error) { return nil, errUnfinished }
