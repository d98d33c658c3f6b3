// Package wal is the write-ahead log of a process: one sequence of checksummed
// records in segment files, shared by all Raft groups of the process, so that
// many groups cost one fsync.
//
// # Use
//
//	log, err := wal.Open(wal.Options{FS: vfs.Default, Dir: dir, Replay: func(r wal.Record, p wal.Position) error {
//		// each record kept, oldest first; r.Payload is lent
//	}})
//	positions, err = log.Append(positions[:0], records, func(err error) {
//		// everything up to here is on disk
//	})
//	record, err := log.ReadAt(position, buf)
//	log.DropBefore(position) // whole segments only
//	err = log.Close()
//
// Append encodes the records into memory and returns. One goroutine, the writer,
// takes everything that was queued, writes it with one call a segment, syncs
// once, and then calls back those who wait, in order. What is appended while a
// sync is under way makes up the next batch; on an idle log a record is written
// and synced at once. No timer is involved. A second goroutine, the
// housekeeper, makes the next segment's file ready and frees dropped ones.
//
// The log knows nothing of Raft: a later record may supersede an earlier one,
// and it is for the reader of the replay to see that. Nor does it lock its
// directory; its owner does that for the whole data directory.
//
// # Format
//
// All numbers are little-endian, all checksums CRC32C.
//
//	000000000007.wal   segment 7
//	000000000003.free  a dropped segment's file, to be written again
//
//	segment   +--------+------+--------+--------+------+---   ---+-------------
//	          | header | link | record | record | mark |   ...   | never written
//	          +--------+------+--------+--------+------+---   ---+-------------
//	          0        4096   4152                               (zeros, or a former life)
//
//	header    0  "PLNTHWAL"                          link      a record whose payload is
//	          8  u32 format version                            0  u64 number of the segment before
//	         12  u32 checksum of bytes 0 to 11                 8  u64 offset where that one ends
//	         16  u64 number of the segment
//	       4092  u32 checksum of bytes 16 to 4091    mark      a record of the log's own
//
//	record    0  u8  'P'     16  u32 synced offset of this segment
//	          1  u8  0xa7    20  u32 length of the payload
//	          2  u8  type    24  u32 checksum of payload and padding
//	          3  u8  kind    28  u32 group
//	          4  u32 checksum of offset in the file, bytes 0 to 3 and 8 to 39
//	          8  u64 number  32  u64 index
//	             of the      40  payload, padded with zeros to a multiple of 8
//	             segment
//
// The synced offset says that everything before it, in this segment, was on
// disk when the record was written. A mark is there for nothing else: it is
// written, but not synced, when a sync is done and nothing waits to follow it.
// Close ends the log with a mark whose payload, zeros, fills the block, and
// another in a block of its own.
// The offset and the segment's number take part in the checksum: neither what a
// recycled file held before nor a copy of a record inside a payload is taken for
// a record.
//
// A segment is full at Options.SegmentBytes; a record never spans two. A new
// file is filled with zeros ahead of the records, a dropped one is written again
// under a new number: a sync over blocks that exist need not commit the file
// system's journal, which was measured to halve its time
// (docs/decisions/0003-write-ahead-log.md).
//
// # Invariants
//
//	L1  Records are written in the order of Append, without a gap, by one
//	    goroutine. After Open a log goes on in a new segment with a number
//	    greater than that of any file there: what a cut tail left behind is never
//	    written over and never read again. No number is used twice for records.
//	L2  At Open, damage is a place where no intact record stands. In a segment
//	    that a link seals any damage before the sealed end is an error. In the
//	    last segment it is an error if the header of any record behind it names a
//	    synced offset greater than the place; otherwise it is the torn end of the
//	    log, and the log ends there. Nothing is ever truncated or overwritten. A
//	    place is damaged only if two reads find it so.
//	L3  A link is written only after the segment that it names was synced as a
//	    whole, and a link is the first record of its segment.
//	L4  A segment takes records only after its header and its name are on disk.
//	    The file of a dropped segment has lost its name, on disk, before its
//	    content changes.
//	L5  A sync that failed is not repeated; nor is anything acknowledged after
//	    it. What Open replays it has written once more and synced before it
//	    returns, so that the caller may treat it as durable.
//	L6  Segments are freed oldest first, each on disk before the next, and never
//	    the newest one of which a record is on disk, nor one behind it.
//	L7  Done callbacks run one at a time in the order of Append; each exactly
//	    once.
//
// # What can be found out and what cannot
//
// Every record that anything later names as synced is protected: damage to it is
// an error. What nothing names yet are the records of the last sync, and they
// look the same whether a crash tore them before the sync was done, or the
// medium lost them afterwards. The window is kept small: the next batch names
// them; so does the mark that follows at once when no batch does, which reaches
// the disk with the operating system's own write-back, and survives a killed
// process; Close syncs its marks, so that the loss of any one block of a closed
// log is found; and Open seals what it recovered. What remains
// is this: power fails within seconds of the last sync, before the mark was
// written back, and the medium also loses blocks that it had reported as
// written. Then the records of that last sync end the log silently. Raft
// replicas on other machines are the remedy, as for the loss of a whole disk.
//
// Also out of sight of the log: the removal of whole files at either end of it,
// or the truncation of the last one (a file missing in between is found), and a
// disk that lies about syncs consistently.
//
// Blocks that hold synced records are written again when records follow in the
// same block, with the same bytes for the old ones. The log relies on a disk that
// loses power leaving each sector old or new, as most stores do.
package wal
