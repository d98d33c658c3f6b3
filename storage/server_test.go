package storage_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/storage"
)

// open opens a server on fs that follows l and closes it with the test.
func open(t testing.TB, fs vfs.FS, l *fakeLog, change func(*storage.Config)) *storage.Server {
	t.Helper()
	cfg := storage.Config{FS: fs, Dir: "db", Tag: 7, Log: l, ReadWait: time.Minute}
	cfg.OnFatal = func(err error) { t.Errorf("server failed: %v", err) }
	if change != nil {
		change(&cfg)
	}
	s, err := storage.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// get returns the values of keys at version; "<absent>" for those without.
func get(t testing.TB, s *storage.Server, version wire.Version, keys ...string) []string {
	t.Helper()
	req := &wire.GetValuesRequest{Version: version}
	for _, key := range keys {
		req.Keys = append(req.Keys, []byte(key))
	}
	reply, err := s.GetValues(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, v := range reply.Values {
		if v == nil {
			out = append(out, "<absent>")
		} else {
			out = append(out, string(v))
		}
	}
	return out
}

// scan returns "key=value" for the rows of a range.
func scan(t testing.TB, s *storage.Server, req wire.GetRangeRequest) []string {
	t.Helper()
	reply, err := s.GetRange(context.Background(), &req)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, row := range reply.Rows {
		out = append(out, fmt.Sprintf("%s=%s", row.Key, row.Value))
	}
	return out
}

func same(t testing.TB, got []string, want ...string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func TestEveryVersionOfTheWindowIsReadable(t *testing.T) {
	l := newFakeLog()
	s := open(t, vfs.NewMem(), l, nil)
	l.append(10, set("a", "1"), set("b", "1"))
	l.append(20, set("a", "2"), clearKey("b"))
	l.append(30, clearRange("a", "z"), set("c", ""))
	same(t, get(t, s, 10, "a", "b", "c"), "1", "1", "<absent>")
	same(t, get(t, s, 20, "a", "b", "c"), "2", "<absent>", "<absent>")
	same(t, get(t, s, 30, "a", "b", "c"), "<absent>", "<absent>", "")
	same(t, scan(t, s, wire.GetRangeRequest{Version: 10, End: []byte("z")}), "a=1", "b=1")
	same(t, scan(t, s, wire.GetRangeRequest{Version: 10, End: []byte("z"), Reverse: true}), "b=1", "a=1")
	same(t, scan(t, s, wire.GetRangeRequest{Version: 30, End: []byte("z")}), "c=")
}

func TestARestartGoesOnFromTheDisk(t *testing.T) {
	l, fs := newFakeLog(), vfs.NewMem()
	soon := func(cfg *storage.Config) { cfg.FlushInterval = time.Millisecond }
	s := open(t, fs, l, soon)
	l.append(1_000_000, set("a", "1"), set("b", "1"), atomicOp(wire.AddValue, "n", "\x01"))
	l.append(2_000_000, set("a", "2"), atomicOp(wire.AddValue, "n", "\x01"))
	l.append(9_000_000, atomicOp(wire.AddValue, "n", "\x01"))
	same(t, get(t, s, 9_000_000, "a", "b", "n"), "2", "1", "\x03")
	l.awaitPop(2_000_000)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, fs, l, nil)
	if s.DurableVersion() != 2_000_000 {
		t.Fatalf("durable version %d", s.DurableVersion())
	}
	same(t, get(t, s, 9_000_000, "a", "b", "n"), "2", "1", "\x03")
	same(t, scan(t, s, wire.GetRangeRequest{Version: 9_000_000, End: []byte("z")}), "a=2", "b=1", "n=\x03")
}

func TestAnEmptyValueIsNotAnAbsentOneInTheEngine(t *testing.T) {
	l := newFakeLog()
	s := open(t, vfs.NewMem(), l, func(cfg *storage.Config) { cfg.FlushInterval = time.Millisecond })
	l.append(1_000_000, set("a", ""))
	l.reach(9_000_000)
	l.awaitPop(1_000_000)
	same(t, get(t, s, 9_000_000, "a", "b"), "", "<absent>")
	same(t, scan(t, s, wire.GetRangeRequest{Version: 9_000_000, End: []byte("z")}), "a=")
}

func TestClearsOfAnyWidthReachTheEngine(t *testing.T) {
	for _, rows := range []int{0, 1, 16, 17, 1000} {
		l := newFakeLog()
		s := open(t, vfs.NewMem(), l, func(cfg *storage.Config) { cfg.FlushInterval = time.Millisecond })
		list := []wire.Mutation{set("before", "1"), set("past", "1")}
		for i := range rows {
			list = append(list, set("k"+strconv.Itoa(i), "1"))
		}
		l.append(1_000_000, list...)
		l.append(2_000_000, clearRange("k", "l"), set("k7", "again"))
		l.reach(9_000_000)
		l.awaitPop(2_000_000)
		same(t, scan(t, s, wire.GetRangeRequest{Version: 9_000_000, End: []byte("z")}), "before=1", "k7=again", "past=1")
	}
}

// A step that is cut a moment before the version that makes it due is
// published must not stay in the window.
func TestEveryStepReachesTheDiskWithoutFurtherWrites(t *testing.T) {
	l := newFakeLog()
	open(t, vfs.NewMem(), l, func(cfg *storage.Config) { cfg.FlushInterval = time.Microsecond })
	for version := wire.Version(1_000_000); version <= 3_000_000_000; version += 20_000_000 {
		l.append(version, set("a", "1"))
		l.reach(version + 10_000_000)
		l.awaitPop(version)
	}
}
