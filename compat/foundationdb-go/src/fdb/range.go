package fdb

import (
	"sync"

	"github.com/plinthdb/plinth/kv"
)

// StreamingMode says how the rows of an iteration are fetched: in batches of
// which size.
type StreamingMode int

// The streaming modes.
const (
	// StreamingModeWantAll is for a reader of all rows: the largest batches at
	// once.
	StreamingModeWantAll StreamingMode = -1
	// StreamingModeIterator is the default: small batches first, larger ones as
	// the iteration goes on.
	StreamingModeIterator StreamingMode = 0
	// StreamingModeExact fetches the rows of the limit, which must be given
	// (error 2210), in one batch.
	StreamingModeExact StreamingMode = 1
	// StreamingModeSmall fetches batches little dearer than single rows.
	StreamingModeSmall StreamingMode = 2
	// StreamingModeMedium fetches batches between small and large.
	StreamingModeMedium StreamingMode = 3
	// StreamingModeLarge fetches batches that use the store well if many read.
	StreamingModeLarge StreamingMode = 4
	// StreamingModeSerial fetches batches that let one reader read fast.
	StreamingModeSerial StreamingMode = 5
)

// The sizes of batches, in bytes of keys and values: what kv fetches at a time.
const (
	smallBatchBytes  = 1 << 10
	mediumBatchBytes = 8 << 10 // and the first of an iteration; each has half as much again
	largeBatchBytes  = 32 << 10
	mostBatchBytes   = 128 << 10
)

// kvMode returns what kv calls the mode.
func (m StreamingMode) kvMode() (kv.StreamingMode, error) {
	switch m {
	case StreamingModeWantAll:
		return kv.StreamingWantAll, nil
	case StreamingModeIterator:
		return kv.StreamingIterator, nil
	case StreamingModeExact:
		return kv.StreamingExact, nil
	case StreamingModeSmall:
		return kv.StreamingSmall, nil
	case StreamingModeMedium:
		return kv.StreamingMedium, nil
	case StreamingModeLarge:
		return kv.StreamingLarge, nil
	case StreamingModeSerial:
		return kv.StreamingSerial, nil
	}
	return 0, errInvalidOperation
}

// batchBytes returns the size of the n-th batch of an iteration, n from 0; 0 is
// no limit.
func (o RangeOptions) batchBytes(n int) int {
	switch o.Mode {
	case StreamingModeExact:
		return 0
	case StreamingModeSmall:
		return smallBatchBytes
	case StreamingModeMedium:
		return mediumBatchBytes
	case StreamingModeLarge:
		return largeBatchBytes
	case StreamingModeIterator:
		if o.Limit > 0 {
			return mostBatchBytes // as kv fetches them
		}
		size := mediumBatchBytes
		for ; n > 0 && size < mostBatchBytes; n-- {
			size += size / 2
		}
		return min(size, mostBatchBytes)
	}
	return mostBatchBytes
}

// RangeOptions says how a range is read. Its zero value reads all rows forwards.
type RangeOptions struct {
	// Limit is the greatest number of rows; 0 is no limit.
	Limit int

	// Mode is the streaming mode.
	Mode StreamingMode

	// Reverse reads from the end of the range to its beginning, so that a limit
	// takes the last rows.
	Reverse bool
}

// RangeResult is the result of a range read. It may be copied and used by
// several goroutines. The zero value, which programs' own stand-ins for a
// transaction return, has no rows.
type RangeResult struct{ *rangeRead }

type rangeRead struct {
	reader     kv.Reader
	begin, end kv.KeySelector
	options    RangeOptions
	mode       kv.StreamingMode
	// rows is the range as it was at the time of the call.
	rows *kv.RangeResult
	err  error

	first batch
}

// GetRange reads the rows of r, in the order of their keys. A row that this
// transaction writes after the call is seen by an iteration that gets to it in
// a later batch.
func (t Transaction) GetRange(r Range, options RangeOptions) RangeResult {
	return t.getRange(t.current(), r, options)
}

