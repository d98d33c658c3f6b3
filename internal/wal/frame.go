package wal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// The sizes of the format, in bytes. doc.go has the picture.
const (
	segmentHeaderBytes = 4096 // one file-system block, so that no later write touches it
	recordHeaderBytes  = 40
	recordAlign        = 8
	linkPayloadBytes   = 16
	linkBytes          = recordHeaderBytes + linkPayloadBytes
	markBytes          = recordHeaderBytes
	firstRecordOffset  = segmentHeaderBytes + linkBytes
)

// formatVersion is the newest segment format that this code reads and the one
// it writes.
const formatVersion = 1

const (
	segmentMagic = "PLNTHWAL"
	recordMagic0 = 'P'
	recordMagic1 = 0xa7
)

// recordType tells the caller's records from the log's own.
type recordType uint8

const (
	// typeData is a record of the caller.
	typeData recordType = 1
	// typeMark has no payload: it is there for the synced offset that it names.
	typeMark recordType = 2
	// typeLink is the first record of each segment; see link.
	typeLink recordType = 3
)

// castagnoli is the CRC32C table; it is never written.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header is the fixed part of a record.
type header struct {
	typ   recordType
	kind  uint8
	group uint32
	index uint64
	// segment is the sequence number of the segment that the record was written
	// to: what is left of a file's former life has another one.
	segment uint64
	// syncedOffset says that everything before it, in this segment, was on disk
	// when the record was written.
	syncedOffset uint32
	// payloadBytes does not count the padding.
	payloadBytes uint32
	// payloadSum is the CRC32C of the payload and its padding.
	payloadSum uint32
}

// size returns the number of bytes that the record takes in its segment.
func (h *header) size() int64 { return recordBytes(int64(h.payloadBytes)) }

// recordBytes returns the bytes that a record with such a payload takes.
func recordBytes(payloadBytes int64) int64 {
	return recordHeaderBytes + (payloadBytes+recordAlign-1)&^(recordAlign-1)
}

// put writes the header into b, all but the two fields that only the writer
// knows: see stamp.
func (h *header) put(b []byte) {
	b[0], b[1], b[2], b[3] = recordMagic0, recordMagic1, byte(h.typ), h.kind
	binary.LittleEndian.PutUint64(b[8:], h.segment)
	binary.LittleEndian.PutUint32(b[20:], h.payloadBytes)
	binary.LittleEndian.PutUint32(b[24:], h.payloadSum)
	binary.LittleEndian.PutUint32(b[28:], h.group)
	binary.LittleEndian.PutUint64(b[32:], h.index)
}

// headerSum is the checksum of the record header in b at the given offset of
// its segment. The offset takes part, so that a copy of a record elsewhere in
// the file, inside some payload say, is not taken for a record.
func headerSum(b []byte, offset int64) uint32 {
	var at [8]byte
	binary.LittleEndian.PutUint64(at[:], uint64(offset))
	sum := crc32.Update(0, castagnoli, at[:])
	sum = crc32.Update(sum, castagnoli, b[:4])
	return crc32.Update(sum, castagnoli, b[8:recordHeaderBytes])
}

// stamp fills in the synced offset and the header checksums of the records in
// buf, which stands at offset start of its segment.
func stamp(buf []byte, start, syncedOffset int64) {
	for at := int64(0); at < int64(len(buf)); {
		b := buf[at:]
		binary.LittleEndian.PutUint32(b[16:], uint32(syncedOffset))
		binary.LittleEndian.PutUint32(b[4:], headerSum(b, start+at))
		at += recordBytes(int64(binary.LittleEndian.Uint32(b[20:])))
	}
}

// parseHeader reads a record header that stands at the given offset of segment
// seq. It returns false if there is none: the bytes are damaged, were never
// written, or belong to a former life of the file.
func parseHeader(b []byte, seq uint64, offset int64) (header, bool) {
	if len(b) < recordHeaderBytes || b[0] != recordMagic0 || b[1] != recordMagic1 {
		return header{}, false
	}
	if binary.LittleEndian.Uint64(b[8:]) != seq || binary.LittleEndian.Uint32(b[4:]) != headerSum(b, offset) {
		return header{}, false
	}
	return header{
		typ:          recordType(b[2]),
		kind:         b[3],
		segment:      seq,
		syncedOffset: binary.LittleEndian.Uint32(b[16:]),
		payloadBytes: binary.LittleEndian.Uint32(b[20:]),
		payloadSum:   binary.LittleEndian.Uint32(b[24:]),
		group:        binary.LittleEndian.Uint32(b[28:]),
		index:        binary.LittleEndian.Uint64(b[32:]),
	}, true
}

