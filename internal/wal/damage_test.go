package wal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/invariants"
	"github.com/plinthdb/plinth/internal/wire"
)

// replayOnly reads a log without changing it.
func replayOnly(fs vfs.FS) (kept []entry, err error) {
	o := collect(smallOptions(fs), &kept)
	inv, err := takeInventory(fs, testDir)
	if err == nil {
		_, _, err = o.recover(inv)
	}
	return kept, err
}

// recordStart returns where the record that covers an offset of a segment's
// file begins, 0 for the header, and false behind the last record.
func recordStart(file []byte, seq uint64, offset int64) (int64, bool) {
	if offset < segmentHeaderBytes {
		return 0, true
	}
	for at := int64(segmentHeaderBytes); at < int64(len(file)); {
		h, ok := parseHeader(file[at:], seq, at)
		if !ok {
			return 0, false
		}
		if offset < at+h.size() {
			return at, true
		}
		at += h.size()
	}
	return 0, false
}

// eachByte calls f with every byte of every segment of a memory file system. With
// the race detector, which makes it slow, it takes one byte of each 16.
func eachByte(t *testing.T, fs *vfs.MemFS, f func(path string, seq uint64, file []byte, at int64)) {
	t.Helper()
	for name := range filesOf(t, fs) {
		seq, ok := parseName(name, segmentSuffix)
		if !ok {
			continue
		}
		path := fs.PathJoin(testDir, name)
		file, err := fs.UnsafeGetFileDataBuffer(path)
		if err != nil {
			t.Fatal(err)
		}
		stride := int64(1)
		if invariants.Enabled {
			stride = 16
		}
		for at := int64(0); at < int64(len(file)); at += stride {
			f(path, seq, file, at)
		}
	}
}

// checkDamage reports an error unless the outcome of reading a log with damage
// in the record that begins at start is right: an error that names file and
// offset, or a cut that leaves at least the first synced records.
func checkDamage(kept []entry, err error, path string, start int64, synced, all int) error {
	if err != nil {
		if !errors.Is(err, wire.ErrFileCorrupt) || !strings.Contains(err.Error(), fmt.Sprintf("%s, offset %d:", path, start)) {
			return fmt.Errorf("the error does not name file and offset %d: %w", start, err)
		}
		return nil
	}
	if len(kept) < synced || len(kept) > all {
		return fmt.Errorf("%d records are left, %d of %d were synced", len(kept), synced, all)
	}
	return checkRun(kept, 0)
}

func TestAFlippedBitInAClosedLogIsFoundAtEveryByte(t *testing.T) {
	fs := vfs.NewMem()
	o := smallOptions(fs)
	o.GrowBytes = 512
	l, _ := reopen(t, o)
	appendRun(t, l, 0, 20)
	mustClose(t, l)
	l, _ = reopen(t, o)
	all := len(appendRun(t, l, 20, 35)) + 20
	mustClose(t, l)

	found, harmless := 0, 0
	eachByte(t, fs, func(path string, seq uint64, file []byte, at int64) {
		start, used := recordStart(file, seq, at)
		file[at] ^= 1 << (at % 8)
		kept, err := replayOnly(fs)
		file[at] ^= 1 << (at % 8)
		if err := checkDamage(kept, err, path, start, all, all); err != nil {
			t.Fatalf("%s, byte %d: %v", path, at, err)
		}
		switch {
		case err != nil:
			found++
		default:
			harmless++
		}
		if err != nil && !used {
			t.Fatalf("%s, byte %d behind the end: %v", path, at, err)
		}
	})
	t.Logf("%d flips found, %d did no harm", found, harmless)
	if !invariants.Enabled && found < 10000 {
		t.Error("too few flips were found")
	}
}

// tornLog returns a log whose last records were written and not synced, how many
// records were synced, and how many there are.
func tornLog(t *testing.T) (fs *vfs.MemFS, synced, all int) {
	t.Helper()
	var tail []Record
	for i := range uint64(10) {
		tail = append(tail, makeRecord(20+i))
	}
	return tornLogWith(t, tail), 20, 30
}

