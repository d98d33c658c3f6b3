package model

import (
	"bytes"
	"context"
	"fmt"

	"github.com/plinthdb/plinth/internal/wire"
)

// EstimateBytes returns exactly how many bytes the rows of a range have.
func (s *Store) EstimateBytes(ctx context.Context, begin, end []byte) (n int64, err error) {
	if err := s.enter(ctx, "EstimateBytes"); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range s.rowsLocked(begin, end, s.mu.version) {
		n += int64(len(row.Key) + len(row.Value))
	}
	return n, nil
}

// SplitPoints ends a chunk with the row that makes it as large as asked for.
func (s *Store) SplitPoints(ctx context.Context, r *wire.SplitRequest) (reply wire.SplitReply, err error) {
	if err := s.enter(ctx, "SplitPoints"); err != nil {
		return reply, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	size := int64(0)
	for _, row := range s.rowsLocked(r.Begin, r.End, s.mu.version) {
		if size >= r.ChunkBytes {
			reply.Keys = append(reply.Keys, row.Key)
			size = 0
		}
		size += int64(len(row.Key) + len(row.Value))
	}
	return reply, nil
}

// Locate returns the shards that begin at Boundaries; each has an address of
// its own.
func (s *Store) Locate(ctx context.Context, r *wire.LocateRequest) (reply wire.LocateReply, err error) {
	if err := s.enter(ctx, "Locate"); err != nil {
		return reply, err
	}
	begins := append([]string{""}, s.Boundaries...)
	for i, begin := range begins {
		shard := wire.Shard{Addresses: []string{fmt.Sprintf("127.0.0.1:%d", i)}}
		shard.Begin, shard.End = []byte(begin), []byte(wire.MaxKey)
		if i+1 < len(begins) {
			shard.End = []byte(begins[i+1])
		}
		if bytes.Compare(shard.Begin, r.End) >= 0 || bytes.Compare(shard.End, r.Begin) <= 0 {
			continue
		}
		if reply.Shards = append(reply.Shards, shard); len(reply.Shards) == r.Limit {
			break
		}
	}
	return reply, nil
}
