package wal

import (
	"math/rand/v2"

	"github.com/plinthdb/plinth/internal/fault"
)

// Record is what the log stores: an opaque payload under a small header.
type Record struct {
	// Group is the Raft group that the record belongs to.
	Group uint32
	// Kind is the caller's own: the log only keeps it.
	Kind uint8
	// Index is the caller's own, the Raft index say: the log only keeps it.
	Index uint64
	// Payload is the content, or its beginning when Rest is given.
	Payload []byte
	// Rest continues Payload, so that the caller need not join the parts. The
	// log copies the parts during Append. A record that is read back has none.
	Rest [][]byte
}

// payloadBytes returns the length of the whole payload.
func (r *Record) payloadBytes() int64 {
	n := int64(len(r.Payload))
	for _, part := range r.Rest {
		n += int64(len(part))
	}
	return n
}

// chunk is a run of encoded records that stand next to each other in a segment.
type chunk struct {
	segment uint64
	start   int64
	buf     []byte
}

// batch is what the writer takes at once: all that was queued while it wrote
// the batch before.
type batch struct {
	chunks []chunk
	// done is called, in this order, when everything up to here is on disk. A
	// batch without any is written but not synced.
	done []func(error)
	// sync asks for a sync although nobody waits.
	sync  bool
	bytes int64
	// records counts the caller's records.
	records int
}

// queue lays records out in segments and gathers them for the writer. It is a
// pure core: no I/O, no lock.
type queue struct {
	segmentBytes int64
	// segment is where the next record goes, unless it is full; tail is the
	// offset behind the last record laid out there, 0 before its first.
	segment uint64
	tail    int64
	// before is what the first record of segment will say.
	before link

	pending batch
	// spare is the memory of chunks that were written, to be used again.
	spare [][]byte
}

// The memory that is kept for the next batches: two buffers alternate while the
// writer is busy, a third covers a batch that spans two segments.
const (
	spareBuffers    = 3
	spareLimitBytes = 4 << 20
)

// empty reports whether nothing waits for the writer.
func (q *queue) empty() bool {
	return len(q.pending.chunks) == 0 && len(q.pending.done) == 0 && !q.pending.sync
}

// take returns what was gathered and begins anew.
func (q *queue) take() batch {
	b := q.pending
	q.pending = batch{}
	return b
}

// release gives the memory of a batch back once it is written.
func (q *queue) release(b batch) {
	for _, c := range b.chunks {
		if len(q.spare) < spareBuffers && cap(c.buf) <= spareLimitBytes {
			q.spare = append(q.spare, c.buf[:0])
		}
	}
}

// add lays out a record behind all others.
func (q *queue) add(r *Record) Position {
	size := recordBytes(r.payloadBytes())
	// A mark may still follow the last record of a segment. A record that is
	// larger than a segment gets one of its own.
	if q.tail > firstRecordOffset && (q.tail+size+markBytes > q.segmentBytes || rollsEarly()) {
		q.before = link{prev: q.segment, end: q.tail}
		q.segment++
		q.tail = 0
	}
	q.begin()
	q.pending.records++
	return q.put(header{typ: typeData, kind: r.Kind, group: r.Group, index: r.Index}, r.Payload, r.Rest)
}

// rollsEarly lets a fault site end segments early, not too often: each costs a
// file.
func rollsEarly() bool { return fault.Point("wal.segment.rollEarly") && rand.IntN(10) == 0 }

// begin makes sure that the segment has its link.
func (q *queue) begin() {
	if q.tail == 0 {
		q.tail = segmentHeaderBytes
		q.put(header{typ: typeLink}, q.before.payload(), nil)
	}
}

// mark lays out a mark. The segment must have begun.
func (q *queue) mark() { q.put(header{typ: typeMark}, nil, nil) }

// lastMarks lays out a mark that fills the file-system block, and another in a
// block of its own: the loss of any one block leaves a witness of the rest.
func (q *queue) lastMarks() {
	used := (q.tail + recordHeaderBytes) % segmentHeaderBytes
	q.put(header{typ: typeMark}, make([]byte, (segmentHeaderBytes-used)%segmentHeaderBytes), nil)
	q.mark()
}

func (q *queue) put(h header, payload []byte, rest [][]byte) Position {
	h.segment = q.segment
	c := q.chunk()
	before := len(c.buf)
	c.buf = appendRecord(c.buf, h, payload, rest)
	size := int64(len(c.buf) - before)
	p := Position{Segment: q.segment, Offset: uint32(q.tail), PayloadBytes: uint32(len(payload))}
	for _, part := range rest {
		p.PayloadBytes += uint32(len(part))
	}
	q.tail += size
	q.pending.bytes += size
	return p
}

// chunk returns the chunk that ends at the tail, a new one if need be.
func (q *queue) chunk() *chunk {
	if n := len(q.pending.chunks); n > 0 && q.pending.chunks[n-1].segment == q.segment {
		return &q.pending.chunks[n-1]
	}
	c := chunk{segment: q.segment, start: q.tail}
	if n := len(q.spare); n > 0 {
		c.buf = q.spare[n-1]
		q.spare = q.spare[:n-1]
	}
	q.pending.chunks = append(q.pending.chunks, c)
	return &q.pending.chunks[len(q.pending.chunks)-1]
}
