package embedded_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// commitOnce runs one try of a transaction.
func commitOnce(t testing.TB, db *kv.Database, f func(tx *kv.Transaction), options ...kv.TransactionOption) error {
	t.Helper()
	tx := db.Begin(context.Background(), options...)
	defer tx.Cancel()
	f(tx)
	return tx.Commit()
}

// readKey reads one key in a new transaction.
func readKey(db *kv.Database, key string, options ...kv.TransactionOption) ([]byte, error) {
	tx := db.Begin(context.Background(), options...)
	defer tx.Cancel()
	if _, err := tx.ReadVersion(); err != nil {
		return nil, err
	}
	return tx.Get([]byte(key)).Wait()
}

// A lock is data: it outlives the process that took it.
func TestALockOutlivesTheStoreThatTookIt(t *testing.T) {
	fs, id := vfs.NewMem(), kv.LockID{7}
	db, store := open(t, fs)
	begun := db.Begin(context.Background())
	begun.Set([]byte("k"), []byte("begun before"))
	if err := kv.LockDatabase(context.Background(), db, id); err != nil {
		t.Fatal(err)
	}
	if err := begun.Commit(); !errors.Is(err, kv.ErrDatabaseLocked) {
		t.Errorf("a transaction that began before the lock: %v", err)
	}
	begun.Cancel()
	closeStore(t, store)

	db, store = open(t, fs)
	defer closeStore(t, store)
	set := func(tx *kv.Transaction) { tx.Set([]byte("k"), []byte("v")) }
	if err := commitOnce(t, db, set); !errors.Is(err, kv.ErrDatabaseLocked) {
		t.Errorf("after opening again: %v", err)
	}
	if err := commitOnce(t, db, set, kv.WithLockAware(true)); err != nil {
		t.Errorf("a transaction that is aware of the lock: %v", err)
	}
	if value, err := readKey(db, "k", kv.WithReadLockAware(true)); err != nil || string(value) != "v" {
		t.Errorf("value %q, error %v", value, err)
	}
	if err := kv.LockDatabase(context.Background(), db, kv.LockID{8}); !errors.Is(err, kv.ErrDatabaseLocked) {
		t.Errorf("a lock over a lock: %v", err)
	}
	if err := kv.UnlockDatabase(context.Background(), db, id); err != nil {
		t.Fatal(err)
	}
	if err := commitOnce(t, db, set); err != nil {
		t.Errorf("after the lock: %v", err)
	}
}

func TestTheMetadataVersionComesWithReadVersions(t *testing.T) {
	fs := vfs.NewMem()
	db, store := open(t, fs)
	if value, err := readKey(db, kv.MetadataVersionKey); err != nil || value != nil {
		t.Errorf("new store: %x, %v", value, err)
	}
	var last []byte
	for range 3 {
		tx := db.Begin(context.Background())
		tx.SetVersionstampedValue([]byte(kv.MetadataVersionKey), make([]byte, 14))
		future := tx.Versionstamp()
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		stamp, err := future.Wait()
		if err != nil {
			t.Fatal(err)
		}
		tx.Cancel()
		last = bytes.Clone(stamp[:])
		if value, err := readKey(db, kv.MetadataVersionKey); err != nil || !bytes.Equal(value, last) {
			t.Errorf("%x, want %x; error %v", value, last, err)
		}
	}
	closeStore(t, store)
	db, store = open(t, fs)
	defer closeStore(t, store)
	if value, err := readKey(db, kv.MetadataVersionKey); err != nil || !bytes.Equal(value, last) {
		t.Errorf("after opening again: %x, want %x; error %v", value, last, err)
	}
	clearAll := func(tx *kv.Transaction) { tx.ClearRange(kv.SystemKeys()) }
	if err := commitOnce(t, db, clearAll, kv.WithSystemKeys(true)); err != nil {
		t.Fatal(err)
	}
	if value, err := readKey(db, kv.MetadataVersionKey); err != nil || value != nil {
		t.Errorf("cleared: %x, %v", value, err)
	}
}

func TestConflictingKeysComeFromTheResolver(t *testing.T) {
	db, store := open(t, vfs.NewMem())
	defer closeStore(t, store)
	tx := db.Begin(context.Background(), kv.WithReportConflictingKeys(true))
	defer tx.Cancel()
	for _, key := range []string{"a", "b", "c"} {
		if _, err := tx.Get([]byte(key)).Wait(); err != nil {
			t.Fatal(err)
		}
	}
	tx.Set([]byte("mine"), nil)
	if err := commitOnce(t, db, func(tx *kv.Transaction) { tx.Set([]byte("b"), nil) }); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); !errors.Is(err, kv.ErrNotCommitted) {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%q", tx.ConflictingKeys()); got != `[{"b" "b\x00"}]` {
		t.Errorf("conflicting %s", got)
	}
}

