package storage

import (
	"bytes"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/plinthdb/plinth/internal/wire"
)

// narrowClearKeys is how many rows a clear may cover to be written as single
// deletions. A range tombstone costs every later read something until it is
// compacted away, and most clears of a layer cover a handful of rows or none.
const narrowClearKeys = 16

// mergeRanges returns the union of ranges as disjoint ranges, sorted.
func mergeRanges(ranges []wire.KeyRange) []wire.KeyRange {
	sorted := slices.Clone(ranges)
	slices.SortFunc(sorted, func(a, b wire.KeyRange) int { return bytes.Compare(a.Begin, b.Begin) })
	merged := sorted[:0]
	for _, r := range sorted {
		last := len(merged) - 1
		switch {
		case last < 0 || bytes.Compare(merged[last].End, r.Begin) < 0:
			merged = append(merged, r)
		case bytes.Compare(merged[last].End, r.End) < 0:
			merged[last].End = r.End
		}
	}
	return merged
}

// addClears adds to batch what removes the rows of the ranges from the engine
// as it stands now.
func (e *engine) addClears(batch *pebble.Batch, clears []wire.KeyRange) error {
	if len(clears) == 0 {
		return nil
	}
	iter, err := e.db.NewIter(&pebble.IterOptions{LowerBound: []byte{dataPrefix}})
	if err != nil {
		return err
	}
	defer iter.Close()
	for _, r := range mergeRanges(clears) {
		begin, end := appendDataKey(nil, r.Begin), appendDataKey(nil, r.End)
		if err := addClear(batch, iter, begin, end); err != nil {
			return err
		}
	}
	return nil
}

func addClear(batch *pebble.Batch, iter *pebble.Iterator, begin, end []byte) error {
	var narrow [][]byte
	for ok := iter.SeekGE(begin); ok && bytes.Compare(iter.Key(), end) < 0; ok = iter.Next() {
		if len(narrow) == narrowClearKeys {
			return batch.DeleteRange(begin, end, nil)
		}
		narrow = append(narrow, bytes.Clone(iter.Key()))
	}
	if err := iter.Error(); err != nil {
		return err
	}
	for _, key := range narrow {
		if err := batch.Delete(key, nil); err != nil {
			return err
		}
	}
	return nil
}