// GetRange is Transaction.GetRange without conflicts.
func (s Snapshot) GetRange(r Range, options RangeOptions) RangeResult {
	return s.getRange(s.current().Snapshot(), r, options)
}

func (t *transaction) getRange(reader kv.Reader, r Range, options RangeOptions) RangeResult {
	rr := &rangeRead{reader: reader, options: options}
	if exact, ok := r.(KeyRange); ok { // the usual kind, without selectors on the heap
		rr.begin, rr.end = kv.FirstGreaterOrEqual(keyBytes(exact.Begin)), kv.FirstGreaterOrEqual(keyBytes(exact.End))
	} else {
		begin, end := r.FDBRangeKeySelectors()
		rr.begin, rr.end = kvSelector(begin), kvSelector(end)
	}
	if rr.mode, rr.err = options.Mode.kvMode(); t.hasNoRange(rr.begin.Key) || t.hasNoRange(rr.end.Key) {
		rr.err = errOutsideLegalRange
	}
	if rr.err == nil {
		rr.rows = reader.RangeSelectors(rr.begin, rr.end, kv.RangeOptions{Limit: options.Limit, Reverse: options.Reverse, Mode: rr.mode})
		t.noteRead(rr)
	}
	return RangeResult{rr}
}

// GetSliceWithError returns all rows, nil if there are none.
func (rr RangeResult) GetSliceWithError() ([]KeyValue, error) {
	if rr.rangeRead == nil {
		return nil, nil
	}
	if rr.err != nil {
		return nil, rr.err
	}
	if rows, err, ok := rr.first.giveAll(false); ok {
		return rows, err
	}
	rows, err := kv.SliceOf(rr.rows, keyValue)
	rr.first.skip()
	if err == nil && len(rows) == 0 {
		return nil, nil
	}
	if err == nil {
		return rows, nil
	}
	if rows, err, ok := rr.first.giveAll(true); ok {
		return rows, err
	}
	return nil, bare(err)
}

// GetSliceOrPanic is GetSliceWithError, but panics with its error.
func (rr RangeResult) GetSliceOrPanic() []KeyValue {
	rows, err := rr.GetSliceWithError()
	must(err)
	return rows
}

// Iterator returns an iterator over the rows, from the first one on.
func (rr RangeResult) Iterator() *RangeIterator {
	if rr.rangeRead == nil {
		return &RangeIterator{n: 1}
	}
	return &RangeIterator{read: rr.rangeRead, remaining: rr.options.Limit}
}

// keyValue makes a KeyValue of a row, with the same memory.
func keyValue(row kv.KeyValue) (KeyValue, error) {
	return KeyValue{Key: row.Key, Value: row.Value}, nil
}

// batch is the first batch of an iteration. It is kept, so that it can still be
// read when the transaction has ended. Programs may change what they are given:
// each but the first reads it anew, as long as that is possible.
type batch struct {
	mu sync.Mutex
	// skipped says that nobody needs to fetch it for the sake of the commit.
	skipped bool
	fetched bool
	given   bool // to somebody
	rows    []KeyValue
	more    bool // rows may follow
	err     error
}

// skip notes that the range was read in another way.
func (b *batch) skip() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.skipped = true
}

// giveAll returns the rows if the batch was fetched and is all there is, and if
// nobody else has it or again allows that.
func (b *batch) giveAll(again bool) ([]KeyValue, error, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.fetched || b.more || b.given && !again {
		return nil, nil, false
	}
	b.given = true
	return append([]KeyValue(nil), b.rows...), b.err, true
}

// firstBatch returns the first batch, and fetches it if it was not or if
// somebody else has it.
func (rr *rangeRead) firstBatch() (rows []KeyValue, more bool, err error) {
	b := &rr.first
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.given {
		if rows, more, err := rr.fetch(rr.rows, 0); err == nil {
			return rows, more, nil
		}
	}
	rr.fetchFirstLocked()
	b.given = true
	return b.rows, b.more, b.err
}

