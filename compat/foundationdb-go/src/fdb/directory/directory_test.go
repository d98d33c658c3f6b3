package directory_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
	"github.com/apple/foundationdb/bindings/go/src/fdb/directory"
	"github.com/apple/foundationdb/bindings/go/src/fdb/subspace"
	"github.com/apple/foundationdb/bindings/go/src/fdb/tuple"
)

func TestMain(m *testing.M) {
	fdb.MustAPIVersion(730)
	os.Exit(m.Run())
}

func open(t *testing.T) fdb.Database {
	t.Helper()
	db, err := fdb.OpenDatabase("plinth-embedded:" + filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// made fails the test if a directory could not be made or found.
func made(t *testing.T) func(d directory.DirectorySubspace, err error) directory.DirectorySubspace {
	return func(d directory.DirectorySubspace, err error) directory.DirectorySubspace {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
}

func TestADirectoryIsFoundByItsPath(t *testing.T) {
	db := open(t)
	users := made(t)(directory.CreateOrOpen(db, []string{"app", "users"}, []byte("table")))
	if _, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		tr.Set(users.Pack(tuple.Tuple{"ann", int64(1)}), []byte("mail"))
		return nil, nil
	}); err != nil {
		t.Fatal(err)
	}
	again := made(t)(directory.Open(db, []string{"app", "users"}, []byte("table")))
	if !bytes.Equal(again.Bytes(), users.Bytes()) || len(users.Bytes()) > 3 || string(again.GetLayer()) != "table" || !slices.Equal(again.GetPath(), []string{"app", "users"}) {
		t.Errorf("%v and %v", users, again)
	}
	if got := fmt.Sprint(users); got != "DirectorySubspace((app,users), "+fdb.Printable(users.Bytes())+")" {
		t.Error(got)
	}
	if _, err := db.ReadTransact(func(tr fdb.ReadTransaction) (interface{}, error) {
		row := tr.GetRange(again, fdb.RangeOptions{}).GetSliceOrPanic()[0]
		if key, err := again.Unpack(row.Key); err != nil || key.String() != `("ann", 1)` || !again.Contains(row.Key) {
			t.Errorf("%v, %v", key, err)
		}
		// In the reader's own transaction.
		made(t)(directory.Open(tr, []string{"app"}, nil))
		made(t)(directory.Open(tr.Snapshot(), []string{"app"}, nil))
		return nil, nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestTheErrorsWithNamesComeBare(t *testing.T) {
	db := open(t)
	made(t)(directory.Create(db, []string{"a"}, nil))
	if _, err := directory.Create(db, []string{"a"}, nil); err != directory.ErrDirAlreadyExists {
		t.Error(err)
	}
	for _, path := range [][]string{{"b"}, {"b", "c"}, {"a", "b"}} {
		if d, err := directory.Open(db, path, nil); err != directory.ErrDirNotExists || d != nil {
			t.Errorf("%q: %v", path, err)
		}
		if _, err := directory.List(db, path); err != directory.ErrDirNotExists {
			t.Errorf("%q: %v", path, err)
		}
	}
	for want, paths := range map[error][2]string{
		directory.ErrDirNotExists:          {"b", "c"},
		directory.ErrDirAlreadyExists:      {"a", "d"},
		directory.ErrParentDirDoesNotExist: {"a", "x/y"},
	} {
		made(t)(directory.CreateOrOpen(db, []string{"d"}, nil))
		_, err := directory.Move(db, strings.Split(paths[0], "/"), strings.Split(paths[1], "/"))
		if !errors.Is(err, want) || !strings.Contains(err.Error(), paths[1][:1]) {
			t.Errorf("%v: %v", want, err)
		}
	}
	for what, f := range map[string]func() (directory.DirectorySubspace, error){
		"another layer": func() (directory.DirectorySubspace, error) { return directory.Open(db, []string{"a"}, []byte("x")) },
		"a chosen prefix": func() (directory.DirectorySubspace, error) {
			return directory.Root().CreatePrefix(db, []string{"p"}, nil, []byte("p"))
		},
		"the root":        func() (directory.DirectorySubspace, error) { return directory.Open(db, nil, nil) },
		"moving the root": func() (directory.DirectorySubspace, error) { return directory.Root().MoveTo(db, []string{"x"}) },
		"moving to itself": func() (directory.DirectorySubspace, error) {
			return directory.Move(db, []string{"a"}, []string{"a", "b"})
		},
	} {
		if d, err := f(); err == nil || d != nil {
			t.Errorf("%s: %v", what, d)
		}
	}
}

func TestDirectoriesMoveListAndGo(t *testing.T) {
	db := open(t)
	a := made(t)(directory.Create(db, []string{"a"}, nil))
	made(t)(a.CreateOrOpen(db, []string{"b", "c"}, nil))
	moved := made(t)(directory.Move(db, []string{"a"}, []string{"z"}))
	again := made(t)(moved.MoveTo(db, []string{"y"}))
	if !bytes.Equal(again.Bytes(), a.Bytes()) {
		t.Errorf("%v became %v", a, again)
	}
	for path, want := range map[string]bool{"a": false, "z": false, "y": true, "y/b/c": true} {
		if got, err := directory.Exists(db, strings.Split(path, "/")); err != nil || got != want {
			t.Errorf("%s: %v, %v", path, got, err)
		}
	}
	if names, err := directory.List(db, nil); err != nil || !slices.Equal(names, []string{"y"}) {
		t.Errorf("%q, %v", names, err)
	}
	for _, want := range []bool{true, false} {
		if got, err := directory.Root().Remove(db, []string{"y"}); err != nil || got != want {
			t.Errorf("%v, %v", got, err)
		}
	}
	if _, err := directory.Root().Remove(db, nil); err == nil {
		t.Error("the root was removed")
	}
}

func TestATreeOfItsOwnMayAllowChosenPrefixes(t *testing.T) {
	db := open(t)
	tree := directory.NewDirectoryLayer(subspace.Sub("nodes"), subspace.Sub("content"), true)
	d := made(t)(tree.CreatePrefix(db, []string{"p"}, nil, []byte("chosen")))
	if string(d.Bytes()) != "chosen" {
		t.Error(d)
	}
	e := made(t)(tree.Create(db, []string{"q"}, nil))
	if !subspace.Sub("content").Contains(e) {
		t.Error(e)
	}
	if names, err := directory.List(db, nil); err != nil || len(names) > 0 {
		t.Errorf("%q, %v", names, err)
	}
}

func TestTheRootOfAPartitionHasNoContent(t *testing.T) {
	db := open(t)
	p := made(t)(directory.Create(db, []string{"p"}, []byte("partition")))
	inside := made(t)(p.CreateOrOpen(db, []string{"d"}, nil))
	if !slices.Equal(inside.GetPath(), []string{"p", "d"}) || string(p.GetLayer()) != "partition" {
		t.Error(inside, p)
	}
	for what, use := range map[string]func(){
		"Sub":                  func() { p.Sub("x") },
		"Bytes":                func() { p.Bytes() },
		"Pack":                 func() { p.Pack(nil) },
		"PackWithVersionstamp": func() { p.PackWithVersionstamp(nil) },
		"Unpack":               func() { p.Unpack(inside) },
		"Contains":             func() { p.Contains(inside) },
		"FDBKey":               func() { p.FDBKey() },
		"FDBRangeKeys":         func() { p.FDBRangeKeys() },
		"FDBRangeKeySelectors": func() { p.FDBRangeKeySelectors() },
	} {
		func() {
			defer func() {
				if s, ok := recover().(string); !ok || !strings.Contains(s, "partition") {
					t.Errorf("%s: %q", what, s)
				}
			}()
			use()
		}()
	}
}

// A conflict of the database must reach the retry loop around it.
func TestAConflictIsRetriedByWhoeverRunsTheTransaction(t *testing.T) {
	db, runs := open(t), 0
	_, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		runs++
		if ok, err := directory.Exists(tr, []string{"a"}); err != nil || ok != (runs > 1) {
			return nil, errors.Join(err, errors.New("unexpected"))
		}
		if runs == 1 {
			made(t)(directory.Create(db, []string{"a"}, nil))
		}
		return directory.CreateOrOpen(tr, []string{"a", "b"}, nil)
	})
	if err != nil || runs != 2 {
		t.Errorf("%d runs, %v", runs, err)
	}
	tr, err := db.CreateTransaction()
	if err != nil {
		t.Fatal(err)
	}
	tr.Cancel()
	_, err = directory.Open(tr, []string{"a"}, nil)
	if err != error(fdb.Error{Code: 1025}) {
		t.Error(err)
	}
}
