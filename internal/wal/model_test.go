package wal

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/wire"
)

// model is a log as a plain list.
type model struct {
	options Options
	log     *Log
	entries []entry // all ever appended
	needed  uint64  // the lowest segment that was not dropped
}

// oldest returns the lowest segment that the log still has when all is quiet.
func (m *model) oldest() uint64 {
	if len(m.entries) == 0 {
		return 0
	}
	floor := min(m.needed, m.entries[len(m.entries)-1].position.Segment)
	for _, e := range m.entries {
		if e.position.Segment >= floor {
			return e.position.Segment
		}
	}
	return 0
}

func (m *model) append(t *rapid.T) {
	n := rapid.IntRange(0, 5).Draw(t, "records")
	var records []Record
	for range n {
		payload := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "payload")
		if rapid.IntRange(0, 9).Draw(t, "long") == 0 {
			payload = make([]byte, rapid.IntRange(0, 20_000).Draw(t, "bytes"))
		}
		records = append(records, Record{
			Group:   rapid.Uint32().Draw(t, "group"),
			Kind:    rapid.Uint8().Draw(t, "kind"),
			Index:   rapid.Uint64().Draw(t, "index"),
			Payload: payload,
		})
	}
	parts := make([]Record, n)
	for i, r := range records {
		parts[i] = split(r)
	}
	positions, err := m.log.Append(nil, parts, nil)
	if err != nil || len(positions) != n {
		t.Fatalf("Append: %d positions, %v", len(positions), err)
	}
	for i, p := range positions {
		m.entries = append(m.entries, entry{records[i], p})
	}
}

func (m *model) sync(t *rapid.T) {
	if err := m.log.Sync(); err != nil {
		t.Fatal(err)
	}
}

func (m *model) readAt(t *rapid.T) {
	if len(m.entries) == 0 {
		t.Skip()
	}
	m.sync(t)
	e := rapid.SampledFrom(m.entries).Draw(t, "entry")
	r, err := m.log.ReadAt(e.position, nil)
	switch {
	case e.position.Segment >= m.oldest():
		if err != nil || !sameRecord(r, e.record) {
			t.Fatalf("ReadAt(%v): %v", e.position, err)
		}
	case !errors.Is(err, wire.ErrClientInvalidOperation):
		t.Fatalf("ReadAt(%v) of a dropped segment: %v", e.position, err)
	}
}

func (m *model) drop(t *rapid.T) {
	if len(m.entries) == 0 {
		t.Skip()
	}
	p := rapid.SampledFrom(m.entries).Draw(t, "entry").position
	m.log.DropBefore(p)
	m.needed = max(m.needed, p.Segment)
}

func (m *model) reopen(t *rapid.T) {
	if err := m.log.Close(); err != nil {
		t.Fatal(err)
	}
	var kept []entry
	l, err := Open(collect(m.options, &kept))
	if err != nil {
		t.Fatal(err)
	}
	m.log = l
	m.check(t, kept)
}

func (m *model) check(t *rapid.T, kept []entry) {
	want := m.entries
	for len(want) > 0 && want[0].position.Segment < m.oldest() {
		want = want[1:]
	}
	if len(kept) != len(want) {
		t.Fatalf("%d records are left, want %d", len(kept), len(want))
	}
	for i := range want {
		if kept[i].position != want[i].position || !sameRecord(kept[i].record, want[i].record) {
			t.Fatalf("record %d: %v, want %v", i, kept[i].position, want[i].position)
		}
	}
}

func TestTheLogBehavesLikeAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := smallOptions(vfs.NewMem())
		o.SegmentBytes = int64(rapid.IntRange(2*segmentHeaderBytes, 40_000).Draw(t, "segment bytes"))
		o.GrowBytes = int64(rapid.IntRange(0, 5000).Draw(t, "grow bytes"))
		o.FreeSegments = rapid.IntRange(-1, 3).Draw(t, "free segments")
		l, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		m := &model{options: o, log: l}
		defer func() { _ = m.log.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"append": m.append,
			"sync":   m.sync,
			"readAt": m.readAt,
			"drop":   m.drop,
			"reopen": m.reopen,
		})
		m.reopen(t)
	})
}
