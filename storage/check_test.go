package storage_test

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/storage"
)

func TestCheckOfAnEngineThatACrashLeftEmptyIsNoDamage(t *testing.T) {
	fs := vfs.NewMem()
	if err := fs.MkdirAll("db", 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.Check(t.Context(), fs, "db"); !errors.Is(err, storage.ErrNoEngine) {
		t.Errorf("an empty directory: %v", err)
	}
	db, err := pebble.Open("db", &pebble.Options{FS: fs, FormatMajorVersion: pebble.FormatNewest, DisableWAL: true, Logger: quietLogger{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	report, err := storage.Check(t.Context(), fs, "db")
	if err != nil || report.Version != 0 || report.Rows != 0 {
		t.Errorf("an engine without content: %+v, %v", report, err)
	}
}
