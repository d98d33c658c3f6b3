package kv

import (
	"bytes"

	"github.com/plinthdb/plinth/internal/wire"
)

// cursor merges what is stored between two keys with own writes, row by row.
type cursor struct {
	attempt    *attempt
	begin, end []byte
	options    RangeOptions
	store      storedRows
	// readsAhead says that the next piece is fetched while one is consumed.
	readsAhead bool

	// own walks over own writes, if there are any; segment is where it stands
	// and within says that it has not come to the end.
	hasOwn  bool
	own     walker
	segment segment
	within  bool

	rows, bytes int    // returned so far
	limited     bool   // a limit was reached
	exhausted   bool   // all rows were returned
	lastKey     []byte // of the last row, not the user's copy

	scan     *scan // nil for reads that add no conflict
	conflict scan  // what scan points to otherwise
}

// newCursor returns a cursor over the keys from begin up to end that adds no
// conflict.
func newCursor(a *attempt, view *writeView, begin, end []byte, options RangeOptions) *cursor {
	c := &cursor{attempt: a, begin: begin, end: end, options: options}
	if bytes.Compare(begin, end) >= 0 {
		c.exhausted = true
		return c
	}
	c.store = storedRows{
		attempt:    a,
		view:       view,
		reverse:    options.Reverse,
		lower:      begin,
		upper:      end,
		rowsWanted: options.Limit,
		pieceBytes: firstPieceBytes,
		mostBytes:  maxPieceBytes,
	}
	if view != nil {
		c.hasOwn = true
		c.own = newWalker(view, begin, end, options.Reverse)
		c.segment, c.within = c.own.next()
	}
	return c
}

// next returns the next row; ok is false at the end. The row belongs to the
// user.
func (c *cursor) next() (row wire.KeyValue, ok bool, err error) {
	if c.exhausted || c.limited {
		return row, false, nil
	}
	if c.hasOwn {
		row, ok, err = c.merged()
	} else if ok, err = c.store.another(); ok {
		row, c.lastKey = c.store.take()
	}
	if err != nil || !ok {
		c.exhausted = err == nil
		return row, false, err
	}
	c.count(row)
	if c.readsAhead && !c.limited {
		c.store.readAhead()
	}
	return row, true, nil
}

// count draws row from the limits.
func (c *cursor) count(row wire.KeyValue) {
	c.rows++
	c.bytes += len(row.Key) + len(row.Value)
	o := &c.options
	c.limited = o.Limit > 0 && c.rows >= o.Limit || o.LimitBytes > 0 && c.bytes >= o.LimitBytes
	if o.Limit > 0 {
		c.store.rowsWanted = o.Limit - c.rows
	}
}

// merged is next with own writes.
func (c *cursor) merged() (row wire.KeyValue, ok bool, err error) {
	for c.within {
		s := c.segment
		switch {
		case s.entry != nil:
			c.segment, c.within = c.own.next()
			if row, ok, err = c.point(s.entry); ok || err != nil {
				return row, ok, err
			}
			continue
		case s.state == unreadable:
			return row, false, unreadableError(s.begin())
		case s.state == cleared:
			c.store.skip(s)
		default:
			if ok, err = c.store.peek(s); err != nil {
				return row, false, err
			}
			if ok {
				row, c.lastKey = c.store.take()
				return row, true, nil
			}
		}
		c.segment, c.within = c.own.next()
	}
	return row, false, nil
}

// point returns the row of an entry's own key, if there is one.
func (c *cursor) point(e *entry) (row wire.KeyValue, ok bool, err error) {
	switch e.at {
	case unreadable:
		return row, false, unreadableError(e.key)
	case cleared:
		return row, false, nil
	case written:
		c.lastKey = e.key
		return ownRow(e.key, e.value), true, nil
	}
	only := wire.SingleKey(e.key)
	if ok, err = c.store.peek(segment{lower: only.Begin, upper: only.End}); err != nil {
		return row, false, err
	}
	if ok {
		row, c.lastKey = c.store.take()
	}
	if e.at == unmodified {
		return row, ok, nil
	}
	c.lastKey = e.key
	value := applyOps(e.ops, row.Value)
	if value == nil {
		return row, false, nil
	}
	return ownRow(e.key, value), true, nil
}

// ownRow copies a row out of own writes, one allocation for both parts.
func ownRow(key, value []byte) (row wire.KeyValue) {
	buf := make([]byte, 0, len(key)+len(value))
	row.Key, buf = appendClone(buf, key)
	row.Value, _ = appendClone(buf, value)
	return row
}

// block is some rows of a cursor, at least one unless it has come to its end.
type block struct {
	rows   []wire.KeyValue
	shared bool // with the store; otherwise they are the user's copies
}

// block returns the next rows, for a user who wants all of them: what was
// fetched at a time, if there is nothing to be merged with it, and otherwise
// all that are left.
func (c *cursor) block() (b block, err error) {
	if c.hasOwn {
		b.rows, err = c.rest()
		return b, err
	}
	if c.exhausted || c.limited {
		return b, nil
	}
	b.rows, err = c.store.takePiece()
	if err != nil || len(b.rows) == 0 {
		c.exhausted = err == nil
		return b, err
	}
	b.shared = true
	for n, row := range b.rows {
		if c.count(row); c.limited {
			b.rows = b.rows[:n+1]
			break
		}
	}
	c.lastKey = b.rows[len(b.rows)-1].Key
	return b, nil
}

// rest returns all rows that are left.
func (c *cursor) rest() (rows []wire.KeyValue, err error) {
	for {
		row, ok, err := c.next()
		if err != nil || !ok {
			return rows, err
		}
		rows = append(rows, row)
	}
}

// show extends the read conflict up to the last row, which the user is about
// to see.
func (c *cursor) show() error {
	c.attempt.mu.Lock()
	defer c.attempt.mu.Unlock()
	if err := c.attempt.usableLocked(); err != nil {
		return err
	}
	switch {
	case c.scan == nil:
	case c.options.Reverse:
		c.scan.lower = c.lastKey
	default:
		c.scan.upper, c.scan.through = c.lastKey, true
	}
	return nil
}

// finish ends what is fetched ahead, and completes the read conflict: a read that
// came to the end of its range depends on all of it.
func (c *cursor) finish() {
	c.store.stopAhead()
	if c.scan == nil {
		return
	}
	c.attempt.mu.Lock()
	defer c.attempt.mu.Unlock()
	if c.exhausted {
		c.scan.lower, c.scan.upper, c.scan.through = c.begin, c.end, false
	}
	c.attempt.finishScanLocked(c.scan)
}
