package model

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"sort"
	"sync"

	"github.com/plinthdb/plinth/internal/atomicop"
	"github.com/plinthdb/plinth/internal/wire"
)

// firstVersion is the version of an empty store.
const firstVersion = 1000

// versionStep separates two commits.
const versionStep = 10

// Store is the model. The zero value is not ready: use New.
type Store struct {
	// Hook, if set, is called at the beginning of every call with its name and
	// may delay it or make it fail. Set it before the store is used.
	Hook func(ctx context.Context, call string) error
	// AfterCommit, if set, is called after every commit that succeeded and may
	// turn the answer into an error: the caller then does not know.
	AfterCommit func(ctx context.Context) error
	// MaxRows and MaxBytes, if set, bound each reply to GetRange, whatever was
	// asked for.
	MaxRows, MaxBytes int
	// Window, if set, is how many versions back reads and commits may be.
	Window wire.Version
	// Boundaries are where shards begin, but for the first, in order.
	Boundaries []string
	// Failure is what StoreStatus gives as such.
	Failure string

	mu struct {
		sync.Mutex
		version wire.Version
		keys    []keyHistory // in key order
		writes  []writtenRange
		locked  bool
		calls   map[string]int
		changed chan struct{} // closed at the next commit
	}
}

// keyHistory is all values that a key has had, oldest first.
type keyHistory struct {
	key    []byte
	values []versionedValue
}

type versionedValue struct {
	version wire.Version
	value   []byte // nil: absent
}

type writtenRange struct {
	wire.KeyRange
	version wire.Version
}

// New returns an empty store.
func New() *Store {
	s := &Store{}
	s.mu.version = firstVersion
	s.mu.calls = make(map[string]int)
	s.mu.changed = make(chan struct{})
	return s
}

// Calls returns how often the named method of the back-end was called.
func (s *Store) Calls(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.calls[name]
}

// SetLocked locks or unlocks the database.
func (s *Store) SetLocked(locked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.locked = locked
}

