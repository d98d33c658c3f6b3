package raftgroup

import (
	"encoding/binary"
	"fmt"

	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// The kinds of records that a group writes. The numbers are on disk.
const (
	recordEntry      uint8 = 1 // term, type, data; the record's index is the entry's
	recordHardState  uint8 = 2 // a marshalled raftpb.HardState
	recordCheckpoint uint8 = 3 // term, length of ConfState, ConfState, snapshot; the record's index is the base's
)

// entryHeader returns what stands before an entry's data in its record.
func entryHeader(e *pb.Entry) []byte {
	return append(binary.AppendUvarint(make([]byte, 0, 11), e.GetTerm()), byte(e.GetType()))
}

// decodeEntry reads an entry's record; the data stays shared with payload.
func decodeEntry(index uint64, payload []byte) (*pb.Entry, error) {
	term, n := binary.Uvarint(payload)
	if n <= 0 || len(payload) == n {
		return nil, fmt.Errorf("raft entry %d: its record of %d bytes is cut short", index, len(payload))
	}
	typ := pb.EntryType(payload[n])
	if _, known := pb.EntryType_name[int32(typ)]; !known {
		return nil, fmt.Errorf("raft entry %d has unknown type %d", index, typ)
	}
	e := &pb.Entry{Term: new(term), Index: new(index), Type: typ.Enum()}
	if data := payload[n+1:]; len(data) > 0 {
		e.Data = data
	}
	return e, nil
}

func encodeCheckpoint(b base) ([]byte, error) {
	conf, err := proto.Marshal(b.conf)
	if err != nil {
		return nil, err
	}
	buf := binary.AppendUvarint(nil, b.term)
	buf = binary.AppendUvarint(buf, uint64(len(conf)))
	buf = append(buf, conf...)
	return append(buf, b.snapshot...), nil
}

func decodeCheckpoint(index uint64, payload []byte) (base, error) {
	bad := fmt.Errorf("raft checkpoint at %d: its record of %d bytes is malformed", index, len(payload))
	term, n := binary.Uvarint(payload)
	if n <= 0 {
		return base{}, bad
	}
	payload = payload[n:]
	size, n := binary.Uvarint(payload)
	if n <= 0 || size > uint64(len(payload)-n) {
		return base{}, bad
	}
	payload = payload[n:]
	b := base{index: index, term: term, conf: &pb.ConfState{}}
	if err := proto.Unmarshal(payload[:size], b.conf); err != nil {
		return base{}, fmt.Errorf("raft checkpoint at %d: %w", index, err)
	}
	b.snapshot = append([]byte(nil), payload[size:]...)
	return b, nil
}
