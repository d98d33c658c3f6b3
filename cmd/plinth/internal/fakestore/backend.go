package fakestore

import (
	"bytes"
	"context"
	"slices"

	"github.com/plinthdb/plinth/internal/atomicop"
	"github.com/plinthdb/plinth/internal/wire"
)

// replyRows is how many rows a range reply holds at most, so that small tests
// read in pieces.
const replyRows = 4

// versionStep separates commits.
const versionStep wire.Version = 10

// ReadVersion implements kv.Backend.
func (s *Store) ReadVersion(ctx context.Context, _ wire.ReadVersionRequest) (wire.ReadVersionReply, error) {
	if err := s.fault(ctx, ReadVersion, 0); err != nil {
		return wire.ReadVersionReply{}, err
	}
	return wire.ReadVersionReply{Version: s.Version()}, nil
}

// GetValues implements kv.Backend.
func (s *Store) GetValues(ctx context.Context, r *wire.GetValuesRequest) (wire.GetValuesReply, error) {
	rows, err := s.read(ctx, GetValues, r.Version)
	if err != nil {
		return wire.GetValuesReply{}, err
	}
	var reply wire.GetValuesReply
	for _, key := range r.Keys {
		reply.Values = append(reply.Values, lookup(rows, key))
	}
	return reply, nil
}

func (s *Store) read(ctx context.Context, call Call, version wire.Version) ([]wire.KeyValue, error) {
	if err := s.fault(ctx, call, version); err != nil {
		return nil, err
	}
	return s.at(version)
}

// GetRange implements kv.Backend.
func (s *Store) GetRange(ctx context.Context, r *wire.GetRangeRequest) (wire.GetRangeReply, error) {
	rows, err := s.read(ctx, GetRange, r.Version)
	if err != nil {
		return wire.GetRangeReply{}, err
	}
	rows = slices.Clone(rows[find(rows, r.Begin):max(find(rows, r.Begin), find(rows, r.End))])
	if r.Reverse {
		slices.Reverse(rows)
	}
	limit := replyRows
	if r.LimitRows > 0 {
		limit = min(limit, r.LimitRows)
	}
	if len(rows) <= limit {
		return wire.GetRangeReply{Rows: rows}, nil
	}
	return wire.GetRangeReply{Rows: rows[:limit], More: true}, nil
}

// GetKey implements kv.Backend.
func (s *Store) GetKey(ctx context.Context, r *wire.GetKeyRequest) (wire.GetKeyReply, error) {
	rows, err := s.read(ctx, GetKey, r.Version)
	if err != nil {
		return wire.GetKeyReply{}, err
	}
	i := find(rows, r.Selector.Key)
	if r.Selector.OrEqual && i < len(rows) && bytes.Equal(rows[i].Key, r.Selector.Key) {
		i++
	}
	switch i += r.Selector.Offset - 1; {
	case i < 0:
		return wire.GetKeyReply{Key: []byte{}}, nil
	case i >= len(rows):
		return wire.GetKeyReply{Key: []byte(wire.SystemPrefix)}, nil
	}
	return wire.GetKeyReply{Key: rows[i].Key}, nil
}

// Watch implements kv.Backend.
func (s *Store) Watch(ctx context.Context, r *wire.WatchRequest) (wire.WatchReply, error) {
	if err := s.fault(ctx, Watch, r.Version); err != nil {
		return wire.WatchReply{}, err
	}
	for {
		s.mu.Lock()
		newest, changed := *s.newestLocked(), s.mu.changed
		s.mu.Unlock()
		value := lookup(newest.rows, r.Key)
		if !bytes.Equal(value, r.Value) || (value == nil) != (r.Value == nil) {
			return wire.WatchReply{Version: newest.version}, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return wire.WatchReply{}, ctx.Err()
		}
	}
}

// Commit implements kv.Backend.
func (s *Store) Commit(ctx context.Context, r *wire.CommitRequest) (wire.CommitReply, error) {
	if err := s.fault(ctx, Commit, r.ReadVersion); err != nil {
		return wire.CommitReply{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.conflictsLocked(r); err != nil {
		return wire.CommitReply{}, err
	}
	if err := s.applyLocked(r.Mutations, r.WriteConflicts); err != nil {
		return wire.CommitReply{}, err
	}
	version := s.newestLocked().version
	return wire.CommitReply{Version: version, Stamp: wire.MakeStamp(version, 0)}, nil
}

// conflictsLocked returns an error if something that r read was written since.
func (s *Store) conflictsLocked(r *wire.CommitRequest) error {
	var lost []wire.KeyRange
	for _, read := range r.ReadConflicts {
		for _, h := range s.mu.history {
			if h.version > r.ReadVersion && slices.ContainsFunc(h.writes, read.Overlaps) {
				lost = append(lost, read)
				break
			}
		}
	}
	switch {
	case len(lost) == 0:
		return nil
	case r.ReportConflicts:
		return &wire.ConflictError{Ranges: lost}
	}
	return wire.ErrNotCommitted
}

// applyLocked makes a new version of the rows.
func (s *Store) applyLocked(list []byte, writes []wire.KeyRange) error {
	version := s.newestLocked().version + versionStep
	rows := slices.Clone(s.newestLocked().rows)
	for mutations := wire.ReadMutations(list); ; {
		m, ok, err := mutations.Next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if rows, err = apply(rows, m, wire.MakeStamp(version, 0)); err != nil {
			return err
		}
	}
	s.mu.history = append(s.mu.history, snapshot{version: version, rows: rows, writes: writes})
	close(s.mu.changed)
	s.mu.changed = make(chan struct{})
	return nil
}

// apply changes rows, sorted by key, by a mutation of a commit with that stamp.
func apply(rows []wire.KeyValue, m wire.Mutation, stamp wire.Stamp) ([]wire.KeyValue, error) {
	key, value := bytes.Clone(m.Param1), bytes.Clone(m.Param2)
	switch {
	case m.Type == wire.SetValue:
		return put(rows, key, append([]byte{}, value...)), nil
	case m.Type == wire.ClearRange:
		i := find(rows, m.Param1)
		return slices.Delete(rows, i, max(i, find(rows, m.Param2))), nil
	case m.Type == wire.SetVersionstampedKey:
		return put(rows, stamped(key, stamp), value), nil
	case m.Type == wire.SetVersionstampedValue:
		return put(rows, key, stamped(value, stamp)), nil
	case m.Type.IsAtomic():
		old := lookup(rows, key)
		if result, present := atomicop.Apply(m.Type, old, old != nil, value); present {
			return put(rows, key, result), nil
		}
		i := find(rows, key)
		return slices.Delete(rows, i, find(rows, wire.SingleKey(key).End)), nil
	}
	return nil, wire.ErrInvalidMutationType
}

// put gives a key a value.
func put(rows []wire.KeyValue, key, value []byte) []wire.KeyValue {
	i := find(rows, key)
	if i < len(rows) && bytes.Equal(rows[i].Key, key) {
		rows[i] = wire.KeyValue{Key: key, Value: value}
		return rows
	}
	return slices.Insert(rows, i, wire.KeyValue{Key: key, Value: value})
}

// stamped returns the content of a versionstamped parameter with the stamp in
// its place.
func stamped(parameter []byte, stamp wire.Stamp) []byte {
	content, offset, ok := wire.SplitStampOffset(parameter)
	if !ok {
		panic("kv let a versionstamped parameter without a place for the stamp through")
	}
	copy(content[offset:], stamp[:])
	return content
}
