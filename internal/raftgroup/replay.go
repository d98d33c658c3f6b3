package raftgroup

import (
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/plinthdb/plinth/internal/wal"
	"github.com/plinthdb/plinth/internal/wire"
)

// Replay gathers the records of one group while the write-ahead log is opened,
// before the group itself can be. Feed it every record of the group in order.
type Replay struct {
	found      bool // a checkpoint was found
	checkpoint base
	hardState  *pb.HardState
	// first is the index of entries[0]; meaningless while there are none.
	first   uint64
	entries []slot
}

// NewReplay returns an empty replay.
func NewReplay() *Replay { return &Replay{hardState: &pb.HardState{}} }

// Empty reports whether there was nothing of the group in the log.
func (r *Replay) Empty() bool {
	return !r.found && len(r.entries) == 0 && proto.Equal(r.hardState, &pb.HardState{})
}

// Record takes one record. Entries are not kept in memory, only their places.
// It returns ErrFileCorrupt for a record that it cannot read or that does not
// follow from those before it.
func (r *Replay) Record(rec wal.Record, pos wal.Position) error {
	payload := rec.Payload
	switch rec.Kind {
	case recordEntry:
		return r.entry(rec.Index, payload, pos)
	case recordHardState:
		hs := &pb.HardState{}
		if err := proto.Unmarshal(payload, hs); err != nil {
			return wire.ErrFileCorrupt.Because(err)
		}
		r.hardState = hs
		return nil
	case recordCheckpoint:
		b, err := decodeCheckpoint(rec.Index, payload)
		if err != nil {
			return wire.ErrFileCorrupt.Because(err)
		}
		b.pos = pos
		r.checkpoint, r.found = b, true
		r.dropThrough(b.index)
		return nil
	}
	return wire.ErrFileCorrupt.With("log record of unknown kind %d; a newer version of Plinth may have written it", rec.Kind)
}

func (r *Replay) entry(index uint64, payload []byte, pos wal.Position) error {
	e, err := decodeEntry(index, payload)
	if err != nil {
		return wire.ErrFileCorrupt.Because(err)
	}
	if r.found && index <= r.checkpoint.index {
		return nil
	}
	if len(r.entries) == 0 {
		r.first = index
	}
	if index < r.first {
		// What stood before was replaced from here on.
		r.first, r.entries = index, r.entries[:0]
	}
	at := index - r.first
	if at > uint64(len(r.entries)) {
		return wire.ErrFileCorrupt.With("raft entry %d follows entry %d: what was between is missing; %s",
			index, r.first+uint64(len(r.entries))-1, remedy)
	}
	r.entries = append(r.entries[:at], slot{term: e.GetTerm(), pos: pos, bytes: entryBytes(e)})
	return nil
}

func (r *Replay) dropThrough(index uint64) {
	if len(r.entries) == 0 || index < r.first {
		return
	}
	n := min(index-r.first+1, uint64(len(r.entries)))
	r.entries = append([]slot(nil), r.entries[n:]...)
	r.first += n
}

// store makes the Raft log out of what was gathered.
func (r *Replay) store(log Log, cacheBytes int) (*Store, error) {
	if !r.found {
		return nil, wire.ErrFileCorrupt.Because(errNoCheckpoint)
	}
	if len(r.entries) > 0 && r.first != r.checkpoint.index+1 {
		return nil, wire.ErrFileCorrupt.With("raft entries begin at %d, but the checkpoint ends at %d: a file between is missing; %s",
			r.first, r.checkpoint.index, remedy)
	}
	s := newStore(r.checkpoint, log, cacheBytes)
	s.mu.slots = r.entries
	s.mu.evicted = len(r.entries)
	s.mu.hardState = r.hardState
	// The commit index is not written with every entry: what the checkpoint
	// covers was committed all the same.
	if hs := s.mu.hardState; hs.GetCommit() < r.checkpoint.index {
		hs.Commit = new(r.checkpoint.index)
	}
	hs := s.mu.hardState
	hs.Commit = new(min(hs.GetCommit(), s.lastLocked()))
	if hs.GetTerm() < r.checkpoint.term {
		hs.Term = new(r.checkpoint.term)
	}
	return s, nil
}
