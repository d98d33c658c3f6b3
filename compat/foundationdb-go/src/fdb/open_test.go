package fdb_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
)

// write makes a file and returns its name.
func write(t testing.TB, name, content string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func mustOpen(t testing.TB, db fdb.Database, err error) fdb.Database {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// All ways to name one directory give one store.
func TestAStoreIsOneHoweverItIsNamed(t *testing.T) {
	home := t.TempDir()
	t.Chdir(home)
	t.Setenv("FDB_CLUSTER_FILE", "plinth-embedded:data")
	file := write(t, filepath.Join(home, "some.cluster"), "# a comment\nplinth-embedded:data # another\n")
	first, err := fdb.OpenDatabase("plinth-embedded:data")
	first = mustOpen(t, first, err)
	set(t, first, "k", "v")
	if err := os.Symlink("data", "link"); err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func() (fdb.Database, error){
		"relative": func() (fdb.Database, error) { return fdb.OpenDatabase("plinth-embedded:./data") },
		"absolute": func() (fdb.Database, error) {
			return fdb.OpenDatabase("plinth-embedded:" + filepath.Join(home, "data"))
		},
		"symlink":     func() (fdb.Database, error) { return fdb.OpenDatabase("plinth-embedded:link") },
		"content":     func() (fdb.Database, error) { return fdb.OpenDatabase(file) },
		"string":      func() (fdb.Database, error) { return fdb.OpenWithConnectionString("plinth-embedded:data\n") },
		"environment": fdb.OpenDefault,
		"default":     func() (fdb.Database, error) { return fdb.OpenDatabase(fdb.DefaultClusterFile) },
		"old":         func() (fdb.Database, error) { return fdb.Open(file, []byte("DB")) },
		"cluster": func() (fdb.Database, error) {
			cluster, err := fdb.CreateCluster(file)
			if err != nil {
				return fdb.Database{}, err
			}
			return cluster.OpenDatabase([]byte("DB"))
		},
		"must":          func() (fdb.Database, error) { return fdb.MustOpen(file, []byte("DB")), nil },
		"must database": func() (fdb.Database, error) { return fdb.MustOpenDatabase(file), nil },
		"must default":  func() (fdb.Database, error) { return fdb.MustOpenDefault(), nil },
	} {
		t.Run(name, func(t *testing.T) {
			db, err := open()
			db = mustOpen(t, db, err)
			mustEqual(t, get(t, db, "k"), "v")
		})
	}
	mustEqual(t, get(t, first, "k"), "v") // the others are closed
}

// A directory in a file is taken from where the file is, so that the program
// may run anywhere.
func TestADirectoryInAFileIsBesideTheFile(t *testing.T) {
	home := t.TempDir()
	t.Chdir(t.TempDir())
	db, err := fdb.OpenDatabase(write(t, filepath.Join(home, "fdb.cluster"), "plinth-embedded:data"))
	mustOpen(t, db, err)
	if _, err := os.Stat(filepath.Join(home, "data", "FORMAT")); err != nil {
		t.Error(err)
	}
}

func TestTheDefaultClusterFileIsLookedForInOrder(t *testing.T) {
	home := t.TempDir()
	t.Chdir(home)
	t.Setenv("FDB_CLUSTER_FILE", "") // restores it in the end
	if err := os.Unsetenv("FDB_CLUSTER_FILE"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("/etc/foundationdb/fdb.cluster"); err != nil {
		mustFail(t, fdb.OpenDefault, 1515, "/etc/foundationdb/fdb.cluster", "plinth-embedded:DIR")
	}
	write(t, "fdb.cluster", "plinth-embedded:here")
	db, err := fdb.OpenDefault()
	mustOpen(t, db, err)
	if _, err := os.Stat(filepath.Join(home, "here")); err != nil {
		t.Error(err)
	}
	t.Setenv("FDB_CLUSTER_FILE", "") // does not fall back
	mustFail(t, fdb.OpenDefault, 1515, "FDB_CLUSTER_FILE")
}

// mustFail fails the test if open succeeds, if its error is not the bare Error
// of the code, or if the log leaves something out.
func mustFail(t testing.TB, open func() (fdb.Database, error), code int, says ...string) {
	t.Helper()
	var err error
	lines := strings.ReplaceAll(logged(func() { _, err = open() }), `\"`, `"`)
	mustBeBare(t, err, code)
	for _, s := range says {
		if !strings.Contains(lines, s) {
			t.Errorf("the log does not say %q: %s", s, lines)
		}
	}
}

func TestWhatCannotBeOpenedSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	real := "description:0123abCD@10.0.0.1:4500,[::1]:4500:tls"
	for name, c := range map[string]struct {
		open func() (fdb.Database, error)
		code int
		says []string
	}{
		"a real cluster file": {func() (fdb.Database, error) {
			return fdb.OpenDatabase(write(t, filepath.Join(dir, "real"), real+"\n"))
		}, 2108, []string{filepath.Join(dir, "real"), real, "plinth-embedded:DIR"}},
		"a real connection string": {func() (fdb.Database, error) { return fdb.OpenWithConnectionString(real) }, 2108, []string{real, "plinth-embedded:DIR"}},
		"garbage": {func() (fdb.Database, error) {
			return fdb.OpenDatabase(write(t, filepath.Join(dir, "garbage"), "garbage"))
		}, 2104, []string{"garbage", "plinth-embedded:DIR"}},
		"an empty file": {func() (fdb.Database, error) { return fdb.OpenDatabase(write(t, filepath.Join(dir, "empty"), "")) }, 2104, []string{"plinth-embedded:DIR"}},
		"a large file": {func() (fdb.Database, error) {
			return fdb.OpenDatabase(write(t, filepath.Join(dir, "large"), strings.Repeat("x", 2<<20)))
		}, 2104, []string{"2097152 bytes"}},
		"no file":        {func() (fdb.Database, error) { return fdb.OpenDatabase(filepath.Join(dir, "none")) }, 1515, []string{filepath.Join(dir, "none"), "plinth-embedded:DIR"}},
		"a directory":    {func() (fdb.Database, error) { return fdb.OpenDatabase(dir) }, 1513, []string{dir}},
		"no directory":   {func() (fdb.Database, error) { return fdb.OpenDatabase("plinth-embedded:") }, 2104, []string{"plinth-embedded:"}},
		"other database": {func() (fdb.Database, error) { return fdb.Open("plinth-embedded:"+dir, []byte("other")) }, 2013, nil},
		"a file as store": {func() (fdb.Database, error) {
			return fdb.OpenDatabase("plinth-embedded:" + write(t, filepath.Join(dir, "file"), ""))
		}, 1510, []string{filepath.Join(dir, "file")}},
	} {
		t.Run(name, func(t *testing.T) { mustFail(t, c.open, c.code, c.says...) })
	}
}

// A program that does not show its log still learns what to do.
func TestTheNumbersOfOpeningSayWhatToDo(t *testing.T) {
	for code, says := range map[int]string{
		1515: "plinth-embedded:DIR", 2104: "plinth-embedded:DIR", 2108: "plinth-embedded:DIR", 9002: "another process",
	} {
		if text := (fdb.Error{Code: code}).Error(); !strings.Contains(text, says) {
			t.Errorf("%q does not say %q", text, says)
		}
	}
}

func TestMustOpenPanicsWithTheError(t *testing.T) {
	defer func() {
		err, ok := recover().(error)
		if !ok {
			t.Fatal("no error")
		}
		mustBeBare(t, err, 1515)
	}()
	fdb.MustOpenDatabase(filepath.Join(t.TempDir(), "none"))
}

func TestTheLastHandleClosesTheStore(t *testing.T) {
	name := "plinth-embedded:" + filepath.Join(t.TempDir(), "store")
	first, second := fdb.MustOpenDatabase(name), fdb.MustOpenDatabase(name)
	set(t, first, "k", "v")
	first.Close()
	first.Close() // does nothing more
	_, err := first.CreateTransaction()
	mustBeBare(t, err, 9001)
	_, err = first.Transact(nil)
	mustBeBare(t, err, 9001)
	_, err = first.ReadTransact(nil)
	mustBeBare(t, err, 9001)
	mustBeBare(t, first.Options().SetMaxWatches(1), 9001)
	mustEqual(t, get(t, second, "k"), "v")

	tr, err := second.CreateTransaction()
	if err != nil {
		t.Fatal(err)
	}
	tr.Set(fdb.Key("late"), nil)
	value, stamp := tr.Get(fdb.Key("k")), begin(t, second).GetVersionstamp()
	stamp.IsReady()                                         // waits in the background, for ever if nobody ends it
	watch, late := tr.Watch(fdb.Key("k")), begin(t, second) // a watch that is never armed
	second.Close()
	mustBeBare(t, watch.Get(), 9001)
	if !tr.GetVersionstamp().IsReady() {
		t.Error("a stamp that never comes is not ready")
	}
	_, err = value.Get()
	mustBeBare(t, err, 1025) // asking for the stamp has ended the transaction
	_, err = late.Get(fdb.Key("k")).Get()
	mustBeBare(t, err, 9001)
	if _, err := stamp.Get(); err == nil {
		t.Error("a stamp without a commit")
	}
	if !value.IsReady() || !tr.GetReadVersion().IsReady() {
		t.Error("futures of a closed store are not ready")
	}

	third := fdb.MustOpenDatabase(name)
	defer third.Close()
	mustEqual(t, get(t, third, "k"), "v")
}

// The variables by which this test binary does something else in a process of
// its own.
const (
	taskVariable = "PLINTH_COMPAT_TASK"
	dirVariable  = "PLINTH_COMPAT_DIR"
)

// process runs a task of inProcess in another process and returns what it
// prints.
func process(t *testing.T, task, dir string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), taskVariable+"="+task, dirVariable+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", task, err, out)
	}
	return string(bytes.TrimSpace(out))
}

func TestADirectoryOfAnotherProcessIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	db := fdb.MustOpenDatabase("plinth-embedded:" + dir)
	defer db.Close()
	set(t, db, "k", "v")
	out := process(t, "open", dir)
	if !strings.Contains(out, "9002") || !strings.Contains(out, "another process") || !strings.Contains(out, dir) { // the log too
		t.Error(out)
	}
}

// Another directory under the name of one that is open is not the store that was
// opened there, nor the doing of another process.
func TestADirectoryThatWasReplacedIsNotTheStoreOfBefore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	name := "plinth-embedded:" + dir
	db := fdb.MustOpenDatabase(name)
	set(t, db, "k", "v")
	for _, recreate := range []bool{false, true} {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if recreate {
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		lines := logged(func() {
			_, err := fdb.OpenDatabase(name)
			mustBeBare(t, err, 9002)
		})
		if !strings.Contains(lines, "removed or renamed while this process") || !strings.Contains(lines, dir) {
			t.Errorf("recreated %v: %s", recreate, lines)
		}
	}
	db.Close()
	again := fdb.MustOpenDatabase(name)
	defer again.Close()
	mustEqual(t, get(t, again, "k"), "<nil>")
}

func TestAProgramThatJustEndsLosesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	mustEqual(t, process(t, "commit and exit", dir), "committed")
	db := fdb.MustOpenDatabase("plinth-embedded:" + dir)
	defer db.Close()
	mustEqual(t, get(t, db, "k"), "v")
}

func TestAnAPIVersionIsSelectedOnce(t *testing.T) {
	if err := fdb.APIVersion(730); err != nil {
		t.Error(err)
	}
	mustBeBare(t, fdb.APIVersion(720), 2201)
	if version, err := fdb.GetAPIVersion(); err != nil || version != 730 || fdb.MustGetAPIVersion() != 730 || !fdb.IsAPIVersionSelected() {
		t.Errorf("%d, %v", version, err)
	}
	var e fdb.Error
	defer func() { mustEqual(t, recover(), any(fdb.Error{Code: 2201})) }()
	if !errors.As(fdb.APIVersion(200), &e) {
		t.Error("no Error")
	}
	fdb.MustAPIVersion(710)
}
