package directory_test

import (
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/directory"
	"github.com/plinthdb/plinth/kv/internal/model"
	"github.com/plinthdb/plinth/kv/subspace"
)

// stage is a store and the default tree in it, with manual prefixes.
type stage struct {
	store *model.Store
	db    *kv.Database
	root  *directory.Layer
}

func newStage(t testing.TB) *stage {
	t.Helper()
	s := &stage{store: model.New()}
	s.db = kv.NewDatabase(s.store)
	t.Cleanup(func() {
		if err := s.db.Close(); err != nil {
			t.Error(err)
		}
	})
	s.root = directory.NewLayer(subspace.FromBytes([]byte{0xfe}), subspace.AllKeys(), directory.WithManualPrefixes())
	return s
}

// begin starts a transaction that ends with the test.
func (s *stage) begin(t testing.TB, options ...kv.TransactionOption) *kv.Transaction {
	tx := s.db.Begin(context.Background(), options...)
	t.Cleanup(tx.Cancel)
	return tx
}

// commit runs f in a transaction without retries and commits it.
func (s *stage) commit(t testing.TB, f func(tx *kv.Transaction) error) {
	t.Helper()
	tx := s.begin(t)
	if err := f(tx); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// load writes rows of a key and a value.
func (s *stage) load(t testing.TB, rows map[string]string) {
	t.Helper()
	s.commit(t, func(tx *kv.Transaction) error {
		for key, value := range rows {
			tx.Set([]byte(key), []byte(value))
		}
		return nil
	})
}

// rows returns all rows of the store.
func (s *stage) rows() map[string]string {
	rows := map[string]string{}
	for _, row := range s.store.Rows() {
		rows[string(row.Key)] = string(row.Value)
	}
	return rows
}

func expectRows(t testing.TB, got, want map[string]string) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if value, ok := got[key]; !ok || value != want[key] {
			t.Errorf("key %q holds %q (present: %v), want %q", key, value, ok, want[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[key]; !ok {
			t.Errorf("there is a row %q=%q", key, got[key])
		}
	}
}

const version100 = "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// manualRows is what a binding of FoundationDB stores for three directories
// with manual prefixes: app (\x80), in it users (\x81\x00) with the layer
// queue, and the partition part (\x90). Worked out by hand from the tuple
// encoding: \x01…\x00 is a byte string, in which \x00\xff is a zero byte,
// \x02…\x00 a string, and \x14 zero.
func manualRows() map[string]string {
	return map[string]string{
		"\xfe\x01\xfe\x00\x01version\x00":           version100,
		"\xfe\x01\xfe\x00\x14\x02app\x00":           "\x80",
		"\xfe\x01\x80\x00\x01layer\x00":             "",
		"\xfe\x01\x80\x00\x14\x02users\x00":         "\x81\x00",
		"\xfe\x01\x81\x00\xff\x00\x01layer\x00":     "queue",
		"\xfe\x01\xfe\x00\x14\x02part\x00":          "\x90",
		"\xfe\x01\x90\x00\x01layer\x00":             "partition",
		"\x81\x00\x15\x2a":                          "content",
		"outside, and not to be touched by anybody": "",
	}
}

func TestKeysAndValuesAreThoseOfFoundationDB(t *testing.T) {
	s := newStage(t)
	s.commit(t, func(tx *kv.Transaction) error {
		app, err := s.root.CreatePrefix(tx, []string{"app"}, nil, []byte("\x80"))
		if err != nil {
			return err
		}
		users, err := app.CreatePrefix(tx, []string{"users"}, []byte("queue"), []byte("\x81\x00"))
		if err != nil {
			return err
		}
		tx.Set(users.Pack([]any{42}), []byte("content"))
		tx.Set([]byte("outside, and not to be touched by anybody"), nil)
		_, err = s.root.CreatePrefix(tx, []string{"part"}, []byte("partition"), []byte("\x90"))
		return err
	})
	expectRows(t, s.rows(), manualRows())
}

func TestAllocatedPrefixesAreStoredAsFoundationDBDoes(t *testing.T) {
	s := newStage(t)
	s.commit(t, func(tx *kv.Transaction) error {
		_, err := s.root.Create(tx, []string{"a"}, nil)
		return err
	})
	rows := s.rows()
	prefix := rows["\xfe\x01\xfe\x00\x14\x02a\x00"]
	if !(prefix == "\x14" || len(prefix) == 2 && prefix[0] == 0x15 && prefix[1] < 64) {
		t.Fatalf("the first prefix is %q, not a number below 64 as a tuple", prefix)
	}
	expectRows(t, rows, map[string]string{
		"\xfe\x01\xfe\x00\x01version\x00":              version100,
		"\xfe\x01\xfe\x00\x01hca\x00\x14\x14":          "\x01\x00\x00\x00\x00\x00\x00\x00",
		"\xfe\x01\xfe\x00\x01hca\x00\x15\x01" + prefix: "",
		"\xfe\x01\xfe\x00\x14\x02a\x00":                prefix,
		"\xfe\x01" + prefix + "\x00\x01layer\x00":      "",
	})
}

func TestPartitionsAreStoredAsFoundationDBDoes(t *testing.T) {
	s := newStage(t)
	s.load(t, manualRows())
	s.commit(t, func(tx *kv.Transaction) error {
		_, err := s.root.Create(tx, []string{"part", "in"}, []byte("L"))
		return err
	})
	rows := s.rows()
	prefix := rows["\x90\xfe\x01\x90\xfe\x00\x14\x02in\x00"]
	number := strings.TrimPrefix(prefix, "\x90")
	want := manualRows()
	maps.Copy(want, map[string]string{
		"\x90\xfe\x01\x90\xfe\x00\x01version\x00":              version100,
		"\x90\xfe\x01\x90\xfe\x00\x01hca\x00\x14\x14":          "\x01\x00\x00\x00\x00\x00\x00\x00",
		"\x90\xfe\x01\x90\xfe\x00\x01hca\x00\x15\x01" + number: "",
		"\x90\xfe\x01\x90\xfe\x00\x14\x02in\x00":               "\x90" + number,
		"\x90\xfe\x01\x90" + number + "\x00\x01layer\x00":      "L",
	})
	expectRows(t, rows, want)
}

func TestWhatFoundationDBWroteIsRead(t *testing.T) {
	s := newStage(t)
	s.load(t, manualRows())
	s.load(t, map[string]string{ // in the partition, the directory 300
		"\x90\xfe\x01\x90\xfe\x00\x01version\x00":       version100,
		"\x90\xfe\x01\x90\xfe\x00\x14\x02deep\x00":      "\x90\x16\x01\x2c",
		"\x90\xfe\x01\x90\x16\x01\x2c\x00\x01layer\x00": "",
	})
	r := s.begin(t).Snapshot()
	for path, want := range map[string]string{
		"":          "app part",
		"app":       "users",
		"app/users": "",
		"part":      "deep",
		"part/deep": "",
	} {
		if names, err := s.root.List(r, split(path)); err != nil || strings.Join(names, " ") != want {
			t.Errorf("below %q there is %q (%v), want %q", path, names, err, want)
		}
	}
	for path, want := range map[string]string{"app": "\x80", "app/users": "\x81\x00", "part/deep": "\x90\x16\x01\x2c"} {
		if d, err := s.root.Open(r, split(path), nil); err != nil || string(d.Bytes()) != want {
			t.Errorf("%q is %v (%v), want prefix %q", path, d, err, want)
		}
	}
}

// split returns a path of names without slashes.
func split(path string) []string {
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

func TestMoveAndRemoveChangeTheRowsThatFoundationDBDoes(t *testing.T) {
	s := newStage(t)
	s.load(t, manualRows())
	s.commit(t, func(tx *kv.Transaction) error {
		_, err := s.root.Move(tx, []string{"app", "users"}, []string{"people"})
		return err
	})
	want := manualRows()
	delete(want, "\xfe\x01\x80\x00\x14\x02users\x00")
	want["\xfe\x01\xfe\x00\x14\x02people\x00"] = "\x81\x00"
	expectRows(t, s.rows(), want)

	s.load(t, map[string]string{"\x90\xfe\x01\x90\xfe\x00\x14\x02deep\x00": "\x90\x16\x01\x2c", "\x90\x16\x01\x2c\x00": ""})
	s.commit(t, func(tx *kv.Transaction) error {
		for _, name := range []string{"app", "people", "part"} {
			if err := s.root.Remove(tx, []string{name}); err != nil {
				return err
			}
		}
		return nil
	})
	expectRows(t, s.rows(), map[string]string{
		"\xfe\x01\xfe\x00\x01version\x00":           version100,
		"outside, and not to be touched by anybody": "",
	})
}

// TestWindowsAdvanceAsFoundationDBsDo (D3).
func TestWindowsAdvanceAsFoundationDBsDo(t *testing.T) {
	for _, c := range []struct {
		start, count int64 // of the window before
		next, size   int64
	}{
		{0, 0, 0, 64}, {0, 30, 0, 64}, {0, 31, 64, 64}, {192, 31, 256, 1024}, {256, 510, 256, 1024}, {256, 511, 1280, 1024},
		{64768, 511, 65792, 8192}, {65792, 4094, 65792, 8192}, {65792, 4095, 73984, 8192},
	} {
		s := newStage(t)
		space := subspace.FromBytes([]byte("A"))
		count := func(n int64) string { return string(binary.LittleEndian.AppendUint64(nil, uint64(n))) }
		counter := func(start int64) string { return string(space.Pack([]any{0, start})) }
		recent := func(number int64) string { return string(space.Pack([]any{1, number})) }
		rows := map[string]string{recent(c.start): "", "B": ""}
		if c.count > 0 {
			rows[counter(c.start)] = count(c.count)
		}
		s.load(t, rows)
		var number int64
		s.commit(t, func(tx *kv.Transaction) (err error) {
			number, err = directory.NewAllocator(space).Allocate(tx)
			return err
		})
		if number < c.next || number >= c.next+c.size || number == c.start {
			t.Errorf("with %d numbers from %d on, %d was allocated, not one of %d from %d on", c.count, c.start, number, c.size, c.next)
		}
		want := map[string]string{recent(number): "", "B": "", counter(c.next): count(1)}
		if c.next == c.start {
			want[recent(c.start)], want[counter(c.start)] = "", count(c.count+1)
		}
		expectRows(t, s.rows(), want)
	}
}
