package raftgroup

import (
	"errors"
	"sync"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wal"
	"github.com/plinthdb/plinth/internal/wire"
)

// Store is the Raft log as raft.Storage wants it: which entries there are,
// recent ones in memory, and where on disk the others lie.
type Store struct {
	// log is where entries that are not in memory are read back from.
	log Log
	// cacheBytes bounds the entries kept in memory. Entries that have no
	// position yet stay regardless: they are nowhere else.
	cacheBytes int

	mu struct {
		sync.RWMutex
		base      base
		hardState *pb.HardState
		slots     []slot // slots[i] is the entry at base.index+1+i
		// cached is the bytes of the entries in memory; those at slots before
		// evicted are on disk only.
		cached  int
		evicted int
	}
}

// base is the place before the first entry: everything up to there is in the
// checkpoint.
type base struct {
	index, term uint64
	conf        *pb.ConfState
	snapshot    []byte
	// pos is where the checkpoint's record is.
	pos wal.Position
}

// slot is one entry.
type slot struct {
	term uint64
	// entry is nil if it has to be read back from pos.
	entry *pb.Entry
	// pos is the zero Position until the write-ahead log has told it.
	pos wal.Position
	// bytes is the entry's share of the limits, see entryBytes.
	bytes int
}

// entryOverheadBytes is what an entry takes in memory, and about what it takes
// on disk, beyond its data: measured. Without it a log of tiny entries would
// outgrow the limits of the cache many times over.
const entryOverheadBytes = 200

func entryBytes(e *pb.Entry) int { return entryOverheadBytes + len(e.GetData()) }

func newStore(b base, log Log, cacheBytes int) *Store {
	s := &Store{log: log, cacheBytes: cacheBytes}
	s.mu.base = b
	s.mu.hardState = &pb.HardState{}
	return s
}

// InitialState implements raft.Storage.
func (s *Store) InitialState() (*pb.HardState, *pb.ConfState, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.mu.hardState, s.mu.base.conf, nil
}

// FirstIndex implements raft.Storage.
func (s *Store) FirstIndex() (uint64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.mu.base.index + 1, nil
}

// LastIndex implements raft.Storage.
func (s *Store) LastIndex() (uint64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.lastLocked(), nil
}

func (s *Store) lastLocked() uint64 { return s.mu.base.index + uint64(len(s.mu.slots)) }

// Term implements raft.Storage.
func (s *Store) Term(index uint64) (uint64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	switch {
	case index < s.mu.base.index:
		return 0, raft.ErrCompacted
	case index == s.mu.base.index:
		return s.mu.base.term, nil
	case index > s.lastLocked():
		return 0, raft.ErrUnavailable
	}
	return s.mu.slots[index-s.mu.base.index-1].term, nil
}

