package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/cluster"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// storeWithRows makes a store of three rows in a directory, which is open no
// more. The commit has no idempotency id, which would be a mutation too.
func storeWithRows(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data")
	db, store, err := embedded.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = kv.Transact(context.Background(), db, func(tx *kv.Transaction) (struct{}, error) {
		for _, key := range []string{"a", "b", "c"} {
			tx.Set([]byte(key), []byte("value"))
		}
		return struct{}{}, nil
	}, kv.WithExactlyOnce(false))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestCheckOfAHealthyStoreSaysWhatItSaw(t *testing.T) {
	dir := storeWithRows(t)
	status, out, errOut := plinth(t, "check", dir)
	if status != statusOK || errOut != "" {
		t.Errorf("exit status %d, errors %q", status, errOut)
	}
	// Three of the mutations are the rows, one is the id of the store.
	for _, want := range []string{dir, "format 1", "4 mutations", "everything is in order"} {
		if !strings.Contains(out, want) {
			t.Errorf("the output does not mention %q: %s", want, out)
		}
	}
	status, out, _ = plinth(t, "check", "--json", dir)
	var r cluster.CheckReport
	if err := json.Unmarshal([]byte(out), &r); err != nil || status != statusOK || r.Log.Mutations != 4 || len(r.Problems) != 0 {
		t.Errorf("exit status %d, error %v, output %s", status, err, out)
	}
}

func TestCheckOfADamagedStoreFailsAndNamesFileAndOffset(t *testing.T) {
	dir := storeWithRows(t)
	segments, err := filepath.Glob(filepath.Join(dir, "log", "*.wal"))
	if err != nil || len(segments) == 0 {
		t.Fatalf("no segments: %v", err)
	}
	content, err := os.ReadFile(segments[0])
	if err != nil {
		t.Fatal(err)
	}
	content[4200] ^= 1 // in the first record after the link
	if err := os.WriteFile(segments[0], content, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"check", dir}, {"check", "--json", dir}} {
		status, out, errOut := plinth(t, args...)
		if status != statusFailed || !strings.Contains(errOut, "1 problem found") {
			t.Errorf("plinth %v: exit status %d, errors %q", args, status, errOut)
		}
		if !strings.Contains(out, segments[0]) || !strings.Contains(out, "offset 4200:") {
			t.Errorf("plinth %v: the output does not name file and offset: %s", args, out)
		}
	}
}

func TestCheckOfWhatIsNoStoreOrInUseFails(t *testing.T) {
	if status, _, errOut := plinth(t, "check", t.TempDir()); status != statusFailed || !strings.Contains(errOut, "not a data directory") {
		t.Errorf("an empty directory: exit status %d, errors %q", status, errOut)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, filepath.Join(file, "data")} {
		if status, _, errOut := plinth(t, "check", name); status != statusFailed || !strings.Contains(errOut, name+" is not a directory; name the directory of a store") {
			t.Errorf("%s: exit status %d, errors %q", name, status, errOut)
		}
	}
	dir := storeWithRows(t)
	_, store, err := embedded.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if status, _, errOut := plinth(t, "check", dir); status != statusFailed || !strings.Contains(errOut, "is in use by process") {
		t.Errorf("a directory in use: exit status %d, errors %q", status, errOut)
	}
}