// tornLogWith returns a log with 20 records and an unsynced tail.
func tornLogWith(t *testing.T, tail []Record) *vfs.MemFS {
	t.Helper()
	disk := vfs.NewMem()
	stop := false
	f := &faultFS{FS: disk, hook: func(op operation) (int, error) {
		if stop && op.name == "sync" {
			return 0, errCrashed
		}
		return 0, nil
	}}
	o := smallOptions(f)
	o.Logger = discard()
	o.SegmentBytes = 64 << 10
	l, _ := reopen(t, o)
	appendRun(t, l, 0, 20)
	f.mu.Lock()
	stop = true
	f.mu.Unlock()
	if _, err := l.Append(nil, tail, nil); err != nil {
		t.Fatal(err)
	}
	if err := l.Sync(); !errors.Is(err, errCrashed) {
		t.Fatalf("Sync: %v", err)
	}
	if err := l.Close(); !errors.Is(err, errCrashed) {
		t.Fatalf("Close: %v", err)
	}
	return disk
}

// A payload may hold anything, the bytes of some log as well.
func TestARecordInsideAPayloadIsNotTakenForOne(t *testing.T) {
	inner := appendRecord(nil, header{typ: typeData, segment: 1}, []byte("inner"), nil)
	stamp(inner, 1<<20, 1<<20) // names a synced offset far behind the end
	tail := []Record{makeRecord(20), {Index: 21, Payload: slices.Concat(make([]byte, 8), inner, inner)}}
	fs := tornLogWith(t, tail)
	kept, err := replayOnly(fs)
	if err != nil || len(kept) != 22 {
		t.Fatalf("%d records kept of 22, %v", len(kept), err)
	}
	file, err := fs.UnsafeGetFileDataBuffer(fs.PathJoin(testDir, segmentName(1)))
	if err != nil {
		t.Fatal(err)
	}
	file[kept[20].position.Offset] ^= 1
	kept, err = replayOnly(fs)
	if err != nil || len(kept) != 20 {
		t.Fatalf("with a torn tail: %d records kept of 20, %v", len(kept), err)
	}
}

func TestAFlippedBitInTheUnsyncedTailCutsIt(t *testing.T) {
	fs, synced, all := tornLog(t)
	if kept, err := replayOnly(fs); err != nil || len(kept) != all {
		t.Fatalf("%d records kept of %d, %v", len(kept), all, err)
	}
	found, cut := 0, 0
	eachByte(t, fs, func(path string, seq uint64, file []byte, at int64) {
		start, _ := recordStart(file, seq, at)
		file[at] ^= 1 << (at % 8)
		kept, err := replayOnly(fs)
		file[at] ^= 1 << (at % 8)
		if err := checkDamage(kept, err, path, start, synced, all); err != nil {
			t.Fatalf("%s, byte %d: %v", path, at, err)
		}
		if err != nil {
			found++
		} else if len(kept) < all {
			cut++
		}
	})
	t.Logf("%d flips found, %d cut the tail", found, cut)
	if found < 500 || cut < 200 {
		t.Error("too few flips had an effect")
	}
}

func TestDamageToTheLastRecordOfAnIdleLogIsFound(t *testing.T) {
	disk := vfs.NewMem()
	marked := make(chan struct{}, 10)
	f := &faultFS{FS: disk, hook: func(op operation) (int, error) {
		if op.name == "write" && op.bytes == markBytes {
			marked <- struct{}{}
		}
		return 0, nil
	}}
	l, _ := reopen(t, smallOptions(f))
	defer mustClose(t, l)
	all := appendRun(t, l, 0, 5)
	<-marked
	if err := l.Sync(); err != nil { // behind the mark
		t.Fatal(err)
	}
	last := all[len(all)-1].position
	file, err := disk.UnsafeGetFileDataBuffer(disk.PathJoin(testDir, segmentName(last.Segment)))
	if err != nil {
		t.Fatal(err)
	}
	file[last.Offset+recordHeaderBytes] ^= 1
	defer func() { file[last.Offset+recordHeaderBytes] ^= 1 }()
	if _, err := replayOnly(disk); !errors.Is(err, wire.ErrFileCorrupt) {
		t.Fatalf("got %v", err)
	}
}

func TestALostBlockOfAClosedLogIsFound(t *testing.T) {
	fs := vfs.NewMem()
	l, _ := reopen(t, smallOptions(fs))
	all := len(appendRun(t, l, 0, 60))
	mustClose(t, l)
	for _, blockBytes := range []int64{512, 4096} {
		eachByte(t, fs, func(path string, seq uint64, file []byte, at int64) {
			if at%blockBytes != 0 {
				return
			}
			block := file[at:min(at+blockBytes, int64(len(file)))]
			saved := string(block)
			clear(block)
			kept, err := replayOnly(fs)
			copy(block, saved)
			if err == nil && len(kept) != all {
				t.Fatalf("%s, block at %d: %d records are left of %d", path, at, len(kept), all)
			}
			if err != nil && !errors.Is(err, wire.ErrFileCorrupt) {
				t.Fatalf("%s, block at %d: %v", path, at, err)
			}
		})
	}
}

