package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"

	"github.com/plinthdb/plinth/kv/tuple"
)

// store writes a program to a new store, whose cluster file it returns.
func store(t *testing.T, instructions ...tuple.Tuple) (clusterFile string) {
	t.Helper()
	fdb.MustAPIVersion(730)
	clusterFile = "plinth-embedded:" + filepath.Join(t.TempDir(), "store")
	db, err := fdb.OpenDatabase(clusterFile)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		for i, instruction := range instructions {
			tr.Set(fdb.Key(tuple.Tuple{[]byte("prefix"), i}.Pack()), instruction.Pack())
		}
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return clusterFile
}

func TestAStoredProgramWritesItsResults(t *testing.T) {
	clusterFile := store(t,
		tuple.Tuple{"PUSH", int64(42)}, tuple.Tuple{"PUSH", []byte("log/")}, tuple.Tuple{"LOG_STACK"})
	if err := run([]byte("prefix"), 730, clusterFile); err != nil {
		t.Fatal(err)
	}
	db, err := fdb.OpenDatabase(clusterFile)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	value, err := db.ReadTransact(func(tr fdb.ReadTransaction) (interface{}, error) {
		return tr.Get(fdb.Key("log/\x14\x14")).Get()
	})
	if err != nil || string(value.([]byte)) != "\x15\x2a" {
		t.Fatalf("the results are %q, %v", value, err)
	}
}

func TestAnInstructionThatMakesNoSenseIsNamed(t *testing.T) {
	clusterFile := store(t, tuple.Tuple{"PUSH", int64(42)}, tuple.Tuple{"JUGGLE"})
	err := run([]byte("prefix"), 730, clusterFile)
	if err == nil || !strings.Contains(err.Error(), "instruction 1 JUGGLE") {
		t.Fatalf("the error is %v", err)
	}
}
