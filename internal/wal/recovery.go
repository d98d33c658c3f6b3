package wal

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/wire"
)

// found is a segment file as Open finds it.
type found struct {
	seq  uint64
	path string
	size int64
	// sound says that its first block is whole, linked that its link is too.
	sound, linked bool
	link          link
}

// inventory is what Open finds in the directory.
type inventory struct {
	segments []found // by rising number
	free     []freeFile
	// highest is the highest number that any file bears.
	highest uint64
}

// takeInventory looks at all files of the log without changing any.
func takeInventory(fs vfs.FS, dir string) (inventory, error) {
	var inv inventory
	names, err := fs.List(dir)
	if err != nil {
		return inv, ioError("list directory", dir, err)
	}
	for _, name := range names {
		path := fs.PathJoin(dir, name)
		if seq, ok := parseName(name, freeSuffix); ok {
			info, err := fs.Stat(path)
			if err != nil {
				return inv, ioError("read the size of", path, err)
			}
			inv.free = append(inv.free, freeFile{path: path, size: info.Size()})
			inv.highest = max(inv.highest, seq)
			continue
		}
		seq, ok := parseName(name, segmentSuffix)
		if !ok {
			continue
		}
		f, err := inspect(fs, path, seq)
		if err != nil {
			return inv, err
		}
		inv.segments = append(inv.segments, f)
		inv.highest = max(inv.highest, seq)
	}
	slices.SortFunc(inv.segments, func(a, b found) int { return cmp.Compare(a.seq, b.seq) })
	slices.SortFunc(inv.free, func(a, b freeFile) int { return cmp.Compare(a.path, b.path) })
	return inv, nil
}

// inspect reads how a segment begins.
func inspect(fs vfs.FS, path string, seq uint64) (f found, err error) {
	s, file, err := openScanner(fs, path, seq)
	if err != nil {
		return f, err
	}
	defer func() {
		if cerr := file.Close(); err == nil {
			err = ioError("close", path, cerr)
		}
	}()
	f = found{seq: seq, path: path, size: s.size}
	named, newer, ok, err := s.readSegmentHeader()
	if err != nil {
		return f, err
	}
	if newer != 0 {
		return f, wire.ErrNewerFormat.With(
			"%s has format version %d, this version of Plinth reads up to %d: use a newer Plinth", path, newer, formatVersion)
	}
	f.sound = ok && named == seq
	if f.sound {
		f.link, f.linked, err = s.readLink()
	}
	return f, err
}

// chain returns the segments that make up the log, oldest first, and those that
// never came to hold a record that counts. It follows the links from the newest
// segment down: what a link passes over was given up before it was written.
func (inv *inventory) chain() (live, abandoned []found, err error) {
	next := len(inv.segments) - 1
	for ; next >= 0 && !inv.segments[next].linked; next-- {
		abandoned = append(abandoned, inv.segments[next])
	}
	for next >= 0 {
		f := inv.segments[next]
		if err := f.checkBegin(); err != nil {
			return nil, nil, err
		}
		live = append(live, f)
		for next--; next >= 0 && inv.segments[next].seq > f.link.prev; next-- {
			abandoned = append(abandoned, inv.segments[next])
		}
		if next < 0 || inv.segments[next].seq != f.link.prev {
			break
		}
	}
	// Below the oldest segment there is nothing: files are freed oldest first.
	for ; next >= 0; next-- {
		if f := inv.segments[next]; f.linked {
			last := live[len(live)-1]
			return nil, nil, corrupt(last.path, segmentHeaderBytes, fmt.Sprintf(
				"the segment before it, number %d, is missing although %s exists", last.link.prev, f.path))
		}
		abandoned = append(abandoned, inv.segments[next])
	}
	slices.Reverse(live)
	return live, abandoned, nil
}

// checkBegin reports damage at the beginning of a segment that the log needs.
func (f *found) checkBegin() error {
	switch {
	case !f.sound:
		return corrupt(f.path, 0, "the segment's header does not match its checksum")
	case !f.linked:
		return corrupt(f.path, segmentHeaderBytes, "the segment's first record does not match its checksum")
	}
	return nil
}

