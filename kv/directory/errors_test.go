package directory_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/directory"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/tuple"
)

// trial is an operation that must fail.
type trial struct {
	name string
	do   func(root *directory.Layer, tx *kv.Transaction) error
	want error
	path []string // that the error names
	text string   // part of it
}

func only[T any](_ T, err error) error { return err }

// trials are done to the rows of manualRows.
func trials() []trial {
	return []trial{
		{"open what is not there", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.Open(tx, []string{"app", "x"}, nil))
		}, directory.ErrNotFound, []string{"app", "x"}, "use CreateOrOpen"},
		{"open below what is not there", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.Open(tx, []string{"x", "y"}, nil))
		}, directory.ErrNotFound, []string{"x", "y"}, "cannot open"},
		{"open inside a partition what is not there", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.Open(tx, []string{"part", "x"}, nil))
		}, directory.ErrNotFound, []string{"part", "x"}, "cannot open"},
		{"open with another layer", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.Open(tx, []string{"app", "users"}, []byte("stack")))
		}, directory.ErrLayerMismatch, []string{"app", "users"}, `"queue" and not "stack"`},
		{"open with the empty layer", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.CreateOrOpen(tx, []string{"app", "users"}, []byte{}))
		}, directory.ErrLayerMismatch, []string{"app", "users"}, `with nil if any will do`},
		{"open the root", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.Open(tx, nil, nil))
		}, directory.ErrRootDirectory, []string{}, "below it"},
		{"create the root", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.Create(tx, nil, nil))
		}, directory.ErrRootDirectory, []string{}, "cannot create ()"},
		{"create what is there", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.Create(tx, []string{"app"}, nil))
		}, directory.ErrExists, []string{"app"}, "choose another path"},
		{"choose a prefix in another tree", func(_ *directory.Layer, tx *kv.Transaction) error {
			return only(directory.Root().CreatePrefix(tx, []string{"x"}, nil, []byte("\xa0")))
		}, directory.ErrManualPrefix, []string{"x"}, "WithManualPrefixes"},
		{"choose a prefix inside a partition", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.CreatePrefix(tx, []string{"part", "x"}, nil, []byte("\xa0")))
		}, directory.ErrManualPrefix, []string{"part", "x"}, "inside a partition"},
		{"choose the prefix of another", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.CreatePrefix(tx, []string{"x"}, nil, []byte("\x80")))
		}, directory.ErrPrefixInUse, []string{"x"}, `\x80; choose another`},
		{"choose a longer prefix", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.CreatePrefix(tx, []string{"x"}, nil, []byte("\x81\x00\x01")))
		}, directory.ErrPrefixInUse, []string{"x"}, ""},
		{"choose a shorter prefix", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.CreatePrefix(tx, []string{"x"}, nil, []byte("\x81")))
		}, directory.ErrPrefixInUse, []string{"x"}, ""},
		{"choose no prefix", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.CreatePrefix(tx, []string{"x"}, nil, nil))
		}, directory.ErrPrefixInUse, []string{"x"}, ""},
		{"choose the metadata's prefix", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.CreatePrefix(tx, []string{"x"}, nil, []byte("\xfe\x01")))
		}, directory.ErrPrefixInUse, []string{"x"}, ""},
		{"choose a prefix at the end of all keys", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.CreatePrefix(tx, []string{"x"}, nil, []byte("\xff\xff")))
		}, directory.ErrPrefixInUse, []string{"x"}, ""},
		{"list what is not there", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.List(tx, []string{"x"}))
		}, directory.ErrNotFound, []string{"x"}, "cannot list"},
		{"move what is not there", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.Move(tx, []string{"x"}, []string{"y"}))
		}, directory.ErrNotFound, []string{"x"}, `move to ("y") the directory ("x")`},
		{"move to what is there", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.Move(tx, []string{"app", "users"}, []string{"app"}))
		}, directory.ErrExists, []string{"app", "users"}, ""},
		{"move to the root", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.Move(tx, []string{"app"}, nil))
		}, directory.ErrExists, []string{"app"}, ""},
		{"move to below what is not there", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.Move(tx, []string{"app"}, []string{"x", "app"}))
		}, directory.ErrParentNotFound, []string{"app"}, "create it first"},
		{"move below itself", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.Move(tx, []string{"app"}, []string{"app", "users", "app"}))
		}, directory.ErrMoveIntoItself, []string{"app"}, ""},
		{"move to itself", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.Move(tx, []string{"app"}, []string{"app"}))
		}, directory.ErrMoveIntoItself, []string{"app"}, ""},
		{"move the root", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.MoveTo(tx, []string{"x"}))
		}, directory.ErrRootDirectory, []string{}, ""},
		{"move the root of a partition from inside", func(r *directory.Layer, tx *kv.Transaction) error {
			part, err := r.Open(tx, []string{"part"}, nil)
			if err != nil {
				return err
			}
			return only(part.Move(tx, nil, []string{"x"}))
		}, directory.ErrRootDirectory, []string{"part"}, ""},
		{"move into a partition", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.Move(tx, []string{"app"}, []string{"part", "app"}))
		}, directory.ErrBetweenPartitions, []string{"app"}, "copy the content"},
		{"move out of a partition", func(r *directory.Layer, tx *kv.Transaction) error {
			inside, err := r.Create(tx, []string{"part", "x"}, nil)
			if err != nil {
				return err
			}
			return only(inside.MoveTo(tx, []string{"x"}))
		}, directory.ErrBetweenPartitions, []string{"part", "x"}, ""},
		{"move out of a partition from the root", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.Move(tx, []string{"part", "x"}, []string{"x"}))
		}, directory.ErrBetweenPartitions, []string{"part", "x"}, ""},
		{"remove what is not there", func(r *directory.Layer, tx *kv.Transaction) error {
			return r.Remove(tx, []string{"x"})
		}, directory.ErrNotFound, []string{"x"}, "cannot remove"},
		{"remove the root", func(r *directory.Layer, tx *kv.Transaction) error {
			return only(r.RemoveIfExists(tx, nil))
		}, directory.ErrRootDirectory, []string{}, ""},
	}
}