// Entries implements raft.Storage: the entries lo <= index < hi, fewer if they
// are more than maxBytes, but at least one. An error of the write-ahead log is
// an *unreadable.
func (s *Store) Entries(lo, hi, maxBytes uint64) ([]*pb.Entry, error) {
	var entries []*pb.Entry
	var size uint64
	for index := lo; index < hi; index++ {
		e, err := s.Entry(index)
		if errors.Is(err, raft.ErrCompacted) || errors.Is(err, raft.ErrUnavailable) {
			return nil, err
		}
		if err != nil {
			return nil, &unreadable{err}
		}
		size += uint64(len(e.GetData()))
		if len(entries) > 0 && size > maxBytes {
			break
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// Entry returns one entry, from memory or from disk. It returns
// raft.ErrCompacted or raft.ErrUnavailable for an index outside the log, and
// the write-ahead log's error if the record cannot be read.
func (s *Store) Entry(index uint64) (*pb.Entry, error) {
	s.mu.RLock()
	switch {
	case index <= s.mu.base.index:
		s.mu.RUnlock()
		return nil, raft.ErrCompacted
	case index > s.lastLocked():
		s.mu.RUnlock()
		return nil, raft.ErrUnavailable
	}
	sl := s.mu.slots[index-s.mu.base.index-1]
	s.mu.RUnlock()
	if sl.entry != nil {
		return sl.entry, nil
	}
	rec, err := s.log.ReadAt(sl.pos, nil)
	if err != nil {
		// The log may have been cut between the look and the read.
		if first, _ := s.FirstIndex(); index < first {
			return nil, raft.ErrCompacted
		}
		return nil, err
	}
	return decodeEntry(index, rec.Payload)
}

// Snapshot implements raft.Storage. Replicas that fell behind the log's
// beginning come with the cluster.
func (s *Store) Snapshot() (*pb.Snapshot, error) {
	return nil, raft.ErrSnapshotTemporarilyUnavailable
}

// append puts entries at the end, in place of what stood from the first one on.
func (s *Store) append(entries []*pb.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range entries {
		if err := s.appendLocked(slot{term: e.GetTerm(), entry: e, bytes: entryBytes(e)}, e.GetIndex()); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) appendLocked(sl slot, index uint64) error {
	if index <= s.mu.base.index || index > s.lastLocked()+1 {
		return wire.ErrInternal.With("entry %d cannot follow a raft log of entries %d to %d", index, s.mu.base.index+1, s.lastLocked())
	}
	at := int(index - s.mu.base.index - 1)
	for _, old := range s.mu.slots[at:] {
		if old.entry != nil {
			s.mu.cached -= old.bytes
		}
	}
	s.mu.slots = append(s.mu.slots[:at], sl)
	s.mu.evicted = min(s.mu.evicted, at)
	if sl.entry != nil {
		s.mu.cached += sl.bytes
	}
	return nil
}

// located notes where the records of entries lie, and lets go of the oldest
// entries in memory if there are too many.
func (s *Store) located(entries []*pb.Entry, positions []wal.Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, e := range entries {
		if e.GetIndex() <= s.mu.base.index || e.GetIndex() > s.lastLocked() {
			continue
		}
		sl := &s.mu.slots[e.GetIndex()-s.mu.base.index-1]
		if sl.entry == e {
			sl.pos = positions[i]
		}
	}
	limit := s.cacheBytes
	if fault.Point("raftgroup.cache.evictEarly") {
		limit = 0
	}
	for s.mu.cached > limit && s.mu.evicted < len(s.mu.slots) {
		sl := &s.mu.slots[s.mu.evicted]
		if sl.pos == (wal.Position{}) {
			break
		}
		if sl.entry != nil {
			s.mu.cached -= sl.bytes
			sl.entry = nil
		}
		s.mu.evicted++
	}
}

// cut moves the beginning of the log to b.
func (s *Store) cut(b base) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.index <= s.mu.base.index {
		return
	}
	n := int(min(b.index, s.lastLocked()) - s.mu.base.index)
	for _, sl := range s.mu.slots[:n] {
		if sl.entry != nil {
			s.mu.cached -= sl.bytes
		}
	}
	s.mu.slots = append([]slot(nil), s.mu.slots[n:]...)
	s.mu.evicted = max(0, s.mu.evicted-n)
	s.mu.base = b
}

// firstPosition returns where the first entry's record lies; ok is false if
// there is none or it is not known.
func (s *Store) firstPosition() (pos wal.Position, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.mu.slots) == 0 {
		return wal.Position{}, false
	}
	pos = s.mu.slots[0].pos
	return pos, pos != (wal.Position{})
}

// bytesThrough returns the bytes of the entries up to index.
func (s *Store) bytesThrough(index uint64) (bytes int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for i, sl := range s.mu.slots {
		if s.mu.base.index+1+uint64(i) > index {
			break
		}
		bytes += sl.bytes
	}
	return bytes
}

// remedy is what to do about a log that lacks files.
const remedy = "restore the log's missing files, or the store from a backup"

var errNoCheckpoint = errors.New("the log holds no checkpoint of this group: its first files are missing; " + remedy)
