package wire

import (
	"encoding/binary"
	"fmt"
)

// AppendRequest is one batch on its way into a log group.
type AppendRequest struct {
	// Generation is the generation of the proxy; a group that is locked for
	// another one refuses.
	Generation Generation
	// Prev is the version before Version: a group takes batches in this order.
	Prev, Version Version
	// KnownCommitted is the proxy's view of the KCV, a hint.
	KnownCommitted Version
	// Body holds the mutations with their tags, see AppendRun.
	Body []byte
}

// AppendRun appends a run to the body of a batch: a mutation list and the tags
// of all the storage servers that get it. Runs are in the order of the batch;
// a mutation stands in exactly one.
//
// Encoding: varint number of tags, varint tags, varint bytes of list, list.
func AppendRun(body []byte, tags []Tag, list []byte) []byte {
	return append(AppendRunHeader(body, tags, len(list)), list...)
}

// AppendRunHeader begins a run: the caller appends listBytes bytes of mutation
// lists right after it.
func AppendRunHeader(body []byte, tags []Tag, listBytes int) []byte {
	body = binary.AppendUvarint(body, uint64(len(tags)))
	for _, t := range tags {
		body = binary.AppendUvarint(body, uint64(t))
	}
	return binary.AppendUvarint(body, uint64(listBytes))
}

// Runs reads the runs of a batch's body.
type Runs struct {
	rest []byte
	tags []Tag
}

// ReadRuns starts reading body.
func ReadRuns(body []byte) Runs { return Runs{rest: body} }

// Next returns the next run. tags is valid until the next call, list is a
// sub-slice of the body. At the end ok is false.
func (r *Runs) Next() (tags []Tag, list []byte, ok bool, err error) {
	if len(r.rest) == 0 {
		return nil, nil, false, nil
	}
	count, w := binary.Uvarint(r.rest)
	if w <= 0 || count > uint64(len(r.rest)) {
		return nil, nil, false, fmt.Errorf("batch body: bad number of tags")
	}
	b := r.rest[w:]
	r.tags = r.tags[:0]
	for range count {
		tag, w := binary.Uvarint(b)
		if w <= 0 || tag > uint64(^Tag(0)) {
			return nil, nil, false, fmt.Errorf("batch body: bad tag")
		}
		b = b[w:]
		r.tags = append(r.tags, Tag(tag))
	}
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) {
		return nil, nil, false, fmt.Errorf("batch body: bad run length")
	}
	b = b[w:]
	r.rest = b[n:]
	return r.tags, b[:n:n], true, nil
}

// PeekRequest asks a log group for what is addressed to Tag after version
// After. The answer waits until there is something new to say.
type PeekRequest struct {
	Tag   Tag
	After Version
	// LimitBytes ends a reply early; at least one version is returned if there
	// is one. 0 is the log's own limit.
	LimitBytes int
}

// PeekReply holds the versions that have mutations for the tag, oldest first.
type PeekReply struct {
	Versions []TaggedVersion
	// Through says that the reply is complete: the tag has nothing more at or
	// below this version. It is at least the last of Versions, never above the
	// known-committed version, and greater than the request's After.
	Through Version
}

// TaggedVersion is what one version holds for one tag.
type TaggedVersion struct {
	Version Version
	// Lists are mutation lists in the order of the batch.
	Lists [][]byte
}