// enter counts a call and lets the hook have its say.
func (s *Store) enter(ctx context.Context, call string) error {
	s.mu.Lock()
	s.mu.calls[call]++
	s.mu.Unlock()
	if s.Hook != nil {
		if err := s.Hook(ctx, call); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// ReadVersion returns the newest version.
func (s *Store) ReadVersion(ctx context.Context, _ wire.ReadVersionRequest) (wire.ReadVersionReply, error) {
	if err := s.enter(ctx, "ReadVersion"); err != nil {
		return wire.ReadVersionReply{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return wire.ReadVersionReply{
		Version:         s.mu.version,
		Locked:          s.lockedLocked(),
		MetadataVersion: s.valueLocked([]byte(wire.MetadataVersionKey), s.mu.version),
	}, nil
}

// lockedLocked reports whether the database is locked, by its key or by
// SetLocked.
func (s *Store) lockedLocked() bool {
	return s.mu.locked || s.valueLocked([]byte(wire.DatabaseLockedKey), s.mu.version) != nil
}

// GetValues returns values at a version.
func (s *Store) GetValues(ctx context.Context, r *wire.GetValuesRequest) (reply wire.GetValuesReply, err error) {
	if err := s.enter(ctx, "GetValues"); err != nil {
		return reply, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkVersionLocked(r.Version); err != nil {
		return reply, err
	}
	reply.Values = make([][]byte, len(r.Keys))
	for i, key := range r.Keys {
		reply.Values[i] = s.valueLocked(key, r.Version)
	}
	return reply, nil
}

// GetRange returns rows at a version.
func (s *Store) GetRange(ctx context.Context, r *wire.GetRangeRequest) (reply wire.GetRangeReply, err error) {
	if err := s.enter(ctx, "GetRange"); err != nil {
		return reply, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkVersionLocked(r.Version); err != nil {
		return reply, err
	}
	rows := s.rowsLocked(r.Begin, r.End, r.Version)
	if r.Reverse {
		slices.Reverse(rows)
	}
	limitRows, limitBytes := least(r.LimitRows, s.MaxRows), least(r.LimitBytes, s.MaxBytes)
	size := 0
	for i, row := range rows {
		size += len(row.Key) + len(row.Value)
		if limitRows > 0 && i+1 == limitRows || limitBytes > 0 && size >= limitBytes {
			return wire.GetRangeReply{Rows: rows[:i+1], More: true}, nil
		}
	}
	return wire.GetRangeReply{Rows: rows}, nil
}

// least returns the lesser of two limits, of which 0 is none.
func least(a, b int) int {
	if a == 0 || b == 0 {
		return a + b
	}
	return min(a, b)
}

// GetKey resolves a selector among the user keys at a version.
func (s *Store) GetKey(ctx context.Context, r *wire.GetKeyRequest) (reply wire.GetKeyReply, err error) {
	if err := s.enter(ctx, "GetKey"); err != nil {
		return reply, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkVersionLocked(r.Version); err != nil {
		return reply, err
	}
	rows := s.rowsLocked(nil, []byte(wire.SystemPrefix), r.Version)
	return wire.GetKeyReply{Key: Select(rows, r.Selector)}, nil
}

// Select resolves a selector among rows, which are all there are.
func Select(rows []wire.KeyValue, selector wire.KeySelector) []byte {
	below := sort.Search(len(rows), func(i int) bool {
		order := bytes.Compare(rows[i].Key, selector.Key)
		return order > 0 || order == 0 && !selector.OrEqual
	})
	switch i := below - 1 + selector.Offset; {
	case i < 0:
		return []byte{}
	case i >= len(rows):
		return []byte(wire.SystemPrefix)
	default:
		return rows[i].Key
	}
}

// Watch waits until a key has another value.
func (s *Store) Watch(ctx context.Context, r *wire.WatchRequest) (reply wire.WatchReply, err error) {
	if err := s.enter(ctx, "Watch"); err != nil {
		return reply, err
	}
	for {
		s.mu.Lock()
		version, changed := s.mu.version, s.mu.changed
		value := s.valueLocked(r.Key, version)
		s.mu.Unlock()
		if version >= r.Version && ((value == nil) != (r.Value == nil) || !bytes.Equal(value, r.Value)) {
			return wire.WatchReply{Version: version}, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return reply, ctx.Err()
		}
	}
}

// Commit decides and applies one transaction.
func (s *Store) Commit(ctx context.Context, r *wire.CommitRequest) (reply wire.CommitReply, err error) {
	if err := s.enter(ctx, "Commit"); err != nil {
		return reply, err
	}
	if reply, err = s.commit(r); err == nil && s.AfterCommit != nil {
		err = s.AfterCommit(ctx)
	}
	return reply, err
}

func (s *Store) commit(r *wire.CommitRequest) (reply wire.CommitReply, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(r.ReadConflicts) > 0 {
		if err := s.checkVersionLocked(r.ReadVersion); err != nil {
			return reply, err
		}
	}
	if conflicts := s.conflictsLocked(r); len(conflicts) > 0 {
		if r.ReportConflicts {
			return reply, &wire.ConflictError{Ranges: conflicts}
		}
		return reply, wire.ErrNotCommitted
	}
	if s.lockedLocked() && !r.LockAware {
		return reply, wire.ErrDatabaseLocked
	}
	s.mu.version += versionStep
	reply.Version = s.mu.version
	reply.Stamp = wire.MakeStamp(s.mu.version, uint16(s.mu.version%7))
	mutations := wire.ReadMutations(r.Mutations)
	for {
		m, ok, err := mutations.Next()
		if err != nil {
			return reply, wire.ErrInternal.Because(err)
		}
		if !ok {
			break
		}
		s.applyLocked(m, reply.Stamp)
	}
	if len(r.IdempotencyID) > 0 {
		index := binary.BigEndian.Uint16(reply.Stamp[8:])
		s.putLocked(wire.IdempotencyRowKey(reply.Stamp), wire.AppendIdempotencyID(nil, r.IdempotencyID, index))
	}
	for _, w := range r.WriteConflicts {
		s.mu.writes = append(s.mu.writes, writtenRange{w, s.mu.version})
	}
	close(s.mu.changed)
	s.mu.changed = make(chan struct{})
	return reply, nil
}

// conflictsLocked returns the ranges of r that were written since it read.
func (s *Store) conflictsLocked(r *wire.CommitRequest) (conflicts []wire.KeyRange) {
	since := sort.Search(len(s.mu.writes), func(i int) bool { return s.mu.writes[i].version > r.ReadVersion })
	for _, read := range r.ReadConflicts {
		for _, w := range s.mu.writes[since:] {
			if read.Overlaps(w.KeyRange) {
				conflicts = append(conflicts, read)
				break
			}
		}
	}
	return conflicts
}

func (s *Store) checkVersionLocked(v wire.Version) error {
	switch {
	case v > s.mu.version:
		return wire.ErrFutureVersion
	case s.Window > 0 && v < s.mu.version-s.Window:
		return wire.ErrTransactionTooOld
	}
	return nil
}

// applyLocked applies one mutation at the newest version.
func (s *Store) applyLocked(m wire.Mutation, stamp wire.Stamp) {
	key, value := m.Param1, m.Param2
	switch m.Type {
	case wire.ClearRange:
		for _, row := range s.rowsLocked(key, value, s.mu.version) {
			s.putLocked(row.Key, nil)
		}
		return
	case wire.SetValue:
	case wire.SetVersionstampedKey:
		key = stamped(key, stamp)
	case wire.SetVersionstampedValue:
		value = stamped(value, stamp)
	default:
		old := s.valueLocked(key, s.mu.version)
		result, present := atomicop.Apply(m.Type, old, old != nil, value)
		if !present {
			s.putLocked(key, nil)
			return
		}
		value = result
	}
	s.putLocked(key, append([]byte{}, value...))
}

// stamped returns the content of param with the stamp filled in.
func stamped(param []byte, stamp wire.Stamp) []byte {
	content, offset, ok := wire.SplitStampOffset(param)
	if !ok {
		panic("model: a stamp does not fit into its parameter")
	}
	content = bytes.Clone(content)
	copy(content[offset:], stamp[:])
	return content
}

// putLocked gives key a value at the newest version.
func (s *Store) putLocked(key, value []byte) {
	i, found := s.findLocked(key)
	if !found {
		s.mu.keys = slices.Insert(s.mu.keys, i, keyHistory{key: bytes.Clone(key)})
	}
	h := &s.mu.keys[i]
	if n := len(h.values); n > 0 && h.values[n-1].version == s.mu.version {
		h.values[n-1].value = value
		return
	}
	h.values = append(h.values, versionedValue{s.mu.version, value})
}

func (s *Store) findLocked(key []byte) (int, bool) {
	return slices.BinarySearchFunc(s.mu.keys, key, func(h keyHistory, key []byte) int {
		return bytes.Compare(h.key, key)
	})
}

// at returns the value at version v, nil if absent.
func (h *keyHistory) at(v wire.Version) []byte {
	i := sort.Search(len(h.values), func(i int) bool { return h.values[i].version > v })
	if i == 0 {
		return nil
	}
	return h.values[i-1].value
}

func (s *Store) valueLocked(key []byte, v wire.Version) []byte {
	if i, found := s.findLocked(key); found {
		return s.mu.keys[i].at(v)
	}
	return nil
}

// rowsLocked returns the rows of a range at version v.
func (s *Store) rowsLocked(begin, end []byte, v wire.Version) (rows []wire.KeyValue) {
	first, _ := s.findLocked(begin)
	for i := first; i < len(s.mu.keys) && bytes.Compare(s.mu.keys[i].key, end) < 0; i++ {
		if value := s.mu.keys[i].at(v); value != nil {
			rows = append(rows, wire.KeyValue{Key: s.mu.keys[i].key, Value: value})
		}
	}
	return rows
}

// Rows returns all rows at the newest version but those of idempotency ids.
func (s *Store) Rows() []wire.KeyValue {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := s.rowsLocked(nil, []byte{0xff, 0xff, 0xff}, s.mu.version)
	return slices.DeleteFunc(rows, func(row wire.KeyValue) bool {
		_, isIDs := wire.IdempotencyRowVersion(row.Key)
		return isIDs || string(row.Key) == wire.IdempotencyExpiredKey
	})
}

// IDs returns how many idempotency ids are stored.
func (s *Store) IDs() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := wire.IdempotencyRows(0, s.mu.version)
	return len(s.rowsLocked(rows.Begin, rows.End, s.mu.version))
}

// ExpireIDs forgets the idempotency ids of all versions so far, as a commit
// proxy does with old ones.
func (s *Store) ExpireIDs() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.version += versionStep
	rows := wire.IdempotencyRows(0, s.mu.version-1)
	s.applyLocked(wire.Mutation{Type: wire.ClearRange, Param1: rows.Begin, Param2: rows.End}, wire.Stamp{})
	s.putLocked([]byte(wire.IdempotencyExpiredKey), wire.EncodeIdempotencyVersion(s.mu.version))
}
