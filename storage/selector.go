package storage

import (
	"bytes"
	"context"
	"math"

	"github.com/plinthdb/plinth/internal/wire"
)

// GetKey resolves a key selector at the request's version. A selector on user
// keys sees user keys alone and stops at SystemPrefix; one on system keys
// (above SystemPrefix) sees all keys and stops at "\xff\xff". Either stops at
// the empty key in front.
//
// Errors: those of GetValues.
func (s *Server) GetKey(ctx context.Context, req *wire.GetKeyRequest) (wire.GetKeyReply, error) {
	if err := s.await(ctx, req.Version); err != nil {
		return wire.GetKeyReply{}, err
	}
	if err := s.enter(); err != nil {
		return wire.GetKeyReply{}, err
	}
	defer s.leave()
	walk := newSelectorWalk(req.Selector)
	sc := scan{server: s, version: req.Version, begin: walk.begin, end: walk.end, reverse: walk.reverse, visit: walk.visit}
	if bytes.Compare(walk.begin, walk.end) < 0 {
		if err := sc.run(ctx, walk.left); err != nil {
			return wire.GetKeyReply{}, err
		}
	}
	if err := s.checkIterated(); err != nil {
		return wire.GetKeyReply{}, err
	}
	key := walk.key
	if walk.left > 0 {
		key = walk.clamp
	}
	s.counters.answered(len(key))
	return wire.GetKeyReply{Key: key}, nil
}

// selectorWalk turns a selector into a scan that counts rows: the selected key
// is the last of left rows.
type selectorWalk struct {
	begin, end []byte
	reverse    bool
	left       int
	clamp      []byte // the answer if the rows run out
	key        []byte
}

func newSelectorWalk(sel wire.KeySelector) *selectorWalk {
	first, last := []byte{}, []byte(wire.SystemPrefix)
	if string(sel.Key) > wire.SystemPrefix {
		last = []byte(endOfKeys)
	}
	from := sel.Key
	if sel.OrEqual {
		from = wire.KeyAfter(from)
	}
	if bytes.Compare(from, last) > 0 {
		from = last
	}
	if sel.Offset > 0 {
		return &selectorWalk{begin: from, end: last, left: min(sel.Offset, math.MaxInt-1), clamp: last}
	}
	// Offset 0 is the first row below from; the extremes are kept from
	// overflowing.
	return &selectorWalk{begin: first, end: from, reverse: true, left: 1 - max(sel.Offset, -math.MaxInt+2), clamp: first}
}

// visit is a visitor.
func (w *selectorWalk) visit(key, _ []byte, shared bool) bool {
	if w.left--; w.left > 0 {
		return true
	}
	w.key = key
	if !shared {
		w.key = bytes.Clone(key)
	}
	return false
}