func TestATruncatedSegmentIsFound(t *testing.T) {
	fs := vfs.NewMem()
	l, _ := reopen(t, smallOptions(fs))
	all := len(appendRun(t, l, 0, 100))
	mustClose(t, l)
	files := filesOf(t, fs)
	seqs := linkedSegments(files)
	if len(seqs) < 3 {
		t.Fatalf("only %d segments", len(seqs))
	}
	for _, seq := range seqs {
		name := segmentName(seq)
		whole := files[name]
		for size := 0; size < len(whole); size += 97 {
			files[name] = whole[:size]
			kept, err := replayOnly(fsOf(t, files))
			last := seq == seqs[len(seqs)-1]
			if err == nil && len(kept) != all && !last {
				t.Fatalf("%s cut to %d bytes: %d records are left of %d", name, size, len(kept), all)
			}
			if err != nil && !(errors.Is(err, wire.ErrFileCorrupt) && strings.Contains(err.Error(), name)) {
				t.Fatalf("%s cut to %d bytes: %v", name, size, err)
			}
		}
		files[name] = whole
	}
}

func TestAMissingSegmentIsFoundUnlessItIsAtAnEnd(t *testing.T) {
	fs := vfs.NewMem()
	l, _ := reopen(t, smallOptions(fs))
	appendRun(t, l, 0, 200)
	mustClose(t, l)
	files := filesOf(t, fs)
	oldest, newest := l.Stats().Oldest, l.Stats().Newest
	for seq := oldest + 1; seq < newest; seq++ {
		name := segmentName(seq)
		saved := files[name]
		delete(files, name)
		_, err := replayOnly(fsOf(t, files))
		if !errors.Is(err, wire.ErrFileCorrupt) || !strings.Contains(err.Error(), fmt.Sprint("number ", seq)) {
			t.Errorf("without %s: %v", name, err)
		}
		files[name] = saved
	}
}

func TestANewerFormatIsNamedWithBothVersions(t *testing.T) {
	fs := vfs.NewMem()
	l, _ := reopen(t, smallOptions(fs))
	appendRun(t, l, 0, 10)
	mustClose(t, l)
	files := filesOf(t, fs)
	name := segmentName(1)
	files[name] = newerHeader(files[name], formatVersion+6)
	_, err := Open(smallOptions(fsOf(t, files)))
	if !errors.Is(err, wire.ErrNewerFormat) || !strings.Contains(err.Error(), name) ||
		!strings.Contains(err.Error(), "version 7") || !strings.Contains(err.Error(), "up to 1") {
		t.Fatalf("got %v", err)
	}
}

func TestOpenChangesNothingWhenTheLogIsDamaged(t *testing.T) {
	fs := vfs.NewMem()
	l, _ := reopen(t, smallOptions(fs))
	appendRun(t, l, 0, 100)
	mustClose(t, l)
	files := filesOf(t, fs)
	files[segmentName(1)][segmentHeaderBytes+200] ^= 4
	damaged := fsOf(t, files)
	if _, err := Open(smallOptions(damaged)); !errors.Is(err, wire.ErrFileCorrupt) {
		t.Fatalf("got %v", err)
	}
	after := filesOf(t, damaged)
	if len(after) != len(files) {
		t.Errorf("%d files became %d", len(files), len(after))
	}
	for name, b := range files {
		if string(after[name]) != string(b) {
			t.Errorf("%s was changed", name)
		}
	}
}

func TestReadAtFindsDamage(t *testing.T) {
	fs := vfs.NewMem()
	l, _ := reopen(t, smallOptions(fs))
	defer mustClose(t, l)
	e := appendRun(t, l, 0, 5)[3]
	path := fs.PathJoin(testDir, segmentName(e.position.Segment))
	file, err := fs.UnsafeGetFileDataBuffer(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := int64(e.position.Offset); at < e.position.end(); at++ {
		file[at] ^= 0x10
		_, err := l.ReadAt(e.position, nil)
		file[at] ^= 0x10
		if !errors.Is(err, wire.ErrFileCorrupt) || !strings.Contains(err.Error(), fmt.Sprintf("%s, offset %d:", path, e.position.Offset)) {
			t.Fatalf("byte %d: %v", at, err)
		}
	}
}
