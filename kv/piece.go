package kv

import (
	"bytes"
	"context"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wire"
)

const (
	// firstPieceBytes is what an iteration fetches first; each piece after it
	// is twice as large, up to maxPieceBytes.
	firstPieceBytes = 8 << 10
	maxPieceBytes   = 128 << 10
	// lookAhead bounds how many own writes are looked at for a cleared range
	// that a fetch need not cross.
	lookAhead = 64
)

// storedRows reads what is stored between two keys in pieces, in either
// direction, and only where it is asked to look.
type storedRows struct {
	attempt *attempt
	view    *writeView
	reverse bool
	// lower and upper bound what was not fetched yet.
	lower, upper []byte
	rows         []wire.KeyValue // fetched and not taken yet, the user's copies
	shared       []wire.KeyValue // the same rows as the store returned them
	rowsWanted   int             // rows that the reader still wants, 0: all
	fetches      int
	pieceBytes   int    // of the next fetch
	mostBytes    int    // of any fetch
	ahead        *piece // on its way, nil if none is
	aheadAt      int    // when so few rows are left, -1: not any more
}

// peek reports whether the next stored row, having passed over those before
// the gap s, lies in s. take then returns it.
func (r *storedRows) peek(s segment) (ok bool, err error) {
	for {
		for len(r.rows) > 0 && r.precedes(r.shared[0].Key, s) {
			r.drop()
		}
		if len(r.rows) > 0 {
			return r.reaches(r.shared[0].Key, s), nil
		}
		if r.beyond(s) {
			return false, nil
		}
		if err := r.fetch(); err != nil {
			return false, err
		}
	}
}

// another reports whether there is another stored row, which take then returns.
func (r *storedRows) another() (ok bool, err error) {
	for len(r.rows) == 0 {
		if r.empty() {
			return false, nil
		}
		if err := r.fetch(); err != nil {
			return false, err
		}
	}
	return true, nil
}

// empty reports whether everything was fetched.
func (r *storedRows) empty() bool { return bytes.Compare(r.lower, r.upper) >= 0 }

// take returns the next row and its key as it is shared with the store.
func (r *storedRows) take() (row wire.KeyValue, key []byte) {
	row, key = r.rows[0], r.shared[0].Key
	r.drop()
	return row, key
}

func (r *storedRows) drop() { r.rows, r.shared = r.rows[1:], r.shared[1:] }

// skip passes over the gap s without reading it.
func (r *storedRows) skip(s segment) {
	if r.reverse {
		if begin := s.begin(); bytes.Compare(begin, r.upper) < 0 {
			r.upper = begin
		}
	} else if bytes.Compare(s.upper, r.lower) > 0 {
		r.lower = s.upper
	}
}

// precedes reports whether the scan comes by key before it comes to s.
func (r *storedRows) precedes(key []byte, s segment) bool {
	if r.reverse {
		return bytes.Compare(key, s.upper) >= 0
	}
	order := bytes.Compare(key, s.lower)
	return order < 0 || order == 0 && s.after
}

// reaches reports whether key, which s does not precede, lies in s.
func (r *storedRows) reaches(key []byte, s segment) bool {
	if !r.reverse {
		return bytes.Compare(key, s.upper) < 0
	}
	order := bytes.Compare(key, s.lower)
	return order > 0 || order == 0 && !s.after
}

// beyond reports whether everything that was not fetched lies beyond s.
func (r *storedRows) beyond(s segment) bool {
	if r.empty() {
		return true
	}
	if r.reverse {
		return bytes.Compare(r.upper, s.lower) <= 0
	}
	return bytes.Compare(r.lower, s.upper) >= 0
}

// takePiece returns the rows of the next fetch as they are shared with the
// store: none if nothing is left.
func (r *storedRows) takePiece() ([]wire.KeyValue, error) {
	if r.empty() {
		return nil, nil
	}
	p, err := r.fetchPiece()
	if err != nil {
		return nil, err
	}
	return p.reply.Rows, nil
}

