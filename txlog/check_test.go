package txlog

import (
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/raftgroup"
	"github.com/plinthdb/plinth/internal/wal"
	"github.com/plinthdb/plinth/internal/wire"
)

// recorded is a record as it stands in the log.
type recorded struct {
	rec wal.Record
	pos wal.Position
}

// recordsOf returns all records of a closed log.
func recordsOf(t *testing.T, fs vfs.FS) []recorded {
	t.Helper()
	var all []recorded
	_, err := wal.Verify(wal.Options{FS: fs, Dir: "log", SegmentBytes: 16 << 10, Replay: func(rec wal.Record, pos wal.Position) error {
		rec.Payload = append([]byte(nil), rec.Payload...)
		all = append(all, recorded{rec, pos})
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// checkRecords runs a Checker over records.
func checkRecords(records []recorded) (CheckReport, bool, error) {
	var c Checker
	for _, r := range records {
		if err := c.Record(r.rec, r.pos); err != nil {
			return CheckReport{}, true, err
		}
	}
	return c.Finish()
}

// workedLog returns the directory of a log after a life with pops and cuts and
// one without, and the status at the end.
func workedLog(t *testing.T) (vfs.FS, Status) {
	t.Helper()
	fs := vfs.NewMem()
	var status Status
	for life := range 2 {
		n := openNode(t, fs)
		generation, prev := n.begin(t)
		for i := range wire.Version(100) {
			version := prev + 10
			if err := n.append(generation, prev, version, wire.Tag(i%2), strings.Repeat("x", 200)); err != nil {
				t.Fatal(err)
			}
			prev = version
			if life == 0 && i%20 == 19 {
				for tag := range wire.Tag(2) {
					if err := n.server.Pop(t.Context(), tag, version-50); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		status = n.server.Status()
		n.close()
	}
	return fs, status
}

func TestCheckerSeesTheStateThatAReplicaHas(t *testing.T) {
	fs, status := workedLog(t)
	report, found, err := checkRecords(recordsOf(t, fs))
	if err != nil || !found {
		t.Fatalf("found %v: %v", found, err)
	}
	if report.End != status.End || report.Locked != status.Locked || report.Begun != status.Locked || report.Entries == 0 ||
		report.Batches == 0 || report.Mutations == 0 || report.Recovery == 0 {
		t.Errorf("Checker saw %+v, the replica had %+v", report, status)
	}
	for tag, version := range status.Popped {
		if report.Popped[tag] != version {
			t.Errorf("tag %d: popped %d, the replica had %d", tag, report.Popped[tag], version)
		}
	}
}

func TestCheckerOfAnEmptyLogFindsNothing(t *testing.T) {
	if report, found, err := checkRecords(nil); found || err != nil || report.End != 0 {
		t.Errorf("an empty log: %+v, found %v, %v", report, found, err)
	}
}

// change returns the records with one changed: the payload of the last one that
// holds a command of the given kind. An entry's payload ends with its data.
func change(t *testing.T, records []recorded, kind commandKind, f func(c *command)) []recorded {
	t.Helper()
	for i := len(records) - 1; i >= 0; i-- {
		in, err := raftgroup.Inspect(records[i].rec)
		if err != nil || !in.Entry || len(in.Data) == 0 {
			continue
		}
		c, err := decodeCommand(in.Data)
		if err != nil || c.kind != kind {
			continue
		}
		changed := append([]recorded(nil), records...)
		payload := records[i].rec.Payload
		f(&c)
		changed[i].rec.Payload = append(append([]byte(nil), payload[:len(payload)-len(in.Data)]...), c.encode()...)
		return changed
	}
	t.Fatalf("there is no command of kind %d", kind)
	return nil
}

func runOf(m wire.Mutation) []byte {
	return wire.AppendRun(nil, []wire.Tag{0}, wire.AppendMutation(nil, m))
}

func TestCheckerFindsWhatDoesNotMakeSense(t *testing.T) {
	fs, _ := workedLog(t)
	records := recordsOf(t, fs)
	body := func(b []byte) func(c *command) { return func(c *command) { c.body = b } }
	for name, c := range map[string]struct {
		records []recorded
		text    string
	}{
		"gap in the versions":     {change(t, records, commandAppend, func(c *command) { c.prev++ }), "but the log ends at"},
		"begin at a past version": {change(t, records, commandBegin, func(c *command) { c.version = 1 }), "does not fit a log that ends at"},
		"cut run":                 {change(t, records, commandAppend, body([]byte{1, 0, 9})), "bad run length"},
		"unknown mutation": {change(t, records, commandAppend, body(wire.AppendRun(nil, []wire.Tag{0}, []byte{99, 0, 0}))),
			"unknown mutation type 99"},
		"key too long": {change(t, records, commandAppend, body(runOf(wire.Mutation{Param1: make([]byte, wire.MaxKeyBytes+1)}))),
			"a key of 10001 bytes"},
		"value too long": {change(t, records, commandAppend, body(runOf(wire.Mutation{Param2: make([]byte, wire.MaxValueBytes+1)}))),
			"a value of 100001 bytes"},
		"stamp not filled in": {change(t, records, commandAppend, body(runOf(wire.Mutation{Type: wire.SetVersionstampedValue}))),
			"stamp was not filled in"},
		"no checkpoint":     {withoutCheckpoints(t, records), "no checkpoint"},
		"unknown record":    {append(records[:len(records):len(records)], recorded{rec: wal.Record{Kind: 77}}), "unknown kind 77"},
		"entry cut short":   {append(records[:len(records):len(records)], recorded{rec: wal.Record{Kind: 1, Index: 1 << 40}}), "cut short"},
		"entry far ahead":   {append(records[:len(records):len(records)], farAhead(t, records)), "follows entry"},
		"command of no use": {change(t, records, commandLock, func(c *command) { c.kind = 9 }), "unknown kind 9"},
	} {
		if _, _, err := checkRecords(c.records); !errors.Is(err, wire.ErrFileCorrupt) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, want %q", name, err, c.text)
		}
	}
}

func withoutCheckpoints(t *testing.T, records []recorded) (left []recorded) {
	t.Helper()
	for _, r := range records {
		in, err := raftgroup.Inspect(r.rec)
		if err != nil {
			t.Fatal(err)
		}
		if !in.Checkpoint {
			left = append(left, r)
		}
	}
	return left
}

// farAhead returns a copy of an entry with an index that nothing leads up to.
func farAhead(t *testing.T, records []recorded) recorded {
	t.Helper()
	for _, r := range records {
		if in, err := raftgroup.Inspect(r.rec); err == nil && in.Entry {
			r.rec.Index += 1000
			return r
		}
	}
	t.Fatal("there is no entry")
	return recorded{}
}
