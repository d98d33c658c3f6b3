package raftgroup

import (
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/plinthdb/plinth/internal/wal"
	"github.com/plinthdb/plinth/internal/wire"
)

// Inspection says what a record of a group holds, for those who look at a log
// without running it.
type Inspection struct {
	// Entry says that the record is an entry: Data is the state machine's,
	// empty for one of Raft's own. It replaces what stood at its index and
	// behind it.
	Entry bool
	// Checkpoint says that the record is a checkpoint: Data is the state
	// machine's snapshot, and the entries up to its index are not needed. A
	// record that is neither is Raft's own.
	Checkpoint bool
	Index      uint64
	// Data is shared with the record's payload.
	Data []byte
}

// Inspect reads one record of a group. It returns ErrFileCorrupt for one that
// the group could not read.
func Inspect(rec wal.Record) (Inspection, error) {
	in := Inspection{Index: rec.Index}
	switch rec.Kind {
	case recordEntry:
		e, err := decodeEntry(rec.Index, rec.Payload)
		if err != nil {
			return in, wire.ErrFileCorrupt.Because(err)
		}
		if e.GetType() != pb.EntryNormal {
			return in, wire.ErrFileCorrupt.With("raft entry %d changes the voters, which this version of Plinth cannot do", rec.Index)
		}
		in.Entry, in.Data = true, e.GetData()
	case recordHardState:
		if err := proto.Unmarshal(rec.Payload, &pb.HardState{}); err != nil {
			return in, wire.ErrFileCorrupt.Because(err)
		}
	case recordCheckpoint:
		b, err := decodeCheckpoint(rec.Index, rec.Payload)
		if err != nil {
			return in, wire.ErrFileCorrupt.Because(err)
		}
		in.Checkpoint, in.Data = true, b.snapshot
	default:
		return in, wire.ErrFileCorrupt.With("log record of unknown kind %d; a newer version of Plinth may have written it", rec.Kind)
	}
	return in, nil
}
