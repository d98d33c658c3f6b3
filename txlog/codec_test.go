package txlog

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/plinthdb/plinth/internal/wire"
)

func FuzzDecodeCommand(f *testing.F) {
	f.Add(command{kind: commandAppend, generation: 3, prev: 5, version: 9, knownCommitted: 4, body: []byte("body")}.encode())
	f.Add(command{kind: commandLock, generation: 1 << 60}.encode())
	f.Add(command{kind: commandBegin, generation: 2, prev: 7, version: 1 << 40}.encode())
	f.Add(command{kind: commandPop, tag: ^wire.Tag(0), version: 12}.encode())
	f.Add([]byte{})
	f.Add([]byte{9, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := decodeCommand(data)
		if err != nil {
			return
		}
		again, err := decodeCommand(c.encode())
		if err != nil || !sameCommand(c, again) {
			t.Fatalf("%+v encodes to what reads as %+v, %v", c, again, err)
		}
	})
}

func sameCommand(a, b command) bool {
	same := bytes.Equal(a.body, b.body)
	a.body, b.body = nil, nil
	return same && reflect.DeepEqual(a, b)
}

func FuzzDecodeSnapshot(f *testing.F) {
	f.Add(encodeSnapshot(state{}, nil))
	f.Add(encodeSnapshot(state{locked: 2, begun: 2, end: 1 << 50, recovery: 7, knownCommitted: 1 << 50}, map[wire.Tag]wire.Version{0: 3, 9: 1 << 40}))
	f.Add([]byte{snapshotFormat, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		s, popped, err := decodeSnapshot(data)
		if err != nil {
			return
		}
		s2, popped2, err := decodeSnapshot(encodeSnapshot(s, popped))
		if err != nil || s2 != s || !reflect.DeepEqual(popped, popped2) {
			t.Fatalf("snapshot %+v %v reads back as %+v %v, %v", s, popped, s2, popped2, err)
		}
	})
}

func TestSnapshotOfANewerFormatIsRefused(t *testing.T) {
	if _, _, err := decodeSnapshot([]byte{snapshotFormat + 1, 0, 0, 0, 0, 0, 0}); err == nil {
		t.Error("a snapshot of an unknown format was read")
	}
}