// TestErrorsNameThePathAndTheRemedy (D5).
func TestErrorsNameThePathAndTheRemedy(t *testing.T) {
	for _, c := range trials() {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			s.load(t, manualRows())
			tx := s.begin(t)
			err := c.do(s.root, tx)
			var own *directory.Error
			if !errors.Is(err, c.want) || !errors.As(err, &own) || !slices.Equal(own.Path, c.path) || !strings.Contains(err.Error(), c.text) {
				t.Fatalf("error %v, want %v about %q with %q", err, c.want, c.path, c.text)
			}
			if kv.Retryable(err) {
				t.Errorf("%v is taken for an error to try again after", err)
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			if c.name != "move out of a partition" { // which creates something first
				expectRows(t, s.rows(), manualRows())
			}
		})
	}
}

func TestLayersAreCompared(t *testing.T) {
	s := newStage(t)
	s.load(t, manualRows())
	r := s.begin(t).Snapshot()
	var mismatch *directory.LayerError
	if _, err := s.root.Open(r, []string{"app", "users"}, []byte("stack")); !errors.As(err, &mismatch) ||
		string(mismatch.Got) != "queue" || string(mismatch.Want) != "stack" {
		t.Errorf("error %v, want one of the layers queue and stack", err)
	}
	for path, layers := range map[string][][]byte{
		"app":       {nil, {}},
		"app/users": {nil, []byte("queue")},
		"part":      {nil, []byte("partition")},
	} {
		for _, layer := range layers {
			if _, err := s.root.Open(r, split(path), layer); err != nil {
				t.Errorf("%s with layer %q: %v", path, layer, err)
			}
		}
	}
}

