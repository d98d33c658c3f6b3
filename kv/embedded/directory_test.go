package embedded_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// A store goes on in the directory that it was opened in: in its log, its
// engine, and with what it writes when it is closed.
func TestAStoreStaysWhereItWasOpened(t *testing.T) {
	home, elsewhere := t.TempDir(), t.TempDir()
	t.Chdir(home)
	db, store, err := embedded.Open("data", small())
	if err != nil {
		t.Fatal(err)
	}
	if dir := store.Status().Dir; !filepath.IsAbs(dir) || filepath.Base(dir) != "data" {
		t.Errorf("the store is in %q, want an absolute path", dir)
	}
	if err := os.Chdir(elsewhere); err != nil { // t.Chdir undoes it in the end.
		t.Fatal(err)
	}
	for _, key := range []string{"a", "b", "c", "d"} {
		mustSet(t, db, key, strings.Repeat("x", 60_000))
	}
	closeStore(t, store)
	if names, err := os.ReadDir("."); err != nil || len(names) > 0 {
		t.Errorf("the directory changed to holds %v (%v)", names, err)
	}
	db, store, err = embedded.Open(filepath.Join(home, "data"))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, db, "d", strings.Repeat("x", 60_000))
	closeStore(t, store)
}

func TestADirectoryInUseIsKnownByItsOtherNames(t *testing.T) {
	t.Chdir(t.TempDir())
	_, store, err := embedded.Open("data")
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, store)
	if err := os.Symlink("data", "link"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"./data", "data/.", "link", filepath.Join("link", "..", "data")} {
		if _, _, err := embedded.Open(name); !errors.Is(err, kv.ErrDirectoryInUse) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The empty name must not pass for the working directory.
func TestAnEmptyDirectoryNameIsRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, _, err := embedded.Open(""); !errors.Is(err, kv.ErrClientInvalidOperation) || !strings.Contains(err.Error(), "name one, or use InMemory") {
		t.Errorf("Open: %v", err)
	}
	if _, err := embedded.Exists(""); !errors.Is(err, kv.ErrClientInvalidOperation) {
		t.Errorf("Exists: %v", err)
	}
	if names, err := os.ReadDir("."); err != nil || len(names) > 0 {
		t.Errorf("the working directory holds %v (%v)", names, err)
	}
	db, store, err := embedded.Open("", embedded.InMemory())
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, store)
	mustSet(t, db, "a", "1")
	expect(t, db, "a", "1")
}

func TestAnotherFileSystemGetsTheNameAsItIs(t *testing.T) {
	fs := vfs.NewMem()
	_, store := open(t, fs)
	defer closeStore(t, store)
	if _, err := fs.Stat("data/FORMAT"); err != nil || store.Status().Dir != "data" {
		t.Errorf("the store is in %q (%v)", store.Status().Dir, err)
	}
}

func TestExistsTellsAStoreFromWhatIsNone(t *testing.T) {
	t.Chdir(t.TempDir())
	_, store, err := embedded.Open("data")
	if err != nil {
		t.Fatal(err)
	}
	closeStore(t, store)
	if err := os.WriteFile("file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"data": true, ".": false, "none": false} {
		if found, err := embedded.Exists(name); err != nil || found != want {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
	if found, err := embedded.Exists("file"); found || !errors.Is(err, kv.ErrIO) {
		t.Errorf("a file: %v, %v", found, err)
	}
	if _, err := os.Stat("none"); !os.IsNotExist(err) {
		t.Errorf("Exists made something: %v", err)
	}
}
