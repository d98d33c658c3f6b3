package kv

import (
	"bytes"
	"iter"

	"github.com/plinthdb/plinth/internal/wire"
)

// RangeResult is a range read that begins when it is iterated over. Rows come
// from the store in pieces that grow as the iteration goes on.
type RangeResult struct {
	attempt    *attempt
	begin, end wire.KeySelector
	options    RangeOptions
	snapshot   bool
	view       *writeView
	err        error
}

// rangeOf makes a RangeResult between two keys.
func (a *attempt) rangeOf(r wire.KeyRange, options RangeOptions, snapshot bool) *RangeResult {
	result := a.rangeRead(wire.FirstGreaterOrEqual(r.Begin), wire.FirstGreaterOrEqual(r.End), options, snapshot)
	if result.err == nil && bytes.Compare(r.Begin, r.End) > 0 {
		result.err = invertedError(r)
	}
	return result
}

// rangeRead makes a RangeResult between two selectors.
func (a *attempt) rangeRead(begin, end wire.KeySelector, options RangeOptions, snapshot bool) *RangeResult {
	r := &RangeResult{attempt: a, options: options, snapshot: snapshot}
	r.err = checkRangeOptions(options)
	if r.err == nil {
		r.err = checkBoundKey(begin.Key)
	}
	if r.err == nil {
		r.err = checkBoundKey(end.Key)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	r.begin, r.end = a.copySelectorLocked(begin), a.copySelectorLocked(end)
	r.view = a.viewLocked(snapshot)
	return r
}

// viewLocked returns the own writes that a read sees, nil if there are none.
func (a *attempt) viewLocked(snapshot bool) *writeView {
	if !a.seesOwnWritesLocked(snapshot) {
		return nil
	}
	a.mu.writes.index(a.mu.mutations, a.mu.version)
	return a.mu.writes.view()
}

// All returns an iterator over the rows. An error ends it, as its last pair.
// Breaking off early is fine. Each iteration reads anew.
func (r *RangeResult) All() iter.Seq2[KeyValue, error] {
	return func(yield func(KeyValue, error) bool) {
		c, err := r.cursor(false)
		if err != nil {
			yield(KeyValue{}, err)
			return
		}
		defer c.finish()
		for {
			row, ok, err := c.next()
			if err == nil && ok {
				err = c.show()
			}
			if err != nil {
				yield(KeyValue{}, err)
				return
			}
			if !ok || !yield(row, nil) {
				return
			}
		}
	}
}

// Slice reads all rows at once. Give the range a limit, or know that it is
// small.
func (r *RangeResult) Slice() ([]KeyValue, error) {
	c, err := r.cursor(true)
	if err != nil {
		return nil, err
	}
	defer c.finish()
	rows, err := c.collect()
	if err == nil && len(rows) > 0 {
		err = c.show()
	}
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// cursor resolves the selectors and begins the read. With eager its user wants
// all rows at once.
func (r *RangeResult) cursor(eager bool) (*cursor, error) {
	if r.err != nil {
		return nil, r.err
	}
	begin, err := r.attempt.resolve(r.begin, r.snapshot, r.view)
	if err != nil {
		return nil, err
	}
	end, err := r.attempt.resolve(r.end, r.snapshot, r.view)
	if err != nil {
		return nil, err
	}
	c := newCursor(r.attempt, r.view, begin, end, r.options)
	if eager || r.options.Limit > 0 || r.options.LimitBytes > 0 {
		c.store.pieceBytes = maxPieceBytes
	}
	if r.snapshot {
		return c, r.attempt.usable()
	}
	c.scan = &scan{lower: begin, upper: end, view: r.view}
	if r.options.Reverse {
		c.scan.lower = end
	} else {
		c.scan.upper = begin
	}
	return c, r.attempt.startScan(c.scan)
}

func checkRangeOptions(o RangeOptions) error {
	if o.Limit < 0 || o.LimitBytes < 0 {
		return wire.ErrRangeLimitsInvalid.With("range limits of %d rows and %d bytes: a limit must not be negative", o.Limit, o.LimitBytes)
	}
	return nil
}

// checkBoundKey returns why key cannot be the bound of a read.
func checkBoundKey(key []byte) error {
	if string(key) > wire.SystemPrefix {
		return wire.ErrKeyOutsideLegalRange.With("range bound %s belongs to the system; user keys are below \"\\xff\"", printable(key))
	}
	return nil
}
