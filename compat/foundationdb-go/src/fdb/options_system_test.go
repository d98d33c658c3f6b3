package fdb_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"

	"github.com/plinthdb/plinth/kv"
)

// accept fails the test if an option was refused.
func accept(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestALockedDatabaseIsForThoseWhoAreAware(t *testing.T) {
	db := open(t)
	if err := kv.LockDatabase(context.Background(), fdb.KVDatabase(db), kv.LockID{1}); err != nil {
		t.Fatal(err)
	}
	unaware, aware, reader := begin(t, db), begin(t, db), begin(t, db)
	accept(t, aware.Options().SetLockAware(), reader.Options().SetReadLockAware())
	_, err := unaware.GetReadVersion().Get()
	mustBeBare(t, err, 1038)
	aware.Set(fdb.Key("k"), []byte("v"))
	accept(t, aware.Commit().Get())
	mustEqual(t, text(reader.Get(fdb.Key("k")).MustGet()), "v")
	reader.Set(fdb.Key("k"), nil)
	mustBeBare(t, reader.Commit().Get(), 2023)
}

func TestSpecialKeysTakeTheirOptions(t *testing.T) {
	db := open(t)
	tr := begin(t, db)
	all := fdb.KeyRange{Begin: fdb.Key("\xff\xff"), End: fdb.Key("\xff\xff\xff")}
	_, err := tr.GetRange(all, fdb.RangeOptions{}).GetSliceWithError()
	mustBeBare(t, err, 2112)
	accept(t, tr.Options().SetSpecialKeySpaceRelaxed())
	if rows, err := tr.GetRange(all, fdb.RangeOptions{}).GetSliceWithError(); err != nil || len(rows) == 0 {
		t.Errorf("%v, %v", rows, err)
	}

	lock := fdb.Key("\xff\xff/management/db_locked")
	tr.Reset()
	tr.Set(lock, []byte("0123456789abcdef0123456789abcdef"))
	mustBeBare(t, tr.Commit().Get(), 2114)
	tr.Reset()
	accept(t, tr.Options().SetSpecialKeySpaceEnableWrites())
	tr.Set(lock, []byte("0123456789abcdef0123456789abcdef"))
	accept(t, tr.Commit().Get())
	_, err = begin(t, db).Get(fdb.Key("k")).Get()
	mustBeBare(t, err, 1038)
}

func TestConflictingKeysAreReportedIfThatIsAsked(t *testing.T) {
	db := open(t)
	for _, asked := range []bool{false, true} {
		tr := begin(t, db)
		if asked {
			accept(t, tr.Options().SetReportConflictingKeys())
		}
		conflict(t, db, tr)
		mustBeBare(t, tr.Commit().Get(), 1020)
		prefix := "\xff\xff/transaction/conflicting_keys/"
		rows, err := tr.GetRange(fdb.KeyRange{Begin: fdb.Key(prefix), End: fdb.Key(prefix + "\xff")}, fdb.RangeOptions{}).GetSliceWithError()
		if err != nil || (len(rows) > 0) != asked {
			t.Errorf("asked %v: %v, %v", asked, rows, err)
		}
	}
}

// Exactly once shows in the ids that are stored with each commit.
func TestAutomaticIdempotencyStoresIDs(t *testing.T) {
	for name, ask := range map[string]func(db fdb.Database, tr fdb.Transaction) error{
		"nobody":      func(fdb.Database, fdb.Transaction) error { return nil },
		"transaction": func(_ fdb.Database, tr fdb.Transaction) error { return tr.Options().SetAutomaticIdempotency() },
		"database": func(db fdb.Database, _ fdb.Transaction) error {
			return db.Options().SetTransactionAutomaticIdempotency()
		},
	} {
		db := open(t)
		tr := begin(t, db)
		accept(t, ask(db, tr))
		if name == "database" {
			tr = begin(t, db) // options hold for transactions that begin after them
		}
		tr.Set(fdb.Key("k"), nil)
		accept(t, tr.Commit().Get())
		reader := begin(t, db)
		accept(t, reader.Options().SetReadSystemKeys())
		ids := fdb.KeyRange{Begin: fdb.Key("\xff\x02/idmp/"), End: fdb.Key("\xff\x02/idmp0")}
		if rows, err := reader.GetRange(ids, fdb.RangeOptions{}).GetSliceWithError(); err != nil || (len(rows) > 0) != (name != "nobody") {
			t.Errorf("%s: %v, %v", name, rows, err)
		}
	}
}

// A cached read version is one that this process has seen, which the log of the
// transaction says, and none that does not exist.
func TestACachedReadVersionIsNotNewerThanTheStore(t *testing.T) {
	lines := logged(func() {
		db := open(t)
		seen := begin(t, db).GetReadVersion().MustGet()
		// On a busy machine what was seen may be too old by the time it is wanted,
		// and the store be asked: hardly every time.
		for range 50 {
			set(t, db, "k", "v")
			cached := begin(t, db)
			accept(t, cached.Options().SetUseGrvCache(), cached.Options().SetDebugTransactionIdentifier("mine"), cached.Options().SetLogTransaction())
			version, newest := cached.GetReadVersion().MustGet(), begin(t, db).GetReadVersion().MustGet()
			if version < seen || version > newest {
				t.Errorf("cached %d, seen before %d, newest %d", version, seen, newest)
			}
		}
	})
	if !strings.Contains(lines, "cached=true") {
		t.Errorf("no version was one that had been seen before: %s", lines)
	}
}

// startsOf returns how many transactions of each priority the store of db has
// started, as its status tells. To ask starts one of immediate priority.
func startsOf(t *testing.T, db fdb.Database) (batch, immediate int) {
	var status struct {
		Cluster struct {
			Workload struct {
				Transactions map[string]struct{ Counter int }
			}
		}
	}
	text := begin(t, db).Get(fdb.Key("\xff\xff/status/json")).MustGet()
	if err := json.Unmarshal(text, &status); err != nil {
		t.Fatal(err)
	}
	started := status.Cluster.Workload.Transactions
	return started["started_batch_priority"].Counter, started["started_immediate_priority"].Counter
}

func TestTransactionsStartAtTheirPriority(t *testing.T) {
	db := open(t)
	const starts = 20
	for range starts {
		tr := begin(t, db)
		accept(t, tr.Options().SetPriorityBatch())
		tr.GetReadVersion().MustGet()
	}
	batch, before := startsOf(t, db)
	if batch != starts || before >= starts {
		t.Errorf("%d of batch priority and %d of immediate, after %d of batch", batch, before, starts)
	}
	for range starts {
		tr := begin(t, db)
		accept(t, tr.Options().SetPrioritySystemImmediate())
		tr.GetReadVersion().MustGet()
	}
	if batch, immediate := startsOf(t, db); batch != starts || immediate-before < starts {
		t.Errorf("%d of batch priority and %d of immediate, after %d of each", batch, immediate-before, starts)
	}
}

func TestBothKindsOfTagsCount(t *testing.T) {
	tr := begin(t, open(t))
	for _, tag := range []string{"a", "b", "c"} {
		accept(t, tr.Options().SetTag(tag), tr.Options().SetAutoThrottleTag(tag+tag))
	}
	_, err := tr.Get(fdb.Key("k")).Get()
	mustBeBare(t, err, 2109)
	mustBeBare(t, tr.Options().SetAutoThrottleTag(strings.Repeat("x", 17)), 2110)
}

// A transaction that is to be logged says what it does, and cuts long keys.
func TestATransactionIsLoggedIfThatIsAsked(t *testing.T) {
	for name, ask := range map[string]func(d fdb.DatabaseOptions, begin func() fdb.TransactionOptions) []error{
		"two options": func(_ fdb.DatabaseOptions, begin func() fdb.TransactionOptions) []error {
			o := begin()
			return []error{o.SetDebugTransactionIdentifier("mine"), o.SetLogTransaction(), o.SetTransactionLoggingMaxFieldLength(3)}
		},
		"the old option": func(_ fdb.DatabaseOptions, begin func() fdb.TransactionOptions) []error {
			o := begin()
			return []error{o.SetTransactionLoggingEnable("mine"), o.SetTransactionLoggingMaxFieldLength(3)}
		},
		"a length for all": func(d fdb.DatabaseOptions, begin func() fdb.TransactionOptions) []error {
			length := d.SetTransactionLoggingMaxFieldLength(3)
			o := begin()
			return []error{length, o.SetDebugTransactionIdentifier("mine"), o.SetLogTransaction()}
		},
		"a name alone": func(_ fdb.DatabaseOptions, begin func() fdb.TransactionOptions) []error {
			return []error{begin().SetDebugTransactionIdentifier("mine")}
		},
	} {
		lines := logged(func() {
			db := open(t)
			var tr fdb.Transaction
			accept(t, ask(db.Options(), func() fdb.TransactionOptions { tr = begin(t, db); return tr.Options() })...)
			tr.Get(fdb.Key("abcdef")).MustGet()
		})
		if asked := name != "a name alone"; strings.Contains(lines, "transaction=mine key=abc...") != asked {
			t.Errorf("%s: %s", name, lines)
		}
	}
}
