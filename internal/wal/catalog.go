package wal

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// The names of a log's files. A dropped segment keeps its number until it is
// written again under a new one.
const (
	segmentSuffix = ".wal"
	freeSuffix    = ".free"
)

func segmentName(seq uint64) string { return fmt.Sprintf("%012d%s", seq, segmentSuffix) }
func freeName(seq uint64) string    { return fmt.Sprintf("%012d%s", seq, freeSuffix) }

// parseName returns the sequence number of a file of the given suffix.
func parseName(name, suffix string) (seq uint64, ok bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	if !ok {
		return 0, false
	}
	seq, err := strconv.ParseUint(digits, 10, 64)
	return seq, err == nil && seq > 0
}

// segment is a segment that holds records.
type segment struct {
	seq  uint64
	path string
	// written is the offset behind its last record, size the length of the file.
	written, size int64
	reader        reader
}

// freeFile is a file to be written again.
type freeFile struct {
	path string
	size int64
}

// freshSegment is a file that is ready to take the records of a segment: its
// header and its directory entry are on disk.
type freshSegment struct {
	seq  uint64
	path string
	file vfs.File
	size int64
}

// catalog knows the files of the log. The log's lock guards it.
type catalog struct {
	// live are the segments with records, by rising number.
	live []*segment
	// dropped are to be freed by the housekeeper, oldest first.
	dropped []*segment
	free    []freeFile
	// fresh is the next segment, if it is ready. wanted is the number of the one
	// to make ready, made that of the last one that was.
	fresh        *freshSegment
	wanted, made uint64
	// dropSeq is the lowest number that the caller needs, syncedSeq the newest
	// segment of which any record is on disk.
	dropSeq, syncedSeq uint64
}

func (c *catalog) find(seq uint64) *segment {
	i, ok := slices.BinarySearchFunc(c.live, seq, func(s *segment, seq uint64) int {
		switch {
		case s.seq < seq:
			return -1
		case s.seq > seq:
			return 1
		}
		return 0
	})
	if !ok {
		return nil
	}
	return c.live[i]
}

// giveUp gives up the segments that are not needed, but never the newest one
// that has records on disk (L6).
func (c *catalog) giveUp() {
	for len(c.live) > 0 && c.live[0].seq < min(c.dropSeq, c.syncedSeq) {
		c.dropped = append(c.dropped, c.live[0])
		c.live = slices.Delete(c.live, 0, 1)
	}
}

// reading reports whether a read is under way.
func (c *catalog) reading() bool {
	for _, s := range slices.Concat(c.live, c.dropped) {
		if s.reader.users > 0 {
			return true
		}
	}
	return false
}

// takeFiles returns all open files, to be closed.
func (c *catalog) takeFiles() []vfs.File {
	var files []vfs.File
	for _, s := range slices.Concat(c.live, c.dropped) {
		if s.reader.file != nil {
			files = append(files, s.reader.file)
			s.reader.file = nil
		}
	}
	if c.fresh != nil {
		files = append(files, c.fresh.file)
		c.fresh = nil
	}
	return files
}

// noteWritten says how far the segment being written has come. The next one is
// made ready when half of it is full.
func (l *Log) noteWritten(seq uint64, written, size int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &l.mu.catalog
	s := c.find(seq)
	s.written, s.size = written, size
	l.mu.stats.Writes++
	if written >= l.opts.SegmentBytes/2 {
		l.wantLocked(seq + 1)
	}
}

// noteSynced says that records of segment seq are on disk.
func (l *Log) noteSynced(seq uint64, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.mu.stats
	s.Syncs++
	s.SyncTime += took
	s.LongestSync = max(s.LongestSync, took)
	if c := &l.mu.catalog; c.syncedSeq < seq {
		c.syncedSeq = seq
		c.giveUp()
		l.house.Signal()
	}
}

// wantLocked asks the housekeeper for segment seq.
func (l *Log) wantLocked(seq uint64) {
	c := &l.mu.catalog
	if c.fresh == nil && c.wanted < seq {
		c.wanted = seq
		l.house.Signal()
	}
}

// takeFresh waits until segment seq is ready, and hands it over.
func (l *Log) takeFresh(seq uint64) (*freshSegment, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &l.mu.catalog
	for c.fresh == nil && l.mu.failure == nil {
		l.wantLocked(seq)
		l.ready.Wait()
	}
	if l.mu.failure != nil {
		return nil, l.mu.failure
	}
	fresh := c.fresh
	c.fresh = nil
	c.live = append(c.live, &segment{seq: seq, path: fresh.path, size: fresh.size})
	return fresh, nil
}
