package fakestore

import (
	"context"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

var _ kv.Locator = (*Store)(nil)

// EstimateBytes implements kv.Locator, and is exact.
func (s *Store) EstimateBytes(_ context.Context, begin, end []byte) (int64, error) {
	var size int64
	for _, row := range s.between(begin, end) {
		size += rowBytes(row)
	}
	return size, nil
}

// SplitPoints implements kv.Locator.
func (s *Store) SplitPoints(_ context.Context, r *wire.SplitRequest) (wire.SplitReply, error) {
	var reply wire.SplitReply
	var size int64
	for _, row := range s.between(r.Begin, r.End) {
		if size >= r.ChunkBytes {
			reply.Keys = append(reply.Keys, row.Key)
			size = 0
		}
		size += rowBytes(row)
	}
	return reply, nil
}

// Locate implements kv.Locator: all keys are in one place.
func (s *Store) Locate(context.Context, *wire.LocateRequest) (wire.LocateReply, error) {
	return wire.LocateReply{Shards: []wire.Shard{{
		KeyRange:  wire.KeyRange{Begin: []byte{}, End: []byte(wire.MaxKey)},
		Addresses: []string{"127.0.0.1:0"},
	}}}, nil
}

// between returns the newest rows of a range.
func (s *Store) between(begin, end []byte) []wire.KeyValue {
	rows := s.Rows()
	first := find(rows, begin)
	return rows[first:max(first, find(rows, end))]
}

func rowBytes(row wire.KeyValue) int64 { return int64(len(row.Key) + len(row.Value)) }
