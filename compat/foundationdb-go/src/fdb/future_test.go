package fdb_test

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
)

// waitUntil calls done until it holds.
func waitUntil(done func() bool) {
	for !done() {
		runtime.Gosched()
	}
}

func TestAFutureBecomesReadyByPolling(t *testing.T) {
	db := open(t)
	set(t, db, "k", "v")
	tr := begin(t, db)
	value, key, version := tr.Get(fdb.Key("k")), tr.GetKey(fdb.LastLessOrEqual(fdb.Key("z"))), tr.GetReadVersion()
	size := tr.GetApproximateSize()
	for _, f := range []fdb.Future{value, key, version, size} {
		waitUntil(f.IsReady)
		f.Cancel() // too late
	}
	mustEqual(t, string(value.MustGet()), "v")
	mustEqual(t, string(key.MustGet()), "k")
	if version.MustGet() <= 0 || size.MustGet() <= 0 {
		t.Errorf("version %d, size %d", version.MustGet(), size.MustGet())
	}
}

func TestBlockUntilReadyMakesAFutureReady(t *testing.T) {
	db := open(t)
	tr := begin(t, db)
	tr.Set(fdb.Key("\xff\xff"), nil) // makes everything fail
	for _, f := range []fdb.Future{tr.Get(fdb.Key("k")), tr.GetKey(fdb.LastLessThan(fdb.Key("z"))), tr.Commit()} {
		f.BlockUntilReady()
		if !f.IsReady() {
			t.Errorf("%T is not ready", f)
		}
	}
}

func TestACancelledFutureSaysSo(t *testing.T) {
	db := open(t)
	tr := begin(t, db)
	value, key, version := tr.Get(fdb.Key("k")), tr.GetKey(fdb.LastLessOrEqual(fdb.Key("z"))), tr.GetReadVersion()
	for _, f := range []fdb.Future{value, key, version} {
		f.Cancel()
		if !f.IsReady() {
			t.Errorf("%T is not ready", f)
		}
	}
	_, err := value.Get()
	mustBeBare(t, err, 1101)
	_, err = key.Get()
	mustBeBare(t, err, 1101)
	_, err = version.Get()
	mustBeBare(t, err, 1101)
	if _, err := tr.Get(fdb.Key("k")).Get(); err != nil {
		t.Errorf("the transaction suffered: %v", err)
	}
}

func TestGetGivesTheSameAgainAndAgain(t *testing.T) {
	db := open(t)
	set(t, db, "k", "v", "empty", "")
	tr := begin(t, db)
	for key, want := range map[string][]byte{"k": []byte("v"), "absent": nil, "empty": {}} {
		f := tr.Get(fdb.Key(key))
		for range 3 {
			if got, err := f.Get(); err != nil || !bytes.Equal(got, want) || (got == nil) != (want == nil) {
				t.Errorf("%s: %q, %v", key, got, err)
			}
		}
		f.Cancel()
		if _, err := f.Get(); err != nil {
			t.Errorf("%s: a ready future was cancelled: %v", key, err)
		}
	}
}

func TestACommitCarriesOutTheReadsBeforeIt(t *testing.T) {
	db := open(t)
	set(t, db, "a", "1", "b", "2")
	tr := begin(t, db)
	value, key := tr.Get(fdb.Key("a")), tr.GetKey(fdb.FirstGreaterThan(fdb.Key("a")))
	rows := tr.GetRange(fdb.KeyRange{Begin: fdb.Key("a"), End: fdb.Key("z")}, fdb.RangeOptions{}).Iterator()
	tr.Set(fdb.Key("c"), nil)
	tr.Commit().MustGet()
	mustEqual(t, string(value.MustGet()), "1")
	mustEqual(t, string(key.MustGet()), "b")
	for _, want := range []string{"a", "b"} {
		if !rows.Advance() || string(rows.MustGet().Key) != want {
			t.Fatalf("no row %s", want)
		}
	}
	if rows.Advance() {
		t.Error("more rows than there were before the commit")
	}
}

func TestAWatchFiresAfterItsTransactionEnded(t *testing.T) {
	db := open(t)
	set(t, db, "k", "old")
	w, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) { return tr.Watch(fdb.Key("k")), nil })
	if err != nil {
		t.Fatal(err)
	}
	watch := w.(fdb.FutureNil)
	if watch.IsReady() {
		t.Fatal("it fired at once")
	}
	set(t, db, "k", "new")
	watch.BlockUntilReady()
	if err := watch.Get(); err != nil || !watch.IsReady() {
		t.Errorf("%v", err)
	}
	watch.Cancel()
	watch.MustGet()
}

func TestAWatchThatIsCancelledSaysSo(t *testing.T) {
	db := open(t)
	w, _ := db.Transact(func(tr fdb.Transaction) (interface{}, error) { return tr.Watch(fdb.Key("k")), nil })
	w.(fdb.FutureNil).Cancel()
	mustBeBare(t, w.(fdb.FutureNil).Get(), 1101)
}

func TestAWatchFailsWithItsTransaction(t *testing.T) {
	db := open(t)
	tr := begin(t, db)
	reset := tr.Watch(fdb.Key("k"))
	tr.Reset()
	mustBeBare(t, reset.Get(), 1025)

	conflict(t, db, tr)
	conflicted := tr.Watch(fdb.Key("k"))
	mustBeBare(t, tr.Commit().Get(), 1020)
	mustBeBare(t, conflicted.Get(), 1020)

	tr.Reset()
	if err := tr.Options().SetReadYourWritesDisable(); err != nil {
		t.Fatal(err)
	}
	mustBeBare(t, tr.Watch(fdb.Key("k")).Get(), 1034)
}

func TestAWatchFailsWhenItsTransactionIsDropped(t *testing.T) {
	db := open(t)
	tr, err := db.CreateTransaction()
	if err != nil {
		t.Fatal(err)
	}
	watch := tr.Watch(fdb.Key("k"))
	tr = fdb.Transaction{}
	waitUntil(func() bool {
		runtime.GC()
		return watch.IsReady()
	})
	mustBeBare(t, watch.Get(), 1025)
}

func TestWatchesAreLimitedByTheirOption(t *testing.T) {
	db := open(t)
	mustBeBare(t, db.Options().SetMaxWatches(1_000_001), 2006)
	if err := db.Options().SetMaxWatches(1); err != nil {
		t.Fatal(err)
	}
	tr := begin(t, db)
	first, second := tr.Watch(fdb.Key("a")), tr.Watch(fdb.Key("b"))
	mustBeBare(t, second.Get(), 1032)
	first.Cancel()
	if third := tr.Watch(fdb.Key("c")); third.IsReady() {
		t.Error(third.Get())
	}
}

func TestAVersionstampComesWithTheCommit(t *testing.T) {
	db := open(t)
	tr := begin(t, db)
	tr.SetVersionstampedValue(fdb.Key("k"), []byte("0123456789 and more\x00\x00\x00\x00"))
	stamp, polled := tr.GetVersionstamp(), tr.GetVersionstamp()
	polled.IsReady() // waits in the background
	tr.Commit().MustGet()
	waitUntil(polled.IsReady)
	mustEqual(t, get(t, db, "k"), string(stamp.MustGet())+" and more")
	mustEqual(t, string(polled.MustGet()), string(stamp.MustGet()))

	tr.Reset()
	stamp = tr.GetVersionstamp()
	tr.Commit().MustGet()
	_, err := stamp.Get()
	mustBeBare(t, err, 2021)
}

// Every kind of future gives its value, also the second time.
func TestFuturesOfAllKindsGiveTheirValues(t *testing.T) {
	db := open(t)
	set(t, db, "k", "v")
	tr := begin(t, db)
	var (
		value   fdb.FutureByteSlice   = tr.Get(fdb.Key("k"))
		key     fdb.FutureKey         = tr.GetKey(fdb.FirstGreaterOrEqual(fdb.Key("")))
		version fdb.FutureInt64       = tr.GetReadVersion()
		points  fdb.FutureKeyArray    = tr.GetRangeSplitPoints(allKeys, 1000)
		places  fdb.FutureStringSlice = tr.LocalityGetAddressesForKey(fdb.Key("k"))
		done    fdb.FutureNil         = tr.Commit()
	)
	done.MustGet()
	for range 2 {
		mustEqual(t, text(value.MustGet()), "v")
		mustEqual(t, key.MustGet().String(), "k")
		mustEqual(t, len(points.MustGet()), 2)
		mustEqual(t, len(places.MustGet()), 1)
		if version.MustGet() <= 0 {
			t.Error("no version")
		}
		accept(t, done.Get())
	}
	for _, f := range []fdb.Future{value, key, version, places, done} {
		f.BlockUntilReady()
		if !f.IsReady() {
			t.Errorf("%T is not ready", f)
		}
	}
}
