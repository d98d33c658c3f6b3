package fdb_test

import (
	"context"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// lent opens a store with Plinth's own client, and a Database on it.
func lent(t *testing.T) (*kv.Database, fdb.Database) {
	t.Helper()
	own, store, err := embedded.Open("", embedded.InMemory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	db, err := fdb.DatabaseOf(own)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return own, db
}

// getOwn is get with Plinth's own client.
func getOwn(t *testing.T, db *kv.Database, key string) string {
	t.Helper()
	value, err := kv.ReadTransact(context.Background(), db, func(r kv.Reader) ([]byte, error) {
		return r.Get([]byte(key)).Wait()
	})
	if err != nil {
		t.Fatal(err)
	}
	return text(value)
}

func TestADatabaseOfAnOpenStoreIsThatStore(t *testing.T) {
	own, db := lent(t)
	set(t, db, "k", "v")
	mustEqual(t, getOwn(t, own, "k"), "v")
	if fdb.KVDatabase(db) != own {
		t.Error("KVDatabase gives another database")
	}
}

// TestTheDatabaseOfAnOpenStoreClosesAlone closes it with a watch, a clock and a
// transaction under way.
func TestTheDatabaseOfAnOpenStoreClosesAlone(t *testing.T) {
	own, db := lent(t)
	tr := begin(t, db)
	if _, err := tr.GetReadVersion().Get(); err != nil { // starts the clock
		t.Fatal(err)
	}
	watch := tr.Watch(fdb.Key("k"))
	if err := tr.Commit().Get(); err != nil {
		t.Fatal(err)
	}
	if watch.IsReady() {
		t.Error("the watch is ready, and nothing has changed")
	}
	other := begin(t, db)
	db.Close()
	mustBeBare(t, watch.Get(), 9001)
	_, err := other.Get(fdb.Key("k")).Get()
	mustBeBare(t, err, 9001)
	_, err = db.CreateTransaction()
	mustBeBare(t, err, 9001)
	mustEqual(t, getOwn(t, own, "k"), "<nil>")
	again, err := fdb.DatabaseOf(own)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	set(t, again, "k", "v")
}

// storesIDs reports whether a commit on db stores the id that exactly once needs.
func storesIDs(t *testing.T, db fdb.Database) bool {
	t.Helper()
	ids := fdb.KeyRange{Begin: fdb.Key("\xff\x02/idmp/"), End: fdb.Key("\xff\x02/idmp0")}
	count := func() int {
		tr := begin(t, db)
		accept(t, tr.Options().SetReadSystemKeys())
		rows, err := tr.GetRange(ids, fdb.RangeOptions{}).GetSliceWithError()
		accept(t, err)
		return len(rows)
	}
	before := count()
	set(t, db, "k", "v")
	return count() > before
}

// TestTheDatabaseOfAnOpenStoreIsNotExactlyOnceByDefault, although the store is.
// The option changes that, for one Database alone.
func TestTheDatabaseOfAnOpenStoreIsNotExactlyOnceByDefault(t *testing.T) {
	own, db := lent(t)
	mustEqual(t, storesIDs(t, db), false)
	accept(t, db.Options().SetTransactionAutomaticIdempotency())
	mustEqual(t, storesIDs(t, db), true)
	another, err := fdb.DatabaseOf(own)
	accept(t, err)
	defer another.Close()
	mustEqual(t, storesIDs(t, another), false)
}