func TestLocalityOfTheEmbeddedStoreIsTheProcess(t *testing.T) {
	// All rows stay in the window, whose estimate is exact.
	db, store := open(t, vfs.NewMem(), embedded.WithTuning(func(tuning *embedded.Tuning) { tuning.IdleAfter = time.Hour }))
	defer closeStore(t, store)
	fill := func(tx *kv.Transaction) {
		for i := range 200 {
			tx.Set(fmt.Appendf(nil, "key-%03d", i), make([]byte, 1000))
		}
	}
	if err := commitOnce(t, db, fill); err != nil {
		t.Fatal(err)
	}
	tx := db.Begin(context.Background())
	defer tx.Cancel()
	if _, err := tx.ReadVersion(); err != nil { // the storage server has it then
		t.Fatal(err)
	}
	if _, err := tx.Get([]byte("key-000")).Wait(); err != nil {
		t.Fatal(err)
	}
	size, err := tx.EstimateRangeBytes(kv.AllKeys()).Wait()
	if err != nil || size < 150_000 || size > 300_000 {
		t.Errorf("%d bytes, want about 200,000; error %v", size, err)
	}
	points, err := tx.SplitPoints(kv.AllKeys(), 50_000).Wait()
	if err != nil || len(points) < 4 || len(points) > 7 {
		t.Errorf("points %q, want about five; error %v", points, err)
	}
	addresses, err := tx.AddressesForKey([]byte("key")).Wait()
	if err != nil || len(addresses) != 1 || addresses[0] != "127.0.0.1:0" {
		t.Errorf("addresses %q, error %v", addresses, err)
	}
	keys, err := db.BoundaryKeys(context.Background(), kv.AllKeys(), 0)
	if err != nil || len(keys) != 1 || len(keys[0]) != 0 {
		t.Errorf("boundaries %q, error %v", keys, err)
	}
}

// The special keys on the store itself come from its parts.
func TestStatusOfTheEmbeddedStoreIsItsOwn(t *testing.T) {
	db, store := open(t, vfs.NewMem())
	defer closeStore(t, store)
	if err := commitOnce(t, db, func(tx *kv.Transaction) { tx.Set([]byte("k"), []byte("v")) }); err != nil {
		t.Fatal(err)
	}
	text, err := readKey(db, "\xff\xff/status/json")
	if err != nil {
		t.Fatal(err)
	}
	var status struct {
		Client struct {
			Database struct{ Available bool } `json:"database_status"`
		}
		Cluster struct {
			Generation int
			Connection string                    `json:"connection_string"`
			Lock       struct{ Locked bool }     `json:"database_lock_state"`
			Processes  map[string]map[string]any `json:"processes"`
			Workload   struct {
				Transactions struct{ Committed struct{ Counter int } }
			}
		}
	}
	if err := json.Unmarshal(text, &status); err != nil {
		t.Fatal(err)
	}
	c := &status.Cluster
	if !status.Client.Database.Available || c.Generation != 1 || c.Lock.Locked || c.Workload.Transactions.Committed.Counter < 1 || len(c.Processes) != 1 {
		t.Errorf("status %s", text)
	}
	connection, err := readKey(db, "\xff\xff/connection_string")
	if err != nil || string(connection) != c.Connection || !bytes.HasPrefix(connection, []byte("plinth-embedded:")) {
		t.Errorf("connection string %q, in the status %q; error %v", connection, c.Connection, err)
	}
}

// On a disk that has a size the status tells it, and the health of log and
// storage server stands below the id of the store.
func TestStatusKnowsTheDiskAndTheHealthOfTheStore(t *testing.T) {
	db, store, err := embedded.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, store)
	text, err := readKey(db, "\xff\xff/status/json")
	if err != nil {
		t.Fatal(err)
	}
	var status struct {
		Cluster struct {
			Processes map[string]struct {
				Disk struct {
					Total float64 `json:"total_bytes"`
					Free  float64 `json:"free_bytes"`
				}
				Uptime float64 `json:"uptime_seconds"`
			}
		}
	}
	if err := json.Unmarshal(text, &status); err != nil {
		t.Fatal(err)
	}
	process := status.Cluster.Processes["embedded"]
	if process.Disk.Total <= 0 || process.Disk.Free <= 0 || process.Disk.Free > process.Disk.Total || process.Uptime <= 0 {
		t.Errorf("process %+v", process)
	}
	id, err := readKey(db, "\xff\xff/cluster_id")
	if err != nil {
		t.Fatal(err)
	}
	for key, field := range map[string]string{
		"aggregate": `"batch_limited":false`, "log/" + string(id): `"log_queue":`, "storage/" + string(id): `"storage_queue":`,
	} {
		if value, err := readKey(db, "\xff\xff/metrics/health/"+key); err != nil || !bytes.Contains(value, []byte(field)) {
			t.Errorf("%s: %s, error %v", key, value, err)
		}
	}
}

// The id of a store is a special key: the same after opening again, and another
// one for another store.
func TestTheIDOfAStoreIsASpecialKey(t *testing.T) {
	id := func(fs vfs.FS) string {
		db, store := open(t, fs)
		defer closeStore(t, store)
		value, err := readKey(db, "\xff\xff/cluster_id")
		if err != nil {
			t.Fatal(err)
		}
		stored, err := readKey(db, "\xff/clusterIdKey", kv.WithReadSystemKeys(true))
		if err != nil || fmt.Sprintf("%x", stored) != string(value) || len(value) != 32 {
			t.Errorf("id %q, stored is %x, error %v", value, stored, err)
		}
		return string(value)
	}
	fs := vfs.NewMem()
	if first, again, other := id(fs), id(fs), id(vfs.NewMem()); first != again || first == other {
		t.Errorf("id %s, %s after opening again, of another store %s", first, again, other)
	}
}