func TestAPrefixWithKeysIsNotAllocated(t *testing.T) {
	for what, rows := range map[string]map[string]string{
		"keys outside directories": {"\x14": "", "\x14x": ""},
		"a manual prefix":          {"\xfe\x01\x14\x00\x01layer\x00": "", "\xfe\x01\x15\x00\x01layer\x00": ""},
		"longer manual prefixes":   {"\xfe\x01\x14a\x00\x01layer\x00": ""},
	} {
		t.Run(what, func(t *testing.T) {
			s := newStage(t)
			for n := byte(1); n < 64; n++ { // 0 is \x14
				if what == "keys outside directories" {
					rows[string([]byte{0x15, n, 'x'})] = ""
				} else if what == "longer manual prefixes" {
					rows["\xfe\x01"+string([]byte{0x15, n})+"a\x00\x01layer\x00"] = ""
				}
			}
			s.load(t, rows)
			_, err := s.root.Create(s.begin(t), []string{"x"}, nil)
			if !errors.Is(err, directory.ErrPrefixInUse) || !strings.Contains(err.Error(), "the allocator chose it") {
				t.Errorf("error %v, want that the prefix is in use", err)
			}
		})
	}
}

func TestAnAllocatedParentMayOverlapWithTheChosenPrefix(t *testing.T) {
	s := newStage(t)
	s.fill(t, subspace.FromBytes([]byte("\xfe\x01\xfe\x00\x01hca\x00")), 5)
	tx := s.begin(t)
	_, err := s.root.CreatePrefix(tx, []string{"a", "b"}, nil, []byte("\x15\x05\x01"))
	if !errors.Is(err, directory.ErrPrefixInUse) {
		t.Fatalf("error %v, want that the prefix is in use", err)
	}
	if names, err := s.root.List(tx, nil); err != nil || len(names) > 0 {
		t.Errorf("after the error there are %q (%v)", names, err)
	}
}

func TestErrorTextsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&directory.VersionError{Stored: [3]uint32{1, 2, 3}, ReadOnly: true},
			"the directories were written by a newer version, 1.2.3; with 1.0.0 it can only be read: use a newer Plinth"},
		{&directory.VersionError{Stored: [3]uint32{2, 0, 0}},
			"the directories were written by a newer version, 2.0.0; with 1.0.0 it can neither be read nor written: use a newer Plinth"},
		{&directory.Error{Op: "allocate a number", Err: directory.ErrOwnWritesHidden},
			"directory: cannot allocate a number: a transaction that creates directories has to see its own writes; leave WithReadYourWrites on"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("the text is %q, want %q", got, c.want)
		}
	}
}

// TestNewerVersionsAreRefused (D10).
func TestNewerVersionsAreRefused(t *testing.T) {
	for version, c := range map[string]struct{ read, write bool }{
		"\x01\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00": {true, true},
		"\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00": {true, false},
		"\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00": {false, false},
	} {
		s := newStage(t)
		s.load(t, manualRows())
		s.load(t, map[string]string{"\xfe\x01\xfe\x00\x01version\x00": version})
		for name, do := range map[string]func(tx *kv.Transaction) error{
			"open":   func(tx *kv.Transaction) error { return only(s.root.Open(tx, []string{"app"}, nil)) },
			"exists": func(tx *kv.Transaction) error { return only(s.root.Exists(tx, []string{"x"})) },
			"list":   func(tx *kv.Transaction) error { return only(s.root.List(tx, nil)) },
			"present": func(tx *kv.Transaction) error {
				return only(s.root.CreateOrOpen(tx, []string{"app"}, nil))
			},
			"create": func(tx *kv.Transaction) error { return only(s.root.Create(tx, []string{"x"}, nil)) },
			"move":   func(tx *kv.Transaction) error { return only(s.root.Move(tx, []string{"app"}, []string{"x"})) },
			"remove": func(tx *kv.Transaction) error { return s.root.Remove(tx, []string{"app"}) },
		} {
			allowed := c.write
			if name == "open" || name == "exists" || name == "list" || name == "present" {
				allowed = c.read
			}
			err := do(s.begin(t))
			var newer *directory.VersionError
			if (err == nil) != allowed || err != nil && (!errors.As(err, &newer) || newer.ReadOnly != c.read || !errors.Is(err, directory.ErrNewerVersion)) {
				t.Errorf("%s with version %q: %v, want it to work: %t", name, version, err, allowed)
			}
		}
	}
}

