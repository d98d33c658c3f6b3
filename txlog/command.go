package txlog

import (
	"encoding/binary"
	"fmt"

	"github.com/plinthdb/plinth/internal/wire"
)

// commandKind says what a log entry does. The numbers are on disk.
type commandKind uint8

const (
	commandAppend commandKind = 1
	commandLock   commandKind = 2
	commandBegin  commandKind = 3
	commandPop    commandKind = 4
)

// command is one entry of the replicated log, decoded. Which fields count
// depends on the kind.
type command struct {
	kind commandKind
	// generation is that of the author (append), or the new one (lock, begin).
	generation wire.Generation
	// prev, version and knownCommitted belong to an append. A pop's version is
	// the one popped up to; a begin's are its recovery version (prev) and its F
	// (version).
	prev, version, knownCommitted wire.Version
	tag                           wire.Tag
	// body is an append's runs, shared with the entry.
	body []byte
}

// encode returns the entry's bytes: the kind, then varints, then the body.
func (c command) encode() []byte {
	buf := make([]byte, 0, 48+len(c.body))
	buf = append(buf, byte(c.kind))
	buf = binary.AppendUvarint(buf, uint64(c.generation))
	buf = binary.AppendUvarint(buf, uint64(c.prev))
	buf = binary.AppendUvarint(buf, uint64(c.version))
	buf = binary.AppendUvarint(buf, uint64(c.knownCommitted))
	buf = binary.AppendUvarint(buf, uint64(c.tag))
	return append(buf, c.body...)
}

// decodeCommand reads what encode wrote; the body stays shared with data.
func decodeCommand(data []byte) (command, error) {
	if len(data) == 0 {
		return command{}, fmt.Errorf("log entry is empty")
	}
	c := command{kind: commandKind(data[0])}
	if c.kind < commandAppend || c.kind > commandPop {
		return command{}, fmt.Errorf("log entry has unknown kind %d", data[0])
	}
	r := varintReader{rest: data[1:]}
	c.generation = wire.Generation(r.next())
	c.prev = wire.Version(r.next())
	c.version = wire.Version(r.next())
	c.knownCommitted = wire.Version(r.next())
	tag := r.next()
	if r.failed || tag > uint64(^wire.Tag(0)) || c.prev < 0 || c.version < 0 || c.knownCommitted < 0 {
		return command{}, fmt.Errorf("log entry of kind %d is malformed", c.kind)
	}
	c.tag = wire.Tag(tag)
	c.body = r.rest
	if c.kind != commandAppend && len(c.body) != 0 {
		return command{}, fmt.Errorf("log entry of kind %d has %d bytes too many", c.kind, len(c.body))
	}
	return c, nil
}

// varintReader reads unsigned varints; after a bad one it only gives zeros.
type varintReader struct {
	rest   []byte
	failed bool
}

func (r *varintReader) next() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || r.failed {
		r.failed = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}