func (rr *rangeRead) fetchFirstLocked() {
	if b := &rr.first; !b.fetched {
		b.fetched = true
		b.rows, b.more, b.err = rr.fetch(rr.rows, 0)
	}
}

// fetch reads a batch's worth of rows: the n-th batch.
func (rr *rangeRead) fetch(rows *kv.RangeResult, n int) (got []KeyValue, more bool, err error) {
	limitBytes := rr.options.batchBytes(n)
	if got, err = kv.SliceOf(rows.WithLimitBytes(limitBytes), keyValue); err != nil {
		return nil, false, bare(err)
	}
	size := 0
	for _, row := range got {
		size += len(row.Key) + len(row.Value)
	}
	return got, limitBytes > 0 && size >= limitBytes, nil
}

// carryOut implements pendingRead: it fetches the first batch, unless the
// range was read already.
func (rr *rangeRead) carryOut() {
	rr.first.mu.Lock()
	defer rr.first.mu.Unlock()
	if !rr.first.skipped {
		rr.fetchFirstLocked()
	}
}

// carriedOut implements pendingRead.
func (rr *rangeRead) carriedOut() bool {
	rr.first.mu.Lock()
	defer rr.first.mu.Unlock()
	return rr.first.skipped || rr.first.fetched
}

// RangeIterator iterates over the rows of a range, fetching them in batches.
// One goroutine at a time can use it.
type RangeIterator struct {
	read *rangeRead
	// rows is what is left of the current batch, the n-th one (1 is the first);
	// more says that another one may follow.
	rows []KeyValue
	n    int
	more bool
	last Key // the key of the last row
	// remaining is the rows that the limit still allows, if there is one.
	remaining int
	err       error
}

// Advance reports whether there is another row, or an error, for Get. Call it
// before each Get.
func (ri *RangeIterator) Advance() bool {
	for len(ri.rows) == 0 && ri.err == nil {
		if ri.n > 0 && !ri.more {
			return false
		}
		ri.fetch()
	}
	return true
}

// fetch gets the next batch.
func (ri *RangeIterator) fetch() {
	if ri.n == 0 {
		if ri.err = ri.read.err; ri.err == nil {
			ri.rows, ri.more, ri.err = ri.read.firstBatch()
		}
	} else {
		ri.rows, ri.more, ri.err = ri.read.fetch(ri.rest(), ri.n)
	}
	ri.n++
	if ri.read.options.Limit > 0 {
		ri.remaining -= len(ri.rows)
		ri.more = ri.more && ri.remaining > 0
	}
	if len(ri.rows) > 0 {
		ri.last = ri.rows[len(ri.rows)-1].Key
	}
}

// rest returns the range behind the last row.
func (ri *RangeIterator) rest() *kv.RangeResult {
	rr := ri.read
	begin, end := rr.begin, rr.end
	if rr.options.Reverse {
		end = kv.FirstGreaterOrEqual(ri.last)
	} else {
		begin = kv.FirstGreaterThan(ri.last)
	}
	return rr.reader.RangeSelectors(begin, end, kv.RangeOptions{
		Limit:   ri.remaining,
		Reverse: rr.options.Reverse,
		Mode:    rr.mode,
	})
}

// Get returns the next row. Advance must have returned true before; if the rows
// are exhausted the error is client_invalid_operation (2000).
func (ri *RangeIterator) Get() (kv KeyValue, e error) {
	if !ri.Advance() {
		return KeyValue{}, errInvalidOperation
	}
	if ri.err != nil {
		return KeyValue{}, ri.err
	}
	kv = ri.rows[0]
	ri.rows = ri.rows[1:]
	return kv, nil
}

// MustGet is Get, but panics with its error.
func (ri *RangeIterator) MustGet() KeyValue {
	row, err := ri.Get()
	must(err)
	return row
}