func TestDamagedMetadataIsNamed(t *testing.T) {
	const node = "\xfe\x01\xfe\x00"
	create := func(s *stage, tx *kv.Transaction) error { return only(s.root.Create(tx, []string{"x"}, nil)) }
	remove := func(s *stage, tx *kv.Transaction) error { return s.root.Remove(tx, []string{"app"}) }
	list := func(s *stage, tx *kv.Transaction) error { return only(s.root.List(tx, nil)) }
	choose := func(s *stage, tx *kv.Transaction) error {
		return only(s.root.CreatePrefix(tx, []string{"x"}, nil, []byte("\x02")))
	}
	createBlindly := func(s *stage, tx *kv.Transaction) error {
		tx.SetOptions(kv.WithSnapshotReadYourWrites(false)) // its addition would give the counter its length
		return create(s, tx)
	}
	for name, c := range map[string]struct {
		key, value string
		do         func(s *stage, tx *kv.Transaction) error
	}{
		"a short version":          {node + "\x01version\x00", "\x01", create},
		"a short counter":          {node + "\x01hca\x00\x14\x14", "\x01", createBlindly},
		"a window without number":  {node + "\x01hca\x00\x14\x02x\x00", "", create},
		"a window below zero":      {node + "\x01hca\x00\x14\x13\xfe", "", create},
		"a window without end":     {node + "\x01hca\x00\x14\x1c\x7f\xff\xff\xff\xff\xff\xff\xff", "", create},
		"a window of no tuple":     {node + "\x01hca\x00\x14\x30", "", create},
		"an empty prefix":          {node + "\x14\x02app\x00", "", remove},
		"an empty prefix below":    {"\xfe\x01\x80\x00\x14\x02users\x00", "", remove},
		"a name that is no string": {node + "\x14\x14", "\x99", list},
		"a name that is no tuple":  {node + "\x14\x30", "\x99", list},
		"a node without a prefix":  {"\xfe\x00", "", choose},
		"a node that is no tuple":  {"\xfe\x00\x30", "", choose},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.load(t, manualRows())
			s.load(t, map[string]string{c.key: c.value})
			err := c.do(s, s.begin(t))
			var damage *directory.MetadataError
			if !errors.Is(err, directory.ErrMetadata) || !errors.As(err, &damage) || string(damage.Key) != c.key ||
				!strings.Contains(err.Error(), tuple.Printable([]byte(c.key))) {
				t.Errorf("error %v, want one that names %q", err, c.key)
			}
		})
	}
}

// TestErrorsOfTheStoreAreReturnedAsTheyAre lets each call of the store fail.
func TestErrorsOfTheStoreAreReturnedAsTheyAre(t *testing.T) {
	for name, do := range map[string]func(s *stage, tx *kv.Transaction) error{
		"create": func(s *stage, tx *kv.Transaction) error { return only(s.root.Create(tx, []string{"x", "y"}, nil)) },
		"create with a prefix": func(s *stage, tx *kv.Transaction) error {
			return only(s.root.CreatePrefix(tx, []string{"x"}, nil, []byte("\xa0")))
		},
		"open":   func(s *stage, tx *kv.Transaction) error { return only(s.root.Open(tx, []string{"app", "users"}, nil)) },
		"exists": func(s *stage, tx *kv.Transaction) error { return only(s.root.Exists(tx, []string{"part", "x"})) },
		"list":   func(s *stage, tx *kv.Transaction) error { return only(s.root.List(tx, []string{"part"})) },
		"move":   func(s *stage, tx *kv.Transaction) error { return only(s.root.Move(tx, []string{"app"}, []string{"x"})) },
		"remove": func(s *stage, tx *kv.Transaction) error { return s.root.Remove(tx, []string{"app"}) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.load(t, manualRows())
			failures := 0
			for failing := 1; ; failing++ {
				calls := 0
				s.store.Hook = func(_ context.Context, call string) error {
					if call != "GetValues" && call != "GetRange" {
						return nil
					}
					if calls++; calls == failing {
						return kv.ErrProcessBehind
					}
					return nil
				}
				err := do(s, s.begin(t))
				if calls < failing {
					if err != nil || failures == 0 {
						t.Errorf("after %d failures: %v", failures, err)
					}
					return
				}
				failures++
				var own *directory.Error
				if !errors.Is(err, kv.ErrProcessBehind) || !kv.Retryable(err) || errors.As(err, &own) {
					t.Fatalf("call %d failed: error %v", failing, err)
				}
			}
		})
	}
}
