package storage

import (
	"bytes"
	"context"
	"math"

	"github.com/plinthdb/plinth/internal/wire"
)

// GetRange returns the rows of a range at the request's version, up to its
// limits and the server's MaxRangeBytes.
//
// Errors: those of GetValues, ErrInvertedRange, ErrRangeLimitsInvalid.
func (s *Server) GetRange(ctx context.Context, req *wire.GetRangeRequest) (wire.GetRangeReply, error) {
	var reply wire.GetRangeReply
	if bytes.Compare(req.Begin, req.End) > 0 {
		return reply, wire.ErrInvertedRange
	}
	if req.LimitRows < 0 || req.LimitBytes < 0 {
		return reply, wire.ErrRangeLimitsInvalid
	}
	if err := s.await(ctx, req.Version); err != nil {
		return reply, err
	}
	if err := s.enter(); err != nil {
		return reply, err
	}
	defer s.leave()
	c := s.newCollector(req)
	sc := scan{server: s, version: req.Version, begin: req.Begin, end: clampEnd(req.End), reverse: req.Reverse, visit: c.visit}
	if bytes.Compare(sc.begin, sc.end) < 0 {
		if err := sc.run(ctx, c.limitRows); err != nil {
			return reply, err
		}
	}
	if err := s.checkIterated(); err != nil {
		return reply, err
	}
	s.counters.rows.Add(uint64(len(c.rows)))
	s.counters.answered(c.bytes)
	return wire.GetRangeReply{Rows: c.rows, More: sc.stopped}, nil
}

// checkIterated is checkRead for scans, whose iterators were checked one by
// one.
func (s *Server) checkIterated() error { return s.Err() }

func clampEnd(end []byte) []byte {
	if string(end) > endOfKeys {
		return []byte(endOfKeys)
	}
	return end
}

// collector gathers the rows of a range reply.
type collector struct {
	rows                  []wire.KeyValue
	bytes                 int
	limitRows, limitBytes int
	arena                 arena
}

// maxRowsGuess bounds what a reply allocates before it has seen a row.
const maxRowsGuess = 256

func (s *Server) newCollector(req *wire.GetRangeRequest) *collector {
	c := &collector{limitRows: req.LimitRows, limitBytes: s.cfg.MaxRangeBytes}
	if c.limitRows == 0 {
		c.limitRows = math.MaxInt - 1
	}
	if req.LimitBytes > 0 {
		c.limitBytes = min(c.limitBytes, req.LimitBytes)
	}
	if req.LimitRows > 0 {
		c.rows = make([]wire.KeyValue, 0, min(req.LimitRows, maxRowsGuess))
	}
	return c
}

// visit is a visitor.
func (c *collector) visit(key, value []byte, shared bool) bool {
	if !shared {
		both := c.arena.alloc(len(key) + len(value))
		copy(both, key)
		copy(both[len(key):], value)
		key, value = both[:len(key):len(key)], both[len(key):]
	}
	c.rows = append(c.rows, wire.KeyValue{Key: key, Value: value})
	c.bytes += len(key) + len(value)
	return len(c.rows) < c.limitRows && c.bytes < c.limitBytes
}
