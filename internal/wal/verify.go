package wal

import (
	"fmt"
	"slices"
)

// Verified says what Verify looked at.
type Verified struct {
	// Segments is how many segments make up the log, or are there if it is
	// damaged; FileBytes is the length of their files, Bytes what their records
	// take if the log is intact.
	Segments         int
	Bytes, FileBytes int64
	// Records is how many records there are, without the log's own.
	Records int64
	// Oldest and Newest are the numbers of the first and the last segment, 0 if
	// there is none.
	Oldest, Newest uint64
	// FreeFiles is how many files hold nothing: dropped segments, and those that
	// never came to hold a record.
	FreeFiles int
}

// Verify reads the whole log and finds what Open would find, with the same
// errors and the same calls of Options.Replay, but changes nothing and needs no
// permission to write. The directory must exist. The caller makes sure that no
// process has it open.
//
// An error of Options.Replay is wrapped: what Verify returns names file and
// offset.
func Verify(opts Options) (Verified, error) {
	var v Verified
	opts, err := opts.withDefaults()
	if err != nil {
		return v, err
	}
	replay := opts.Replay
	opts.Replay = func(r Record, p Position) error {
		v.Records++
		if replay == nil {
			return nil
		}
		if err := replay(r, p); err != nil {
			return fmt.Errorf("write-ahead log, %s, offset %d: %w", opts.FS.PathJoin(opts.Dir, segmentName(p.Segment)), p.Offset, err)
		}
		return nil
	}
	inv, err := takeInventory(opts.FS, opts.Dir)
	if err != nil {
		return v, err
	}
	v.count(inv.segments)
	r, abandoned, err := opts.recover(inv)
	if err != nil {
		return v, err
	}
	v.FreeFiles = len(inv.free) + len(abandoned)
	live := slices.DeleteFunc(inv.segments, func(f found) bool {
		return !slices.ContainsFunc(r.segments, func(s *segment) bool { return s.seq == f.seq })
	})
	v.count(live)
	for _, s := range r.segments {
		v.Bytes += s.written
	}
	return v, nil
}

// count notes the files of segments.
func (v *Verified) count(segments []found) {
	v.Segments, v.FileBytes, v.Oldest, v.Newest = len(segments), 0, 0, 0
	for _, f := range segments {
		v.FileBytes += f.size
	}
	if n := len(segments); n > 0 {
		v.Oldest, v.Newest = segments[0].seq, segments[n-1].seq
	}
}