// recovered is a log's tail after replay.
type recovered struct {
	segments []*segment
	// tail says where the last segment ends, synced up to where it was known to
	// be on disk.
	tail   link
	synced int64
	// unnamed says that no record names the newest ones as synced.
	unnamed bool
}

// recover replays the log, and changes nothing.
func (o *Options) recover(inv inventory) (r recovered, abandoned []found, err error) {
	live, abandoned, err := inv.chain()
	if err != nil {
		return r, nil, err
	}
	newest := uint64(0)
	if len(live) > 0 {
		newest = live[len(live)-1].seq
	}
	for _, f := range abandoned {
		if f.seq < newest {
			continue // it was looked at before the newest segment passed it over
		}
		if err := o.checkAbandoned(f); err != nil {
			return r, nil, err
		}
	}
	for i, f := range live {
		end := int64(0)
		if i+1 < len(live) {
			end = live[i+1].link.end
		}
		got, err := o.replay(f, end)
		if err != nil {
			return r, nil, err
		}
		r.segments = append(r.segments, &segment{seq: f.seq, path: f.path, written: got.end, size: f.size})
		r.tail = link{prev: f.seq, end: got.end}
		r.synced, r.unnamed = got.synced, got.unnamed
	}
	return r, abandoned, nil
}

// checkAbandoned makes sure that a segment without header or link never held a
// synced record.
func (o *Options) checkAbandoned(f found) (err error) {
	s, file, err := openScanner(o.FS, f.path, f.seq)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := file.Close(); err == nil {
			err = ioError("close", f.path, cerr)
		}
	}()
	damage := int64(0)
	if f.sound {
		damage = segmentHeaderBytes
	}
	proven, err := s.provenSynced(damage)
	if err != nil || !proven {
		return err
	}
	return f.checkBegin()
}

// replayed is what the replay of a segment found.
type replayed struct {
	// end is the offset behind the last whole record, synced the highest one that
	// a record names as synced.
	end, synced int64
	// unnamed says that there are records that none names as synced.
	unnamed bool
}

// replay hands the records of a segment to the caller. end is where the next
// segment's link says that this one ends, 0 if this is the last one.
func (o *Options) replay(f found, end int64) (r replayed, err error) {
	s, file, err := openScanner(o.FS, f.path, f.seq)
	if err != nil {
		return r, err
	}
	defer func() {
		if cerr := file.Close(); err == nil {
			err = ioError("close", f.path, cerr)
		}
	}()
	synced, lastData := int64(segmentHeaderBytes), int64(0)
	at := int64(segmentHeaderBytes)
	for at != end {
		h, payload, problem, err := s.record(at)
		if err != nil {
			return r, err
		}
		if problem == "" && end != 0 && at+h.size() > end {
			problem = "a record passes the end of its segment"
		}
		if problem != "" {
			if err := s.endsAt(at, end, problem); err != nil {
				return r, err
			}
			break
		}
		synced = max(synced, int64(h.syncedOffset))
		if h.typ == typeData {
			lastData = at
			p := Position{Segment: f.seq, Offset: uint32(at), PayloadBytes: h.payloadBytes}
			if err := o.deliver(h, payload, p); err != nil {
				return r, err
			}
		}
		at += h.size()
	}
	return replayed{end: at, synced: synced, unnamed: lastData >= synced}, nil
}

// endsAt decides whether the log may end at the given offset, where there is no
// record for the reason given. It may if this is the last segment and nothing
// behind says that the place had been synced (L2).
func (s *scanner) endsAt(at, end int64, problem string) error {
	if end != 0 {
		return corrupt(s.path, at, problem)
	}
	proven, err := s.provenSynced(at)
	if err != nil || !proven {
		return err
	}
	return corrupt(s.path, at, problem)
}

// deliver hands one record to the caller.
func (o *Options) deliver(h header, payload []byte, p Position) error {
	if o.Replay == nil {
		return nil
	}
	return o.Replay(Record{Group: h.group, Kind: h.kind, Index: h.index, Payload: payload}, p)
}
