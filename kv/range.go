package kv

import (
	"bytes"
	"iter"
	"slices"

	"github.com/plinthdb/plinth/internal/wire"
)

// RangeResult is a range read that begins when it is iterated over. Rows come
// from the store in pieces that grow as the iteration goes on. While one of them
// is consumed the next one may be on its way, see WithReadAhead.
type RangeResult struct {
	attempt    *attempt
	begin, end wire.KeySelector
	options    RangeOptions
	scope      scope
	special    bool // reads special keys
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
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mu.hasRead = true
	r := &RangeResult{attempt: a, options: options, scope: a.scopeLocked(snapshot)}
	r.err = checkRangeOptions(options)
	if isSpecial(begin.Key) && isSpecial(end.Key) && string(end.Key) <= specialEnd {
		r.special = true
		r.scope.end = specialEnd
	}
	if r.err == nil && !r.special { // as in FoundationDB, before the bounds are looked at
		r.err = a.usableLocked()
	}
	if r.err == nil {
		r.err = checkBoundKey(begin.Key, r.scope.end)
	}
	if r.err == nil {
		r.err = checkBoundKey(end.Key, r.scope.end)
	}
	r.begin, r.end = a.copySelectorLocked(begin), a.copySelectorLocked(end)
	return r
}

// scope is what a read of several keys sees, and what it leaves behind.
type scope struct {
	// view is the own writes that it sees, nil if there are none.
	view *writeView
	// end bounds the keys that there are.
	end string
	// snapshot says that it adds no conflicts.
	snapshot bool
	// readAhead says that an iteration may fetch a piece ahead.
	readAhead bool
}

func (a *attempt) scopeLocked(snapshot bool) scope {
	o := &a.mu.options
	return scope{view: a.viewLocked(snapshot), end: o.readEnd(), snapshot: snapshot, readAhead: !o.noReadAhead}
}

// viewLocked returns the own writes that a read sees, nil if there are none.
func (a *attempt) viewLocked(snapshot bool) *writeView {
	if !a.seesOwnWritesLocked(snapshot) {
		return nil
	}
	a.indexLocked()
	return a.mu.writes.view()
}

// All returns an iterator over the rows. An error ends it, as its last pair.
// Breaking off early is fine. Each iteration reads anew.
func (r *RangeResult) All() iter.Seq2[KeyValue, error] {
	return func(yield func(KeyValue, error) bool) {
		if r.special {
			r.yieldSpecial(yield)
			return
		}
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

// WithLimitBytes returns the same read with another limit of bytes, see
// RangeOptions: of the same range as it was at the time of the same call.
func (r *RangeResult) WithLimitBytes(limitBytes int) *RangeResult {
	limited := *r
	limited.options.LimitBytes = limitBytes
	if limited.err == nil {
		limited.err = checkRangeOptions(limited.options)
	}
	return &limited
}

// Slice reads all rows at once. Give the range a limit, or know that it is
// small.
func (r *RangeResult) Slice() ([]KeyValue, error) {
	return SliceOf(r, func(row KeyValue) (KeyValue, error) { return row, nil })
}

// SliceOf is Slice for programs that have a type of their own for rows: it
// returns what convert makes of each, without a slice of KeyValues in between.
// An error of convert ends it and is returned as it is.
func SliceOf[R any](r *RangeResult, convert func(row KeyValue) (R, error)) ([]R, error) {
	if r.special {
		rows, err := r.specialRows()
		if err != nil {
			return nil, err
		}
		return appendConverted(nil, block{rows: rows}, convert)
	}
	c, err := r.cursor(true)
	if err != nil {
		return nil, err
	}
	defer c.finish()
	converted := []R{}
	for {
		b, err := c.block()
		if err == nil && len(b.rows) > 0 {
			err = c.show() // before convert: it may panic, and the program go on
		}
		if err != nil {
			return nil, err
		}
		if len(b.rows) == 0 {
			return converted, nil
		}
		if converted, err = appendConverted(converted, b, convert); err != nil {
			return nil, err
		}
	}
}

// appendConverted appends to out what convert makes of the rows of b.
func appendConverted[R any](out []R, b block, convert func(KeyValue) (R, error)) ([]R, error) {
	out = slices.Grow(out, len(b.rows))
	var buf []byte
	if b.shared {
		buf = make([]byte, 0, rowsBytes(b.rows))
	}
	for _, row := range b.rows {
		if b.shared {
			row.Key, buf = appendClone(buf, row.Key)
			row.Value, buf = appendClone(buf, row.Value)
		}
		converted, err := convert(row)
		if err != nil {
			return nil, err
		}
		out = append(out, converted)
	}
	return out, nil
}

// specialRows reads special keys.
func (r *RangeResult) specialRows() ([]KeyValue, error) {
	if r.err != nil {
		return nil, r.err
	}
	rows, err := r.attempt.specialRange(r.begin, r.end)
	return r.options.limited(rows), err
}

func (r *RangeResult) yieldSpecial(yield func(KeyValue, error) bool) {
	rows, err := r.specialRows()
	if err != nil {
		yield(KeyValue{}, err)
		return
	}
	for _, row := range rows {
		if !yield(row, nil) {
			return
		}
	}
}

// cursor resolves the selectors and begins the read. With eager its user wants
// all rows at once.
func (r *RangeResult) cursor(eager bool) (*cursor, error) {
	if r.err != nil {
		return nil, r.err
	}
	begin, err := r.attempt.resolve(r.begin, &r.scope)
	if err != nil {
		return nil, err
	}
	end, err := r.attempt.resolve(r.end, &r.scope)
	if err != nil {
		return nil, err
	}
	c := newCursor(r.attempt, r.scope.view, begin, end, r.options)
	c.store.pieceBytes, c.store.mostBytes = r.options.pieces(eager)
	c.readsAhead = !eager && r.scope.readAhead && r.options.mayReadAhead()
	if r.scope.snapshot {
		return c, r.attempt.usable()
	}
	c.scan = &c.conflict
	*c.scan = scan{lower: begin, upper: end, view: r.scope.view}
	if r.options.Reverse {
		c.scan.lower = end
	} else {
		c.scan.upper = begin
	}
	return c, r.attempt.startScan(c.scan)
}

// checkBoundKey returns why key cannot be the bound of a range among the keys
// below end.
func checkBoundKey(key []byte, end string) error {
	if string(key) > end {
		return outsideError("range bound", key, end)
	}
	return nil
}
