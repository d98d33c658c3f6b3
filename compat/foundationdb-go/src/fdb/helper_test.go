package fdb_test

import (
	"bytes"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
)

// open opens a new store for one test.
func open(t testing.TB) fdb.Database {
	t.Helper()
	db, err := fdb.OpenDatabase("plinth-embedded:" + filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// begin begins a transaction that ends with the test.
func begin(t testing.TB, db fdb.Database) fdb.Transaction {
	t.Helper()
	tr, err := db.CreateTransaction()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Cancel)
	return tr
}

// set sets keys to values, which alternate.
func set(t testing.TB, db fdb.Database, pairs ...string) {
	t.Helper()
	_, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		for i := 0; i < len(pairs); i += 2 {
			tr.Set(fdb.Key(pairs[i]), []byte(pairs[i+1]))
		}
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// get returns the value of key, "<nil>" if it is absent.
func get(t testing.TB, db fdb.Database, key string) string {
	t.Helper()
	value, err := db.ReadTransact(func(tr fdb.ReadTransaction) (interface{}, error) {
		return tr.Get(fdb.Key(key)).Get()
	})
	if err != nil {
		t.Fatal(err)
	}
	return text(value.([]byte))
}

func text(value []byte) string {
	if value == nil {
		return "<nil>"
	}
	return string(value)
}

// mustBeBare fails the test if err is not the Error of a code itself, as
// programs expect that use a type assertion.
func mustBeBare(t testing.TB, err error, code int) {
	t.Helper()
	if e, ok := err.(fdb.Error); !ok || e.Code != code {
		t.Fatalf("the error is %#v, want %d", err, code)
	}
}

// logged runs f and returns what it leaves with the default logger, at any
// level.
func logged(f func()) string {
	var lines bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer func() {
		slog.SetDefault(before)
		log.SetOutput(os.Stderr) // the first call has changed it
		log.SetFlags(log.LstdFlags)
	}()
	f()
	return lines.String()
}

func mustEqual[T comparable](t testing.TB, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("got %v, want %v", got, want)
	}
}
