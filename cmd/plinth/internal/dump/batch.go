package dump

import (
	"bytes"
	"context"
	"fmt"

	"github.com/plinthdb/plinth/kv"
)

// batch is the rows of one transaction. They lie side by side in one buffer.
type batch struct {
	arena []byte
	rows  []span
	// size is about what the rows take of a transaction's size limit.
	size int
	// min and max are the least and greatest key.
	min, max []byte
	// from and to are the places before and behind the lines that it covers.
	from, to Checkpoint

	// done is closed when the commit has ended with err.
	done chan struct{}
	err  error
}

// span is where a row lies in the arena: the key begins at key and ends at
// value, the value ends at end.
type span struct{ key, value, end int }

// rowOverheadBytes is added to each row for what a transaction holds besides
// the value and three times the key (once as its key, twice as its conflict
// range).
const rowOverheadBytes = 32

// lineBytes is the length of the lines that it covers.
func (b *batch) lineBytes() int64 { return b.to.Bytes - b.from.Bytes }

// add adds the row of a line if its key is in r.
func (b *batch) add(line []byte, f Format, r kv.KeyRange) (skipped bool, err error) {
	begin := len(b.arena)
	arena, keyBytes, err := f.parse(b.arena, line)
	if err != nil {
		return false, err
	}
	s := span{begin, begin + keyBytes, len(arena)}
	key := arena[s.key:s.value]
	if !r.Contains(key) {
		return true, nil
	}
	b.arena = arena
	b.rows = append(b.rows, s)
	b.size += 3*keyBytes + s.end - s.value + rowOverheadBytes
	if len(b.rows) == 1 || bytes.Compare(key, b.min) < 0 {
		b.min = key
	}
	if len(b.rows) == 1 || bytes.Compare(key, b.max) > 0 {
		b.max = key
	}
	return false, nil
}

// overlaps reports whether the two batches may hold the same key.
func (b *batch) overlaps(o *batch) bool {
	return bytes.Compare(b.min, o.max) <= 0 && bytes.Compare(o.min, b.max) <= 0
}

// commit sets the rows in a transaction.
func (b *batch) commit(ctx context.Context, db *kv.Database) error {
	_, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (struct{}, error) {
		for _, s := range b.rows {
			tx.Set(b.arena[s.key:s.value], b.arena[s.value:s.end])
		}
		return struct{}{}, nil
	})
	if err != nil {
		return fmt.Errorf("commit of lines %d to %d: %w", b.from.Line+1, b.to.Line, err)
	}
	return nil
}
