package fdb_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
)

// setters returns the names of the methods that set options.
func setters(options interface{}) []string {
	var names []string
	for typ, i := reflect.TypeOf(options), 0; i < typ.NumMethod(); i++ {
		if name := typ.Method(i).Name; strings.HasPrefix(name, "Set") {
			names = append(names, name)
		}
	}
	return names
}

// call calls a setter with a parameter that should be all right.
func call(options interface{}, name string) error {
	method := reflect.ValueOf(options).MethodByName(name)
	var in []reflect.Value
	for i := range method.Type().NumIn() {
		switch method.Type().In(i).Kind() {
		case reflect.Int64:
			in = append(in, reflect.ValueOf(int64(100)))
		case reflect.String:
			in = append(in, reflect.ValueOf("parameter"))
		default:
			in = append(in, reflect.ValueOf(make([]byte, 33)))
		}
	}
	err, _ := method.Call(in)[0].Interface().(error)
	return err
}

// refused are the options that are not accepted.
var refused = map[string]bool{"SetUseConfigDatabase": true, "SetInitializeNewDatabase": true}

func TestEveryOptionIsAcceptedOrRefusedWithANumber(t *testing.T) {
	db := open(t)
	for what, options := range map[string]func() interface{}{
		"network":     func() interface{} { return fdb.Options() },
		"database":    func() interface{} { return db.Options() },
		"transaction": func() interface{} { return begin(t, db).Options() },
		"snapshot":    func() interface{} { return begin(t, db).Snapshot().Options() },
	} {
		for _, name := range setters(options()) {
			o := options()
			if name == "SetLogTransaction" {
				mustBeBare(t, call(o, name), 2000) // it needs an identifier first
				if err := call(o, "SetDebugTransactionIdentifier"); err != nil {
					t.Error(err)
				}
			}
			err := call(o, name)
			if refused[name] {
				mustBeBare(t, err, 2108)
			} else if err != nil {
				t.Errorf("%s option %s: %v", what, name, err)
			}
		}
	}
	set(t, db, "k", "v") // with all the options of the database
}

// The README has one row for each option.
func TestTheREADMEListsEveryOption(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for heading, options := range map[string]interface{}{
		"### Network": fdb.NetworkOptions{}, "### Database": fdb.DatabaseOptions{}, "### Transaction": fdb.TransactionOptions{},
	} {
		_, section, found := strings.Cut(string(readme), "\n"+heading)
		if !found {
			t.Fatalf("no section %q", heading)
		}
		section, _, _ = strings.Cut(section, "\n###")
		for _, name := range setters(options) {
			if !strings.Contains(section, "`"+name+"`") {
				t.Errorf("%s lacks %s", heading, name)
			}
		}
	}
}

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
	db := open(t)
	tr := begin(t, db)
	if err := tr.Options().SetTimeout(1); err != nil {
		t.Fatal(err)
	}
	waitUntil(func() bool {
		_, err := tr.Get(fdb.Key("k")).Get()
		return err == error(fdb.Error{Code: 1031})
	})
	mustBeBare(t, tr.OnError(fdb.Error{Code: 1031}).Get(), 1031)
	tr.Reset()
	tr.Set(fdb.Key("k"), nil)
	tr.Commit().MustGet()
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
	tr := begin(t, open(t))
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
	tr := begin(t, open(t))
	tr.SetVersionstampedValue(fdb.Key("k"), []byte("##########\x00\x00\x00\x00"))
	_, err := tr.Get(fdb.Key("k")).Get()
	mustBeBare(t, err, 1036)
	if err := tr.Options().SetBypassUnreadable(); err != nil {
		t.Fatal(err)
	}
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
