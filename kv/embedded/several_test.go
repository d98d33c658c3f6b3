package embedded_test

import (
	"testing"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// A process may have several databases, each in a directory of its own: none
// sees the rows of another, and the end of one is nothing to the others.
func TestDatabasesOfAProcessInDirectoriesOfTheirOwnAreIndependent(t *testing.T) {
	dirs := [2]string{t.TempDir() + "/one", t.TempDir() + "/two"}
	openAt := func(dir string) (*kv.Database, *embedded.Store) {
		db, store, err := embedded.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		return db, store
	}
	first, firstStore := openAt(dirs[0])
	second, secondStore := openAt(dirs[1])
	mustSet(t, first, "a", "first")
	mustSet(t, second, "a", "second")
	mustSet(t, second, "b", "of the second alone")
	expect(t, first, "a", "first")
	expect(t, first, "b", "(absent)")
	closeStore(t, firstStore)
	if err := secondStore.Err(); err != nil {
		t.Errorf("the second store ended with the first: %v", err)
	}
	mustSet(t, second, "c", "after the end of the first")
	expect(t, second, "a", "second")
	first, firstStore = openAt(dirs[0]) // while the second is open
	expect(t, first, "a", "first")
	expect(t, first, "c", "(absent)")
	closeStore(t, secondStore)
	mustSet(t, first, "b", "after the end of the second")
	closeStore(t, firstStore)
	second, secondStore = openAt(dirs[1])
	expect(t, second, "b", "of the second alone")
	expect(t, second, "c", "after the end of the first")
	closeStore(t, secondStore)
}