// rowLimit is the limit of a fetch when wanted rows are wanted, 0: all. Own
// writes may hide what is fetched, so each fetch then takes twice as much: few
// are enough.
func (r *storedRows) rowLimit(wanted int) int {
	if r.view == nil || wanted == 0 {
		return wanted
	}
	return max(wanted, min(wanted<<min(r.fetches, 16), 1<<16))
}

// newPiece returns the piece to fetch next, if so many rows are wanted, and the
// context for it.
func (r *storedRows) newPiece(wanted int) (*piece, context.Context, error) {
	a := r.attempt
	begin, end := r.fetchBounds()
	anchor := [1][]byte{begin}
	version, err := a.readVersion(anchor[:])
	if err != nil {
		return nil, nil, err
	}
	ctx, err := a.callContext()
	if err != nil {
		return nil, nil, err
	}
	limitBytes := r.pieceBytes
	if fault.Point("kv.range.smallPiece") {
		limitBytes = 1
	}
	return &piece{request: wire.GetRangeRequest{
		Version:    version,
		Begin:      begin,
		End:        end,
		LimitRows:  r.rowLimit(wanted),
		LimitBytes: limitBytes,
		Reverse:    r.reverse,
	}}, ctx, nil
}

// fetch brings the next piece of what is stored.
func (r *storedRows) fetch() error {
	p, err := r.fetchPiece()
	if err != nil {
		return err
	}
	if p.rows == nil { // otherwise it was fetched ahead
		p.rows = cloneRows(p.reply.Rows)
	}
	r.rows, r.shared = p.rows, p.reply.Rows
	r.setAhead(len(r.rows))
	return nil
}

// fetchPiece returns the next piece of what is stored.
func (r *storedRows) fetchPiece() (*piece, error) {
	p := r.takeAhead()
	if p == nil {
		next, ctx, err := r.newPiece(r.rowsWanted)
		if err != nil {
			return nil, err
		}
		p = next
		p.fetch(ctx, r.attempt)
	}
	if p.err != nil {
		return nil, p.err
	}
	r.moveOn(p.request.Begin, p.request.End, &p.reply)
	r.pieceBytes = min(2*r.pieceBytes, r.mostBytes)
	r.fetches++
	return p, nil
}

// moveOn takes what reply covers out of the bounds.
func (r *storedRows) moveOn(begin, end []byte, reply *wire.GetRangeReply) {
	switch {
	case r.reverse && reply.More:
		r.upper = reply.Rows[len(reply.Rows)-1].Key
	case r.reverse:
		r.upper = begin
	case reply.More:
		r.lower = wire.KeyAfter(reply.Rows[len(reply.Rows)-1].Key)
	default:
		r.lower = end
	}
}

// fetchBounds returns what to fetch next: all that is left, or as far as the
// next range that own writes cleared.
func (r *storedRows) fetchBounds() (begin, end []byte) {
	begin, end = r.lower, r.upper
	if r.view == nil {
		return begin, end
	}
	w := newWalker(r.view, begin, end, r.reverse)
	started := false
	for range lookAhead {
		s, ok := w.next()
		if !ok {
			break
		}
		if s.entry != nil || s.state == unmodified {
			started = started || s.state == unmodified || s.state == dependent
			continue
		}
		if !started {
			continue
		}
		if r.reverse {
			return s.upper, end
		}
		return begin, s.begin()
	}
	return begin, end
}

// cloneRows copies rows, which are shared with the store, into one piece of
// memory for the user.
func cloneRows(shared []wire.KeyValue) []wire.KeyValue {
	buf := make([]byte, 0, rowsBytes(shared))
	rows := make([]wire.KeyValue, len(shared))
	for i, row := range shared {
		rows[i].Key, buf = appendClone(buf, row.Key)
		rows[i].Value, buf = appendClone(buf, row.Value)
	}
	return rows
}

// rowsBytes returns the size of keys and values.
func rowsBytes(rows []wire.KeyValue) (n int) {
	for _, row := range rows {
		n += len(row.Key) + len(row.Value)
	}
	return n
}
