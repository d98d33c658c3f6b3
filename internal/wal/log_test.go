package wal

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/wire"
)

func TestRecordsAreReplayedInOrderAfterReopening(t *testing.T) {
	for name, fs := range map[string]vfs.FS{"memory": vfs.NewMem(), "crashable": vfs.NewCrashableMem(), "disk": vfs.Default} {
		t.Run(name, func(t *testing.T) {
			o := smallOptions(fs)
			if name == "disk" {
				o.Dir = t.TempDir() + "/new/wal"
			}
			var all []entry
			for round := range uint64(4) {
				l, kept := reopen(t, o)
				sameEntries(t, kept, all)
				all = append(all, appendRun(t, l, round*100, round*100+100)...)
				mustClose(t, l)
			}
			if err := checkRun(all, 0); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestReadAtReturnsEveryRecordSinceTheOldestSegment(t *testing.T) {
	o := smallOptions(vfs.NewMem())
	l, _ := reopen(t, o)
	all := appendRun(t, l, 0, 300)
	mustClose(t, l)
	l, _ = reopen(t, o)
	defer mustClose(t, l)
	all = append(all, appendRun(t, l, 300, 400)...)
	var buf []byte
	for _, e := range all {
		r, err := l.ReadAt(e.position, buf)
		if err != nil || !sameRecord(r, e.record) {
			t.Fatalf("ReadAt(%v) = %v, %v", e.position, r.Index, err)
		}
		buf = r.Payload
	}
}

func TestReadAtRefusesPositionsThatAreNotInTheLog(t *testing.T) {
	l, _ := reopen(t, smallOptions(vfs.NewMem()))
	defer mustClose(t, l)
	all := appendRun(t, l, 0, 400)
	last := all[len(all)-1].position
	l.DropBefore(last)
	for _, p := range []Position{{}, all[0].position, {Segment: last.Segment, Offset: 8}, {Segment: last.Segment, Offset: uint32(last.end()) + markBytes},
		{Segment: last.Segment + 1, Offset: firstRecordOffset}} {
		if _, err := l.ReadAt(p, nil); !errors.Is(err, wire.ErrClientInvalidOperation) {
			t.Errorf("ReadAt(%v): %v", p, err)
		}
	}
	wrong := last
	wrong.Offset -= 8
	wrong.PayloadBytes = 0
	if _, err := l.ReadAt(wrong, nil); !errors.Is(err, wire.ErrFileCorrupt) {
		t.Errorf("ReadAt of a position that was never returned: %v", err)
	}
	if r, err := l.ReadAt(last, nil); err != nil || !sameRecord(r, all[len(all)-1].record) {
		t.Errorf("ReadAt of the last record: %v", err)
	}
}

func TestDoneIsCalledInTheOrderOfTheAppends(t *testing.T) {
	l, _ := reopen(t, smallOptions(vfs.NewMem()))
	var got []int
	for i := range 500 {
		if _, err := l.Append(nil, []Record{makeRecord(uint64(i))}, func(err error) {
			if err != nil {
				t.Error(err)
			}
			got = append(got, i)
		}); err != nil {
			t.Fatal(err)
		}
	}
	mustClose(t, l)
	for i, n := range got {
		if i != n {
			t.Fatalf("call %d was for append %d", i, n)
		}
	}
	if len(got) != 500 {
		t.Fatalf("%d calls for 500 appends", len(got))
	}
}

func TestConcurrentProducersEachKeepTheirOrder(t *testing.T) {
	o := smallOptions(vfs.NewMem())
	o.QueueLimitBytes = 4 << 10
	l, _ := reopen(t, o)
	var producers sync.WaitGroup
	for g := range uint32(8) {
		producers.Go(func() {
			for i := range uint64(200) {
				if _, err := l.Append(nil, []Record{{Group: g, Index: i, Payload: make([]byte, i)}}, nil); err != nil {
					t.Error(err)
				}
			}
			if err := l.Sync(); err != nil {
				t.Error(err)
			}
		})
	}
	producers.Wait()
	mustClose(t, l)
	_, kept := reopen(t, o)
	next := make([]uint64, 8)
	for _, e := range kept {
		if e.record.Index != next[e.record.Group] || len(e.record.Payload) != int(e.record.Index) {
			t.Fatalf("group %d: got index %d, want %d", e.record.Group, e.record.Index, next[e.record.Group])
		}
		next[e.record.Group]++
	}
	if len(kept) != 1600 {
		t.Fatalf("%d records kept of 1600", len(kept))
	}
}

func TestARecordLongerThanASegmentGetsOneOfItsOwn(t *testing.T) {
	o := smallOptions(vfs.NewMem())
	l, _ := reopen(t, o)
	long := Record{Index: 1, Payload: make([]byte, 50<<10)}
	p, err := l.Append(nil, []Record{makeRecord(0), long, makeRecord(2)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, l)
	if p[0].Segment+1 != p[1].Segment || p[1].Segment+1 != p[2].Segment {
		t.Errorf("positions %v", p)
	}
	l, kept := reopen(t, o)
	defer mustClose(t, l)
	sameEntries(t, kept, []entry{{makeRecord(0), p[0]}, {long, p[1]}, {makeRecord(2), p[2]}})
}

func TestAppendRefusesARecordBeyondTheLimit(t *testing.T) {
	o := smallOptions(vfs.NewMem())
	o.RecordLimitBytes = 1000
	l, _ := reopen(t, o)
	defer mustClose(t, l)
	tooLong := Record{Payload: make([]byte, 600), Rest: [][]byte{make([]byte, 401)}}
	p, err := l.Append(nil, []Record{makeRecord(0), tooLong}, func(error) { t.Error("done was called") })
	if !errors.Is(err, wire.ErrInvalidOptionValue) || len(p) != 0 {
		t.Fatalf("got %v, %v", p, err)
	}
	if l.Stats().QueuedBytes != 0 {
		t.Error("something was queued")
	}
}

func TestAClosedLogRefusesEverything(t *testing.T) {
	l, _ := reopen(t, smallOptions(vfs.NewMem()))
	all := appendRun(t, l, 0, 1)
	mustClose(t, l)
	mustClose(t, l)
	if _, err := l.Append(nil, []Record{makeRecord(1)}, nil); !errors.Is(err, wire.ErrDatabaseClosed) {
		t.Errorf("Append: %v", err)
	}
	if err := l.Sync(); !errors.Is(err, wire.ErrDatabaseClosed) {
		t.Errorf("Sync: %v", err)
	}
	if _, err := l.ReadAt(all[0].position, nil); !errors.Is(err, wire.ErrDatabaseClosed) {
		t.Errorf("ReadAt: %v", err)
	}
}

func TestAnErrorOfReplayEndsOpen(t *testing.T) {
	o := smallOptions(vfs.NewMem())
	l, _ := reopen(t, o)
	appendRun(t, l, 0, 10)
	mustClose(t, l)
	mine := errors.New("mine")
	o.Replay = func(r Record, _ Position) error {
		if r.Index == 5 {
			return mine
		}
		return nil
	}
	if _, err := Open(o); !errors.Is(err, mine) {
		t.Fatalf("got %v", err)
	}
	_, kept := reopen(t, smallOptions(o.FS))
	if len(kept) != 10 {
		t.Fatalf("%d records kept of 10", len(kept))
	}
}

func TestOptionsAreChecked(t *testing.T) {
	fs := vfs.NewMem()
	for _, o := range []Options{
		{}, {FS: fs}, {Dir: "x"}, {FS: fs, Dir: "x", SegmentBytes: 100}, {FS: fs, Dir: "x", SegmentBytes: 3 << 30},
		{FS: fs, Dir: "x", RecordLimitBytes: 3 << 30}, {FS: fs, Dir: "x", GrowBytes: -1}, {FS: fs, Dir: "x", QueueLimitBytes: -1},
	} {
		if _, err := Open(o); !errors.Is(err, wire.ErrInvalidOptionValue) {
			t.Errorf("Open(%+v): %v", o, err)
		}
	}
}

func TestReopeningWithoutAppendingLeavesNoFilesBehind(t *testing.T) {
	o := smallOptions(vfs.NewMem())
	l, _ := reopen(t, o)
	appendRun(t, l, 0, 20)
	mustClose(t, l)
	for range 20 {
		l, kept := reopen(t, o)
		if len(kept) != 20 {
			t.Fatalf("%d records kept of 20", len(kept))
		}
		mustClose(t, l)
	}
	if n := len(filesOf(t, o.FS)); n > 3 {
		t.Fatalf("%d files for one segment", n)
	}
}

func TestDroppedSegmentsAreUsedAgain(t *testing.T) {
	o := smallOptions(vfs.NewMem())
	l, _ := reopen(t, o)
	var all []entry
	for i := range uint64(40) {
		all = append(all, appendRun(t, l, i*50, i*50+50)...)
		l.DropBefore(all[len(all)-1].position)
	}
	mustClose(t, l)
	st := l.Stats()
	if st.Recycled < 10 || st.Segments != 1 || len(filesOf(t, o.FS)) > 1+1+o.FreeSegments {
		t.Errorf("stats %+v, %d files", st, len(filesOf(t, o.FS)))
	}
	_, kept := reopen(t, o)
	sameEntries(t, kept, all[len(all)-len(kept):])
	if len(kept) == 0 {
		t.Error("the newest segment was dropped")
	}
}

// A crash can leave a file under its old and its new name when it was being
// freed. The segment counts, and freeing it once more must not count it twice.
func TestAFileThatIsThereUnderBothNamesIsUsedOnce(t *testing.T) {
	o := smallOptions(vfs.NewMem())
	l, _ := reopen(t, o)
	all := appendRun(t, l, 0, 200)
	mustClose(t, l)
	files := filesOf(t, o.FS)
	for _, seq := range linkedSegments(files)[:2] {
		files[freeName(seq)] = files[segmentName(seq)]
	}
	o.FS = fsOf(t, files)
	l, kept := reopen(t, o)
	sameEntries(t, kept, all)
	for i := range uint64(20) {
		all = append(all, appendRun(t, l, 200+i*50, 250+i*50)...)
		l.DropBefore(all[len(all)-1].position)
	}
	mustClose(t, l)
	_, kept = reopen(t, o)
	sameEntries(t, kept, all[len(all)-len(kept):])
}

func TestANewSegmentIsFilledWithZerosAheadOfItsRecords(t *testing.T) {
	o := smallOptions(vfs.NewMem())
	l, _ := reopen(t, o)
	p := appendRun(t, l, 0, 1)[0].position
	file := readFile(t, o.FS, o.FS.PathJoin(testDir, segmentName(p.Segment)))
	if want := p.end() + o.GrowBytes; int64(len(file)) != want {
		t.Errorf("the file is %d bytes long, want %d", len(file), want)
	}
	if len(bytes.Trim(file[p.end()+markBytes:], "\x00")) > 0 {
		t.Error("there is something behind the records")
	}
	mustClose(t, l)
}

// A file system may keep any of two changes to a directory that were not synced
// between: then freeing two segments could leave a hole. The housekeeper makes
// segments as well, at a time of its own, so the test looks at the freed only.
func TestSegmentsAreFreedOneAfterTheOther(t *testing.T) {
	type freed struct {
		seq    uint64
		synced bool
	}
	var freedInOrder []freed
	fs := &faultFS{FS: vfs.NewMem()}
	fs.hook = func(op operation) (int, error) {
		n := len(freedInOrder)
		switch op.name {
		case "rename", "remove":
			if seq, ok := parseName(fs.PathBase(op.path), segmentSuffix); ok {
				freedInOrder = append(freedInOrder, freed{seq: seq})
			}
		case "sync":
			if op.path == testDir && n > 0 {
				freedInOrder[n-1].synced = true
			}
		}
		return 0, nil
	}
	l, _ := reopen(t, smallOptions(fs))
	all := appendRun(t, l, 0, 200)
	l.DropBefore(all[len(all)-1].position)
	mustClose(t, l)
	if len(freedInOrder) < 4 {
		t.Fatalf("only %d segments were freed", len(freedInOrder))
	}
	for i, f := range freedInOrder {
		if !f.synced {
			t.Errorf("segment %d was freed, and the directory was not synced before the next", f.seq)
		}
		if i > 0 && f.seq != freedInOrder[i-1].seq+1 {
			t.Errorf("segment %d was freed after segment %d", f.seq, freedInOrder[i-1].seq)
		}
	}
}

func discard() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }
