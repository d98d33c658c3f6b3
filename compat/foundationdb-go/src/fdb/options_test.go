package fdb_test

import (
	"strings"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
)

func TestValuesOutOfRangeAreRefusedAtOnce(t *testing.T) {
	db := open(t)
	tr := begin(t, db)
	o, d := tr.Options(), db.Options()
	for name, err := range map[string]error{
		"timeout":               o.SetTimeout(-1),
		"long timeout":          o.SetTimeout(1 << 31),
		"retry limit":           o.SetRetryLimit(-2),
		"retry delay":           o.SetMaxRetryDelay(-1),
		"small size limit":      o.SetSizeLimit(31),
		"large size limit":      o.SetSizeLimit(10_000_001),
		"no identifier":         o.SetDebugTransactionIdentifier(""),
		"long identifier":       o.SetDebugTransactionIdentifier(strings.Repeat("x", 101)),
		"old log":               o.SetTransactionLoggingEnable(""),
		"span":                  o.SetSpanParent([]byte("short")),
		"watches":               d.SetMaxWatches(-1),
		"database timeout":      d.SetTransactionTimeout(-1),
		"database retry limit":  d.SetTransactionRetryLimit(-2),
		"database retry delay":  d.SetTransactionMaxRetryDelay(-1),
		"database size limit":   d.SetTransactionSizeLimit(0),
		"huge database timeout": d.SetTransactionTimeout(1 << 40),
	} {
		t.Run(name, func(t *testing.T) { mustBeBare(t, err, 2006) })
	}
	mustBeBare(t, o.SetTag(strings.Repeat("x", 17)), 2110)
	if _, err := tr.Get(fdb.Key("k")).Get(); err != nil {
		t.Errorf("the transaction suffered: %v", err)
	}
}

func TestASixthTagFailsTheTransaction(t *testing.T) {
	tr := begin(t, open(t))
	for _, tag := range []string{"a", "b", "c", "d", "e", "e", "f"} {
		if err := tr.Options().SetTag(tag); err != nil {
			t.Fatal(err)
		}
	}
	_, err := tr.Get(fdb.Key("k")).Get()
	mustBeBare(t, err, 2109)
}

func TestATimeOutEndsATransactionUntilItsReset(t *testing.T) {
	for _, ofAll := range []bool{false, true} {
		db := open(t)
		if ofAll {
			accept(t, db.Options().SetTransactionTimeout(1))
		}
		tr := begin(t, db)
		if !ofAll {
			accept(t, tr.Options().SetTimeout(1))
		}
		waitUntil(func() bool {
			_, err := tr.Get(fdb.Key("k")).Get()
			return err == error(fdb.Error{Code: 1031})
		})
		mustBeBare(t, tr.OnError(fdb.Error{Code: 1031}).Get(), 1031)
		accept(t, db.Options().SetTransactionTimeout(0))
		tr.Reset()
		tr.Set(fdb.Key("k"), nil)
		tr.Commit().MustGet()
	}
}

func TestOptionsOfTheDatabaseHoldForItsTransactions(t *testing.T) {
	name := "plinth-embedded:" + t.TempDir()
	db, other := fdb.MustOpenDatabase(name), fdb.MustOpenDatabase(name)
	defer db.Close()
	defer other.Close()
	if err := db.Options().SetTransactionRetryLimit(1); err != nil {
		t.Fatal(err)
	}
	if err := db.Options().SetTransactionSizeLimit(100); err != nil {
		t.Fatal(err)
	}
	runs := 0
	_, err := other.Transact(func(tr fdb.Transaction) (interface{}, error) {
		runs++
		conflict(t, db, tr)
		return nil, nil
	})
	mustBeBare(t, err, 1020)
	mustEqual(t, runs, 2)
	tr := begin(t, other)
	tr.Set(fdb.Key("k"), make([]byte, 100))
	mustBeBare(t, tr.Commit().Get(), 2101)
	tr.Reset()
	if err := tr.Options().SetSizeLimit(1000); err != nil { // its own goes before
		t.Fatal(err)
	}
	tr.Set(fdb.Key("k"), make([]byte, 100))
	tr.Commit().MustGet()
	if err := db.Options().SetTransactionRetryLimit(-1); err != nil { // the last one holds
		t.Fatal(err)
	}
	if _, err := other.Transact(func(tr fdb.Transaction) (interface{}, error) {
		if runs++; runs < 6 {
			return nil, fdb.Error{Code: 1020}
		}
		return nil, nil
	}); err != nil {
		t.Error(err)
	}
}

func TestOptionsAboutReadingOwnWritesDoAsTheySay(t *testing.T) {
	db := open(t)
	accept(t, db.Options().SetSnapshotRywDisable())
	early := begin(t, db)
	accept(t, db.Options().SetSnapshotRywEnable())
	early.Set(fdb.Key("k"), []byte("own"))
	mustEqual(t, text(early.Snapshot().Get(fdb.Key("k")).MustGet()), "<nil>")
	tr := begin(t, db)
	snapshot := func() string { return text(tr.Snapshot().Get(fdb.Key("k")).MustGet()) }
	for _, err := range []error{tr.Options().SetSnapshotRywDisable(), tr.Options().SetReportConflictingKeys()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	tr.Set(fdb.Key("k"), []byte("own"))
	mustEqual(t, snapshot(), "<nil>")
	mustEqual(t, text(tr.Get(fdb.Key("k")).MustGet()), "own")
	if err := tr.Options().SetSnapshotRywEnable(); err != nil {
		t.Fatal(err)
	}
	mustEqual(t, snapshot(), "own")

	tr.Reset()
	if err := tr.Options().SetReadYourWritesDisable(); err != nil {
		t.Fatal(err)
	}
	tr.Set(fdb.Key("k"), []byte("own"))
	mustEqual(t, text(tr.Get(fdb.Key("k")).MustGet()), "<nil>")

	tr.Reset()
	tr.Set(fdb.Key("k"), nil)
	if err := tr.Options().SetReadYourWritesDisable(); err != nil {
		mustBeBare(t, err, 2000)
	}
	_, err := tr.Get(fdb.Key("k")).Get()
	mustBeBare(t, err, 2000)
}

func TestBypassUnreadableShowsTheStampAsGiven(t *testing.T) {
	db := open(t)
	tr := begin(t, db)
	tr.SetVersionstampedValue(fdb.Key("k"), []byte("##########\x00\x00\x00\x00"))
	_, err := tr.Get(fdb.Key("k")).Get()
	mustBeBare(t, err, 1036)
	accept(t, tr.Options().SetBypassUnreadable())
	mustEqual(t, text(tr.Get(fdb.Key("k")).MustGet()), "##########")

	accept(t, db.Options().SetTransactionBypassUnreadable())
	tr = begin(t, db)
	tr.SetVersionstampedValue(fdb.Key("k"), []byte("##########\x00\x00\x00\x00"))
	mustEqual(t, text(tr.Get(fdb.Key("k")).MustGet()), "##########")
}

func TestSystemKeysNeedTheirOption(t *testing.T) {
	tr := begin(t, open(t))
	key := fdb.Key("\xff/something")
	_, err := tr.Get(key).Get()
	mustBeBare(t, err, 2004)
	tr.Reset()
	if err := tr.Options().SetReadSystemKeys(); err != nil {
		t.Fatal(err)
	}
	tr.Get(key).MustGet()
	tr.Set(key, nil)
	mustBeBare(t, tr.Commit().Get(), 2004)
	tr.Reset()
	if err := tr.Options().SetAccessSystemKeys(); err != nil {
		t.Fatal(err)
	}
	tr.Set(key, []byte("v"))
	mustEqual(t, text(tr.Get(key).MustGet()), "v")
}

func TestTheNextWriteMayGoWithoutAConflict(t *testing.T) {
	db := open(t)
	for _, without := range []bool{true, false} {
		reader := begin(t, db)
		reader.Get(fdb.Key("k")).MustGet()
		reader.Set(fdb.Key("mine"), nil)
		writer := begin(t, db)
		if without {
			if err := writer.Options().SetNextWriteNoWriteConflictRange(); err != nil {
				t.Fatal(err)
			}
		}
		writer.Set(fdb.Key("k"), []byte("v"))
		writer.Commit().MustGet()
		if err := reader.Commit().Get(); (err == nil) != without {
			t.Errorf("without a conflict %v: %v", without, err)
		}
	}
}