// payloadIntact reports whether padded, the payload with its padding, is what
// was written.
func (h *header) payloadIntact(padded []byte) bool {
	return crc32.Checksum(padded, castagnoli) == h.payloadSum
}

// appendRecord appends a record, still without what stamp fills in.
func appendRecord(buf []byte, h header, payload []byte, rest [][]byte) []byte {
	start := len(buf)
	buf = append(buf, make([]byte, recordHeaderBytes)...)
	buf = append(buf, payload...)
	for _, part := range rest {
		buf = append(buf, part...)
	}
	body := start + recordHeaderBytes
	h.payloadBytes = uint32(len(buf) - body)
	for (len(buf)-body)%recordAlign != 0 {
		buf = append(buf, 0)
	}
	h.payloadSum = crc32.Checksum(buf[body:], castagnoli)
	h.put(buf[start:])
	return buf
}

// link is the content of a segment's first record: the segment before it, and
// where that one ends. It seals the segment before it, since it is written only
// after everything in there was synced.
type link struct {
	// prev is 0 if there is no segment before.
	prev uint64
	// end is the offset behind the last record of prev.
	end int64
}

func (k link) payload() []byte {
	b := binary.LittleEndian.AppendUint64(nil, k.prev)
	return binary.LittleEndian.AppendUint64(b, uint64(k.end))
}

func parseLink(payload []byte) (link, bool) {
	if len(payload) != linkPayloadBytes {
		return link{}, false
	}
	k := link{
		prev: binary.LittleEndian.Uint64(payload),
		end:  int64(binary.LittleEndian.Uint64(payload[8:])),
	}
	return k, k.end >= 0
}

// segmentHeader returns the first block of segment seq.
func segmentHeader(seq uint64) []byte {
	b := make([]byte, segmentHeaderBytes)
	copy(b, segmentMagic)
	binary.LittleEndian.PutUint32(b[8:], formatVersion)
	binary.LittleEndian.PutUint32(b[12:], crc32.Checksum(b[:12], castagnoli))
	binary.LittleEndian.PutUint64(b[16:], seq)
	sum := crc32.Checksum(b[16:segmentHeaderBytes-4], castagnoli)
	binary.LittleEndian.PutUint32(b[segmentHeaderBytes-4:], sum)
	return b
}

// parseSegmentHeader reads a segment's first block. ok is false if it is not a
// whole header. Every format to come keeps the first 16 bytes, so that a newer
// version is told from damage: then newer is that version and ok is false.
func parseSegmentHeader(b []byte) (seq uint64, newer uint32, ok bool) {
	if len(b) < 16 || string(b[:8]) != segmentMagic ||
		binary.LittleEndian.Uint32(b[12:]) != crc32.Checksum(b[:12], castagnoli) {
		return 0, 0, false
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != formatVersion {
		return 0, v, false
	}
	if len(b) < segmentHeaderBytes {
		return 0, 0, false
	}
	sum := crc32.Checksum(b[16:segmentHeaderBytes-4], castagnoli)
	if binary.LittleEndian.Uint32(b[segmentHeaderBytes-4:]) != sum {
		return 0, 0, false
	}
	return binary.LittleEndian.Uint64(b[16:]), 0, true
}

// Position names a record: where it stands and how long it is. Positions
// compare in the order of the log. The zero Position names nothing.
type Position struct {
	// Segment is the sequence number of the segment, from 1.
	Segment uint64
	// Offset is where the record begins in its segment's file.
	Offset uint32
	// PayloadBytes is the length of the record's payload.
	PayloadBytes uint32
}

// Compare returns -1, 0 or +1 as p stands before, at or after q.
func (p Position) Compare(q Position) int {
	switch {
	case p.Segment < q.Segment, p.Segment == q.Segment && p.Offset < q.Offset:
		return -1
	case p == q, p.Segment == q.Segment && p.Offset == q.Offset:
		return 0
	}
	return +1
}

// end returns the offset behind the record.
func (p Position) end() int64 { return int64(p.Offset) + recordBytes(int64(p.PayloadBytes)) }

// String returns "segment 3 offset 4152".
func (p Position) String() string { return fmt.Sprintf("segment %d offset %d", p.Segment, p.Offset) }
