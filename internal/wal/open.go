package wal

import (
	"maps"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/fault"
)

// Open replays everything kept, through Options.Replay, and returns a log that
// is ready for appending. What was replayed is on disk when Open returns.
//
// It returns wire.ErrFileCorrupt, naming file and offset, if a record is damaged
// that had been synced, wire.ErrNewerFormat if a file was written by a newer
// Plinth, wire.ErrDiskFull or wire.ErrIO if the disk fails, and what
// Options.Replay returns. A failed Open has changed no record, and may be
// repeated.
func Open(opts Options) (*Log, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := makeDir(opts.FS, opts.Dir); err != nil {
		return nil, err
	}
	inv, err := takeInventory(opts.FS, opts.Dir)
	if err != nil {
		return nil, err
	}
	r, abandoned, err := opts.recover(inv)
	if err != nil {
		return nil, err
	}
	if n := len(r.segments); n > 0 {
		if err := secure(opts.FS, r.segments[n-1], r.synced); err != nil {
			return nil, err
		}
	}
	free, err := opts.reclaim(inv.free, r.segments, abandoned)
	if err != nil {
		return nil, err
	}
	l := newLog(opts, r, free, inv.highest+1)
	if err := l.start(); err != nil {
		return nil, err
	}
	if r.unnamed || fault.Point("wal.open.sealAnyway") {
		// The first record of the new segment seals what was recovered: from now
		// on damage there is found, although nothing was appended yet.
		if err := l.seal(); err != nil {
			// The failure is the one to tell; Close repeats it.
			_ = l.Close()
			return nil, err
		}
	}
	return l, nil
}

// newLog returns a log that goes on in segment next.
func newLog(opts Options, r recovered, free []freeFile, next uint64) *Log {
	l := &Log{opts: opts}
	l.work, l.room = sync.NewCond(&l.mu), sync.NewCond(&l.mu)
	l.house, l.ready = sync.NewCond(&l.mu), sync.NewCond(&l.mu)
	l.mu.queue = queue{segmentBytes: opts.SegmentBytes, segment: next, before: r.tail}
	l.mu.catalog = catalog{live: r.segments, free: free, wanted: next, syncedSeq: r.tail.prev}
	return l
}

// start makes the first segment ready, so that a full disk or a missing
// permission is told by Open, and starts the goroutines.
func (l *Log) start() error {
	l.mu.Lock()
	job := l.makeReadyLocked(l.mu.catalog.wanted)
	l.mu.Unlock()
	if err := job(); err != nil {
		return err
	}
	w := &writer{log: l}
	l.goroutines.Add(2)
	go w.run()
	go l.housekeep()
	return nil
}

// seal writes the link of a new segment.
func (l *Log) seal() error {
	l.mu.Lock()
	q := &l.mu.queue
	q.begin()
	l.mu.queuedBytes += q.pending.bytes
	l.mu.Unlock()
	return l.Sync()
}

// secure puts the last segment's records from the given offset on disk. They are
// written once more first: after a failed sync the kernel may hold pages that it takes for clean
// and that never reached the disk, and a sync alone would pass over them (L5). What
// is written is checked once more, so that a read that goes wrong here cannot
// spoil what was right when it was replayed.
func secure(fs vfs.FS, s *segment, from int64) (err error) {
	f, err := fs.OpenReadWrite(s.path, writeCategory)
	if err != nil {
		return ioError("open", s.path, err)
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = ioError("close", s.path, cerr)
		}
	}()
	tail := &scanner{path: s.path, seq: s.seq, file: f, size: s.written}
	for at := from; at < s.written; {
		h, _, problem, err := tail.record(at)
		if err != nil {
			return err
		}
		if problem != "" {
			return corrupt(s.path, at, problem)
		}
		b, err := tail.bytes(at, h.size())
		if err != nil {
			return err
		}
		if _, err := f.WriteAt(b, at); err != nil {
			return ioError("write", s.path, err)
		}
		at += h.size()
	}
	return ioError("sync", s.path, f.Sync())
}

// reclaim makes files that hold nothing ready to be written again, and removes
// those that are too many. A crash may undo half of a renaming: then a file is
// there under both names, and the segment is the one that counts.
func (o *Options) reclaim(free []freeFile, live []*segment, abandoned []found) ([]freeFile, error) {
	sizes := make(map[string]int64)
	for _, f := range free {
		sizes[f.path] = f.size
	}
	changed := false
	for _, f := range abandoned {
		path := o.FS.PathJoin(o.Dir, freeName(f.seq))
		if err := o.FS.Rename(f.path, path); err != nil {
			return nil, ioError("rename", f.path, err)
		}
		sizes[path] = f.size
		changed = true
	}
	surplus := make(map[string]bool)
	for _, s := range live {
		surplus[o.FS.PathJoin(o.Dir, freeName(s.seq))] = true
	}
	var kept []freeFile
	for _, path := range slices.Sorted(maps.Keys(sizes)) {
		if !surplus[path] && len(kept) < o.FreeSegments {
			kept = append(kept, freeFile{path: path, size: sizes[path]})
			continue
		}
		if err := o.FS.Remove(path); err != nil {
			return nil, ioError("remove", path, err)
		}
		changed = true
	}
	if !changed {
		return kept, nil
	}
	return kept, syncDir(o.FS, o.Dir)
}
