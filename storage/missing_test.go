package storage_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/storage"
)

func TestAMissingEngineFileIsDamageWithARemedy(t *testing.T) {
	fs, l := vfs.NewMem(), newFakeLog()
	s := open(t, fs, l, nil)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := fs.List("db")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasPrefix(name, "MANIFEST") {
			if err := fs.Remove("db/" + name); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, err = storage.Open(t.Context(), storage.Config{FS: fs, Dir: "db", Tag: 7, Log: l})
	if !errors.Is(err, wire.ErrFileCorrupt) || !strings.Contains(err.Error(), "restore") {
		t.Errorf("open: %v, want file_corrupt with a remedy", err)
	}
}
