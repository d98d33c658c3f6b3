package dump

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/plinthdb/plinth/cmd/plinth/internal/fakestore"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// openFake returns a database over a fake store with n rows, key000 and so on.
func openFake(t *testing.T, n int) (*fakestore.Store, *kv.Database) {
	store := fakestore.New()
	for i := range n {
		store.Put(fmt.Sprintf("key%03d", i), fmt.Sprintf("value\t%d", i))
	}
	db := kv.NewDatabase(store)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return store, db
}

// textOf is the lines of rows.
func textOf(rows []kv.KeyValue) string {
	var out []byte
	for _, row := range rows {
		out = Text.AppendLine(out, row)
	}
	return string(out)
}

func TestExportWritesARangeAtOneVersion(t *testing.T) {
	store, db := openFake(t, 20)
	var out bytes.Buffer
	var rows, size int64
	var last string
	report, err := Export(t.Context(), db, &out, ExportOptions{
		Range:    kv.KeyRange{Begin: []byte("key005"), End: []byte("key015")},
		Progress: func(r, b int64, key []byte) { rows, size, last = rows+r, size+b, string(key) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := textOf(store.Rows()[5:15]); out.String() != want {
		t.Errorf("exported\n%s\nwant\n%s", out.String(), want)
	}
	version := store.Version()
	want := ExportReport{Rows: 10, Bytes: int64(out.Len()), FirstVersion: version, LastVersion: version, Versions: 1}
	if report != want || !report.Consistent() {
		t.Errorf("report %+v, want %+v", report, want)
	}
	if rows != report.Rows || size != report.Bytes || last != "key014" {
		t.Errorf("progress adds up to %d rows and %d bytes and ends at key %q", rows, size, last)
	}
}

func TestExportOfNothingIsConsistent(t *testing.T) {
	store, db := openFake(t, 0)
	var out bytes.Buffer
	report, err := Export(t.Context(), db, &out, ExportOptions{Range: kv.AllKeys()})
	if err != nil || out.Len() != 0 || !report.Consistent() || report.FirstVersion != store.Version() {
		t.Errorf("exported %q, %+v, %v", out.String(), report, err)
	}
}

// TestExportGoesOnAtANewerVersion lets the first version become too old in the
// middle, with a commit in between.
func TestExportGoesOnAtANewerVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, db := openFake(t, 20)
		first := store.Version()
		before := store.Rows()
		var reads atomic.Int64
		store.Fault = func(call fakestore.Call, version wire.Version) error {
			if call == fakestore.GetRange && version == first && reads.Add(1) == 3 {
				store.Put("key000", "changed behind")
				store.Put("key019", "changed ahead")
			}
			if call == fakestore.GetRange && version == first && reads.Load() >= 3 {
				return wire.ErrTransactionTooOld
			}
			return nil
		}
		var out bytes.Buffer
		report, err := Export(t.Context(), db, &out, ExportOptions{Range: kv.AllKeys()})
		if err != nil {
			t.Fatal(err)
		}
		before[19].Value = []byte("changed ahead")
		if want := textOf(before); out.String() != want {
			t.Errorf("exported\n%s\nwant\n%s", out.String(), want)
		}
		if report.Versions != 2 || report.FirstVersion != first || report.LastVersion != store.Version() || report.Consistent() {
			t.Errorf("report %+v", report)
		}
	})
}

func TestExportOfOneVersionEndsWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, db := openFake(t, 20)
		var reads atomic.Int64
		store.Fault = func(call fakestore.Call, _ wire.Version) error {
			if call == fakestore.GetRange && reads.Add(1) == 3 {
				return wire.ErrTransactionTooOld
			}
			return nil
		}
		report, err := Export(t.Context(), db, &bytes.Buffer{}, ExportOptions{Range: kv.AllKeys(), OneVersion: true})
		if !errors.Is(err, kv.ErrTransactionTooOld) || report.Rows == 0 || report.Versions != 1 {
			t.Errorf("exported %+v, %v", report, err)
		}
	})
}

func TestExportGivesUpIfNoVersionCanBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // Its clock jumps over the back-off.
		store, db := openFake(t, 20)
		store.Fault = func(call fakestore.Call, _ wire.Version) error {
			if call == fakestore.GetRange {
				return wire.ErrTransactionTooOld
			}
			return nil
		}
		report, err := Export(t.Context(), db, &bytes.Buffer{}, ExportOptions{Range: kv.AllKeys()})
		if !errors.Is(err, kv.ErrTransactionTooOld) || report.Rows != 0 {
			t.Errorf("exported %+v, %v", report, err)
		}
	})
}

// limitedWriter fails after some bytes, as a full disk does.
type limitedWriter struct{ left int }

var errFull = errors.New("no space left")

func (w *limitedWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		return 0, errFull
	}
	w.left -= len(p)
	return len(p), nil
}

func TestExportEndsWithTheErrorOfItsWriter(t *testing.T) {
	_, db := openFake(t, 20)
	if _, err := Export(t.Context(), db, &limitedWriter{left: 100}, ExportOptions{Range: kv.AllKeys()}); !errors.Is(err, errFull) {
		t.Errorf("export to a full disk: %v", err)
	}
}

func TestExportEndsWithItsContext(t *testing.T) {
	_, db := openFake(t, 20)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Export(ctx, db, &bytes.Buffer{}, ExportOptions{Range: kv.AllKeys()}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled export: %v", err)
	}
}
