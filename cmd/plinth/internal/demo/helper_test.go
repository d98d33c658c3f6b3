package demo

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// childVariable makes the test binary act as the child process on the store
// that it names.
const childVariable = "PLINTH_DEMO_TEST_CHILD"

const testAccounts, testWorkers = 8, 4

func TestMain(m *testing.M) {
	dir := os.Getenv(childVariable)
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := Child(context.Background(), dir, testAccounts, testWorkers, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// openMemory opens a store in memory for the test.
func openMemory(t *testing.T) *kv.Database {
	t.Helper()
	db, store, err := embedded.Open("data", embedded.InMemory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// sampleTree is a small source tree with an empty file, one of exactly one
// chunk and one of several.
func sampleTree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string][]byte{
		"go.mod":                 []byte("module sample\n"),
		"empty/nothing.go":       nil,
		"net/http/client.go":     bytes.Repeat([]byte("client "), 100),
		"net/http/server.go":     bytes.Repeat([]byte("server "), 40_000),
		"net/http/pprof/prof.go": []byte("package pprof\n"),
		"net/url/one-chunk.go":   bytes.Repeat([]byte{0}, kv.MaxValueBytes),
		"cmd/tool/main.go":       []byte("package main\n"),
	} {
		writeFile(t, dir, name, content)
	}
	return dir
}

func writeFile(t *testing.T, dir, name string, content []byte) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// importTree imports a tree into a store in memory.
func importTree(t *testing.T, dir string) (Archive, Source, Manifest) {
	t.Helper()
	a := NewArchive(openMemory(t))
	source, err := ListSource(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	manifest, _, err := a.Import(t.Context(), source, func(int64, int64) {})
	if err != nil {
		t.Fatal(err)
	}
	return a, source, manifest
}

// change writes to a store behind the back of the archive or bank.
func change(t *testing.T, db *kv.Database, f func(tx *kv.Transaction)) {
	t.Helper()
	_, err := kv.Transact(t.Context(), db, func(tx *kv.Transaction) (struct{}, error) {
		f(tx)
		return struct{}{}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// must returns the check that was made, or ends the test.
func must(t *testing.T, c Check, err error) Check {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// expectOK and expectFailure say how a check must have come out.
func expectOK(t *testing.T, c Check) {
	t.Helper()
	if !c.OK {
		t.Errorf("%s: failed with %q", c.Name, c.Detail)
	}
}

func expectFailure(t *testing.T, c Check, detail string) {
	t.Helper()
	if c.OK || !strings.Contains(c.Detail, detail) {
		t.Errorf("%s: ok %v, detail %q; it should have failed with %q", c.Name, c.OK, c.Detail, detail)
	}
}
