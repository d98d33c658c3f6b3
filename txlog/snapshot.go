package txlog

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/plinthdb/plinth/internal/wire"
)

// snapshotFormat is the first byte of an encoded snapshot.
const snapshotFormat = 1

// encodeSnapshot returns the state at the place where the log was cut: format,
// the state's five numbers, the number of tags, and a pair per tag in order.
func encodeSnapshot(s state, popped map[wire.Tag]wire.Version) []byte {
	buf := []byte{snapshotFormat}
	for _, v := range []uint64{uint64(s.locked), uint64(s.begun), uint64(s.end), uint64(s.recovery), uint64(s.knownCommitted), uint64(len(popped))} {
		buf = binary.AppendUvarint(buf, v)
	}
	for _, tag := range slices.Sorted(maps.Keys(popped)) {
		buf = binary.AppendUvarint(buf, uint64(tag))
		buf = binary.AppendUvarint(buf, uint64(popped[tag]))
	}
	return buf
}

func decodeSnapshot(buf []byte) (state, map[wire.Tag]wire.Version, error) {
	if len(buf) == 0 {
		return state{}, nil, fmt.Errorf("log snapshot is empty")
	}
	if buf[0] != snapshotFormat {
		return state{}, nil, fmt.Errorf("log snapshot has format %d, this version of Plinth reads format %d", buf[0], snapshotFormat)
	}
	r := varintReader{rest: buf[1:]}
	var s state
	s.locked, s.begun = wire.Generation(r.next()), wire.Generation(r.next())
	s.end, s.recovery, s.knownCommitted = wire.Version(r.next()), wire.Version(r.next()), wire.Version(r.next())
	popped := make(map[wire.Tag]wire.Version)
	count := r.next()
	for i := uint64(0); i < count && !r.failed; i++ {
		tag := r.next()
		r.failed = r.failed || tag > uint64(^wire.Tag(0))
		popped[wire.Tag(tag)] = wire.Version(r.next())
	}
	if r.failed || len(r.rest) != 0 || uint64(len(popped)) != count {
		return state{}, nil, fmt.Errorf("log snapshot is malformed")
	}
	return s, popped, nil
}
