package storage_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/storage"
)

// damagedEngine makes an engine, damages its files whose names begin with
// prefix and end with suffix, and returns what opening it says.
func damagedEngine(t *testing.T, prefix, suffix string, damage func(fs vfs.FS, path string) error) error {
	t.Helper()
	fs, l := vfs.NewMem(), newFakeLog()
	if err := open(t, fs, l, nil).Close(); err != nil {
		t.Fatal(err)
	}
	names, err := fs.List("db")
	if err != nil {
		t.Fatal(err)
	}
	damaged := false
	for _, name := range names {
		if strings.HasPrefix(name, prefix) && strings.HasSuffix(name, suffix) {
			damaged = true
			if err := damage(fs, "db/"+name); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !damaged {
		t.Fatalf("there is no file %s*%s", prefix, suffix)
	}
	_, err = storage.Open(t.Context(), storage.Config{FS: fs, Dir: "db", Tag: 7, Log: l})
	return err
}

func remove(fs vfs.FS, path string) error { return fs.Remove(path) }

// lengthen adds a byte to a file.
func lengthen(fs vfs.FS, path string) error {
	f, err := fs.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		_, err = f.WriteAt([]byte{0}, info.Size())
	}
	return errors.Join(err, f.Close())
}

// empty makes a file one of no bytes.
func empty(fs vfs.FS, path string) error {
	f, err := fs.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	return f.Close()
}

func TestADamagedEngineFileIsNamedWithARemedy(t *testing.T) {
	for name, c := range map[string]struct {
		prefix, suffix string
		damage         func(vfs.FS, string) error
		text           string
	}{
		"missing manifest":    {"MANIFEST", "", remove, "is missing"},
		"missing table":       {"", ".sst", remove, "is missing"},
		"empty table":         {"", ".sst", empty, ".sst): 0 (disk)"},
		"longer table":        {"", ".sst", lengthen, "has not the length it was written with"},
		"missing format mark": {"marker.format", "", remove, "that marks its format is missing"},
	} {
		err := damagedEngine(t, c.prefix, c.suffix, c.damage)
		if !errors.Is(err, wire.ErrFileCorrupt) || !strings.Contains(err.Error(), "restore") || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAMessageHoldsFewOfTheEnginesFindings(t *testing.T) {
	var findings []error
	for i := range 9 {
		findings = append(findings, fmt.Errorf("file %d: %w", i, os.ErrNotExist))
	}
	err := storage.IOError("db", errors.Join(findings...))
	if text := err.Error(); !errors.Is(err, os.ErrNotExist) || strings.Contains(text, "\n") || !strings.HasSuffix(text, "; file 2: file does not exist; and 6 more") {
		t.Errorf("%q", text)
	}
}
