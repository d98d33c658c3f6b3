package directory

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/tuple"
)

// allocatorElement is the tuple element in a root's node that precedes the keys
// of the tree's allocator.
var allocatorElement = []byte("hca")

// Allocator allocates numbers that are unique and small, to many transactions
// at once, with hardly any conflicts between them. It is FoundationDB's
// high-contention allocator, as bindings/python/fdb/directory_impl.py has it.
//
// Numbers are drawn at random from a window. A counter, changed by atomic
// additions only, tells how many of the window were taken; with half of them
// gone the next window begins. Whatever all allocators change is read by
// snapshots, so that they do not conflict over it; two that draw the same number
// do, since each reads and writes the number's own key.
//
// An Allocator holds no state. It is safe for concurrent use, also with one
// transaction.
type Allocator struct {
	// counters holds how many numbers were taken, by the beginning of the
	// window; recent the numbers themselves.
	counters, recent subspace.Subspace
}

// NewAllocator returns the allocator whose state is in s. All allocators over
// the same subspace are one.
func NewAllocator(s subspace.Subspace) *Allocator {
	return &Allocator{counters: s.Sub(0), recent: s.Sub(1)}
}

// Allocate returns a number, not negative, that no committed transaction gets
// from this allocator before or after. The transaction must see its own writes
// (see kv.WithReadYourWrites): ErrOwnWritesHidden. Other errors are
// ErrMetadata and ErrAllocatorStuck, in an *Error, and those of the store.
func (a *Allocator) Allocate(tx *kv.Transaction) (number int64, err error) {
	err = tx.Exclusively(func() (err error) {
		number, err = a.allocate(tx)
		return err
	})
	if err != nil && isOwn(err) {
		err = &Error{Op: "allocate a number", Err: err}
	}
	return number, err
}

// maxDraws bounds the tries to draw a number that is free. At least half of a
// window is, so it is reached only if counters and numbers do not fit together.
const maxDraws = 1000

// allocate is Allocate within Exclusively: reading a number and taking it must
// not interleave with another goroutine's.
func (a *Allocator) allocate(tx *kv.Transaction) (int64, error) {
	start, err := a.enterWindow(tx)
	if err != nil {
		return 0, err
	}
	for range maxDraws {
		number := start + rand.Int64N(windowSize(start))
		taken, err := a.take(tx, number)
		if err != nil || taken {
			return number, err
		}
	}
	return 0, fmt.Errorf("%w from %d on: the numbers at %s do not fit to the counters at %s; "+
		"restore both, or allocate less in a transaction without snapshot reads of its own writes",
		ErrAllocatorStuck, start, a.recent, a.counters)
}

// windowSize is FoundationDB's: the more numbers there are, the larger the
// window, so that few collide, but small enough that numbers stay short.
func windowSize(start int64) int64 {
	switch {
	case start < 255:
		return 64
	case start < 65535:
		return 1024
	}
	return 8192
}

// enterWindow counts an allocation in the newest window, or in a new one if
// that is half full, and returns its beginning.
func (a *Allocator) enterWindow(tx *kv.Transaction) (int64, error) {
	start, err := a.newestWindow(tx)
	if err != nil {
		return 0, err
	}
	for {
		counter := a.counters.Pack(tuple.Tuple{start})
		tx.Add(counter, encodeCount(1))
		// By a snapshot: it includes the addition, and conflicts with no other.
		value, err := tx.Snapshot().Get(counter).Wait()
		if err != nil {
			return 0, err
		}
		count, err := decodeCount(counter, value)
		if err != nil || count < windowSize(start)/2 {
			return start, err
		}
		start += windowSize(start)
		a.forgetBelow(tx, start)
	}
}

// newestWindow returns where the newest window begins.
func (a *Allocator) newestWindow(tx *kv.Transaction) (int64, error) {
	rows, err := tx.Snapshot().Range(a.counters.Range(), kv.RangeOptions{Limit: 1, Reverse: true}).Slice()
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	t, err := a.counters.Unpack(rows[0].Key)
	if err != nil {
		return 0, &MetadataError{Key: rows[0].Key, Err: err}
	}
	start, err := tuple.At[int64](t, 0)
	if err != nil {
		return 0, &MetadataError{Key: rows[0].Key, Err: err}
	}
	if start < 0 || start > math.MaxInt64/2 {
		return 0, &MetadataError{Key: rows[0].Key, Err: fmt.Errorf("a window begins at %d", start)}
	}
	return start, nil
}

// forgetBelow drops the state of older windows. Numbers are cleared without a
// conflict: a transaction that still draws from an older window has read the
// state of before, in which they are, and whoever reads later draws no more
// from there (D2).
func (a *Allocator) forgetBelow(tx *kv.Transaction, start int64) {
	below := tuple.Tuple{start}
	tx.ClearRange(kv.KeyRange{Begin: a.counters.Bytes(), End: a.counters.Pack(below)})
	tx.ClearRangeWithoutConflict(kv.KeyRange{Begin: a.recent.Bytes(), End: a.recent.Pack(below)})
}

// take takes a number, unless it is taken. Of two transactions that take the
// same one only one can commit: both read its key and write it.
func (a *Allocator) take(tx *kv.Transaction, number int64) (bool, error) {
	key := a.recent.Pack(tuple.Tuple{number})
	value, err := tx.Get(key).Wait()
	if err != nil || value != nil {
		return false, err
	}
	tx.Set(key, nil)
	// If this is not seen the next allocation might return the same number.
	if value, err = tx.Get(key).Wait(); err == nil && value == nil {
		err = ErrOwnWritesHidden
	}
	return err == nil, err
}

// countBytes is the length of a counter's value.
const countBytes = 8

func encodeCount(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }

// decodeCount decodes a counter. It is absent only for a transaction that does
// not see its own writes.
func decodeCount(key, value []byte) (int64, error) {
	if value == nil {
		return 0, nil
	}
	if len(value) != countBytes {
		return 0, &MetadataError{Key: key, Err: fmt.Errorf("a counter holds %d bytes, not %d", len(value), countBytes)}
	}
	return int64(binary.LittleEndian.Uint64(value)), nil
}
