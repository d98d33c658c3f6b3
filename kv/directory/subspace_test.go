package directory_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/directory"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/tuple"
)

func openOne(t *testing.T, s *stage, path ...string) *directory.DirectorySubspace {
	t.Helper()
	d, err := s.root.Open(s.begin(t), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestADirectoryIsASubspace(t *testing.T) {
	s := newStage(t)
	s.load(t, manualRows())
	d := openOne(t, s, "app", "users")
	plain := subspace.FromBytes([]byte("\x81\x00"))
	if got, err := d.Subspace(); err != nil || got != plain {
		t.Errorf("the subspace is %v (%v)", got, err)
	}
	key := plain.Pack(tuple.Tuple{42})
	appended, err := d.Append([]byte("x"), tuple.Tuple{42})
	stamped, stampErr := d.PackWithVersionstamp(tuple.Tuple{tuple.Versionstamp{TransactionVersion: incomplete()}})
	if err != nil || stampErr != nil {
		t.Fatal(err, stampErr)
	}
	for name, pair := range map[string][2][]byte{
		"Bytes":                {d.Bytes(), plain.Bytes()},
		"Pack":                 {d.Pack(tuple.Tuple{42}), key},
		"Append":               {appended, append([]byte("x"), key...)},
		"Sub":                  {d.Sub("a", 1).Bytes(), plain.Sub("a", 1).Bytes()},
		"Range.Begin":          {d.Range().Begin, plain.Range().Begin},
		"Range.End":            {d.Range().End, plain.Range().End},
		"PrefixRange.Begin":    {d.PrefixRange().Begin, plain.Bytes()},
		"PrefixRange.End":      {d.PrefixRange().End, []byte("\x81\x01")},
		"PackWithVersionstamp": {stamped[:2], plain.Bytes()},
	} {
		if !bytes.Equal(pair[0], pair[1]) {
			t.Errorf("%s gives %q, want %q", name, pair[0], pair[1])
		}
	}
	if u, err := d.Unpack(key); err != nil || u.String() != "(42)" {
		t.Errorf("unpacked %v (%v)", u, err)
	}
	if !d.Contains(key) || d.Contains([]byte("\x81")) {
		t.Error("what the directory contains is not what begins with its prefix")
	}
	if got, want := d.String(), `DirectorySubspace(path=("app", "users"), prefix=\x81\x00)`; got != want {
		t.Errorf("it prints as %s, want %s", got, want)
	}
}

func incomplete() (v [10]byte) {
	for i := range v {
		v[i] = 0xff
	}
	return v
}

func TestTheRootOfAPartitionIsNoSubspace(t *testing.T) {
	s := newStage(t)
	s.load(t, manualRows())
	d := openOne(t, s, "part")
	if got, want := d.String(), `DirectoryPartition(path=("part"), prefix=\x90)`; got != want || !d.IsPartition() {
		t.Errorf("it prints as %s, want %s", got, want)
	}
	for name, use := range map[string]func() error{
		"Subspace":             func() error { return only(d.Subspace()) },
		"Append":               func() error { return only(d.Append(nil, nil)) },
		"PackWithVersionstamp": func() error { return only(d.PackWithVersionstamp(nil)) },
		"Unpack":               func() error { return only(d.Unpack([]byte("\x90"))) },
		"Bytes":                func() error { return recovered(func() { d.Bytes() }) },
		"Contains":             func() error { return recovered(func() { d.Contains(nil) }) },
		"Pack":                 func() error { return recovered(func() { d.Pack(nil) }) },
		"Range":                func() error { return recovered(func() { d.Range() }) },
		"Sub":                  func() error { return recovered(func() { d.Sub(1) }) },
	} {
		var own *directory.Error
		if err := use(); !errors.Is(err, directory.ErrPartitionRoot) || !errors.As(err, &own) || !slices.Equal(own.Path, []string{"part"}) {
			t.Errorf("%s: error %v, want that a partition holds no keys", name, err)
		}
	}
}

// recovered returns the error that f panics with.
func recovered(f func()) (err error) {
	defer func() { err, _ = recover().(error) }()
	f()
	return nil
}

func TestADirectoryKnowsPathAndLayer(t *testing.T) {
	s := newStage(t)
	s.load(t, manualRows())
	d := openOne(t, s, "app", "users")
	d.Path()[0], d.Layer()[0] = "x", 'x'
	if !slices.Equal(d.Path(), []string{"app", "users"}) || string(d.Layer()) != "queue" {
		t.Errorf("path %q and layer %q have changed", d.Path(), d.Layer())
	}
	if len(s.root.Path()) > 0 || len(s.root.Layer()) > 0 {
		t.Errorf("the root has path %q and layer %q", s.root.Path(), s.root.Layer())
	}
}

// TestReadsNeedNothingButAReader (D6) and write nothing, not even the version.
func TestReadsNeedNothingButAReader(t *testing.T) {
	s := newStage(t)
	tx := s.begin(t)
	for _, r := range []kv.Reader{tx, tx.Snapshot()} {
		if names, err := s.root.List(r, nil); err != nil || len(names) > 0 {
			t.Errorf("an empty store has directories %q (%v)", names, err)
		}
		if exists, err := s.root.Exists(r, []string{"a"}); err != nil || exists {
			t.Errorf("an empty store has a directory: %t (%v)", exists, err)
		}
		if exists, err := s.root.Exists(r, nil); err != nil || !exists {
			t.Errorf("the root exists: %t (%v)", exists, err)
		}
		if _, err := s.root.Open(r, []string{"a"}, nil); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("error %v, want that it does not exist", err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	expectRows(t, s.rows(), nil)
}

func TestAnOpenDirectoryOutlivesItsPath(t *testing.T) {
	s := newStage(t)
	s.load(t, manualRows())
	old := openOne(t, s, "app", "users")
	s.commit(t, func(tx *kv.Transaction) error { return only(old.MoveTo(tx, []string{"people"})) })
	r := s.begin(t)
	if exists, err := old.Exists(r, nil); err != nil || exists {
		t.Errorf("there is a directory at the old path: %t (%v)", exists, err)
	}
	moved := openOne(t, s, "people")
	if !bytes.Equal(moved.Bytes(), old.Bytes()) || string(moved.Layer()) != "queue" {
		t.Errorf("%v with layer %q was moved to %v", old, moved.Layer(), moved)
	}
	if again, err := moved.Open(r, nil, nil); err != nil || again.String() != moved.String() {
		t.Errorf("opened again, %v is %v (%v)", moved, again, err)
	}
}

// TestOpeningTakesTwoTripsAName also shows that the look at the version costs
// none of its own.
func TestOpeningTakesTwoTripsAName(t *testing.T) {
	s := newStage(t)
	s.load(t, manualRows())
	trips := func() int { return s.store.Calls("GetValues") + s.store.Calls("GetRange") }
	for _, c := range []struct {
		name string
		do   func(tx *kv.Transaction) error
		want int
	}{
		{"open", func(tx *kv.Transaction) error { return only(s.root.Open(tx, []string{"app", "users"}, nil)) }, 4},
		{"exists", func(tx *kv.Transaction) error { return only(s.root.Exists(tx, []string{"app", "x"})) }, 3},
		{"list", func(tx *kv.Transaction) error { return only(s.root.List(tx, []string{"app"})) }, 3},
		{"create", func(tx *kv.Transaction) error {
			return only(s.root.CreatePrefix(tx, []string{"x"}, nil, []byte("\xa0")))
		}, 3},
	} {
		tx, before := s.begin(t), trips()
		if err := c.do(tx); err != nil {
			t.Error(err)
		}
		if got := trips() - before; got != c.want {
			t.Errorf("%s takes %d trips, want %d", c.name, got, c.want)
		}
	}
}

// FuzzMetadata (D5) puts one row of any content into the metadata: operations
// return errors of this package or of the store, and nothing panics.
func FuzzMetadata(f *testing.F) {
	for key, value := range manualRows() {
		if key[0] == 0xfe {
			f.Add([]byte(key[1:]), []byte(value))
		}
	}
	f.Add([]byte("\x01\xfe\x00\x01hca\x00\x14\x14"), []byte("\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add([]byte("\x01\xfe\x00\x01hca\x00\x14\x15\x40"), []byte("\x00\x01"))
	f.Add([]byte("\x01\xfe\x00\x14\x02app\x00"), []byte(""))
	f.Add([]byte("\x01\xfe\x00\x14\x02app\x00"), []byte("\xff\xff"))
	f.Add([]byte("\x00"), []byte(""))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		if len(key) > 1000 || len(value) > 1000 {
			return
		}
		s := newStage(t)
		s.load(t, manualRows())
		s.load(t, map[string]string{"\xfe" + string(key): string(value)})
		tx := s.begin(t)
		for _, err := range []error{
			only(s.root.List(tx, []string{"app"})),
			only(s.root.Open(tx, []string{"app", "users"}, nil)),
			only(s.root.Exists(tx, []string{"part", "x"})),
			only(s.root.Create(tx, []string{"a", "b"}, nil)),
			only(s.root.CreatePrefix(tx, []string{"c"}, nil, []byte("\xa0"))),
			only(s.root.Move(tx, []string{"app"}, []string{"d"})),
			only(s.root.RemoveIfExists(tx, []string{"app"})),
		} {
			var own *directory.Error
			var stores *kv.Error
			if err != nil && !errors.As(err, &own) && !errors.As(err, &stores) {
				t.Errorf("error %v is of neither kind", err)
			}
		}
	})
}
