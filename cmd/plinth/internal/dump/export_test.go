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
	want := ExportReport{Rows: 10, Bytes: int64(out.Len()), Checksum: checksum(0, out.Bytes()), FirstVersion: version, LastVersion: version, Versions: 1}
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

// TestExportGoesOnFromEveryCheckpoint breaks off behind each write, and puts the
// two parts together.
func TestExportGoesOnFromEveryCheckpoint(t *testing.T) {
	store, db := openFake(t, 20)
	store.Put("", "of the empty key")
	errCut := errors.New("cut")
	whole := textOf(store.Rows())
	for cut := 1; ; cut++ {
		var out bytes.Buffer
		var at ExportCheckpoint
		writes := 0
		options := ExportOptions{Range: kv.AllKeys(), BufferBytes: 60, Checkpoint: func(c ExportCheckpoint) error {
			at = c
			if writes++; writes == cut {
				return errCut
			}
			return nil
		}}
		_, err := Export(t.Context(), db, &out, options)
		if err == nil {
			if cut < 5 {
				t.Errorf("all was written by %d writes", cut-1)
			}
			return
		}
		if !errors.Is(err, errCut) || int64(out.Len()) != at.Bytes || checksum(0, out.Bytes()) != at.Checksum {
			t.Fatalf("cut behind write %d: %v, %d bytes written, %+v", cut, err, out.Len(), at)
		}
		options.From, options.Checkpoint = at, nil
		report, err := Export(t.Context(), db, &out, options)
		if err != nil || out.String() != whole {
			t.Fatalf("cut behind write %d: %v, exported\n%s\nwant\n%s", cut, err, out.String(), whole)
		}
		// Nobody wrote meanwhile, so it is one version all the same.
		want := ExportReport{
			Rows: 21, Bytes: int64(len(whole)), Checksum: checksum(0, []byte(whole)), ResumedAfterRow: at.Rows,
			FirstVersion: store.Version(), LastVersion: store.Version(), Versions: 1,
		}
		if report != want {
			t.Errorf("report %+v, want %+v", report, want)
		}
	}
}

// TestAnInterruptedExportWritesAndNotesWhatItHasRead reads two replies, and then
// is interrupted.
func TestAnInterruptedExportWritesAndNotesWhatItHasRead(t *testing.T) {
	store, db := openFake(t, 20)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var reads atomic.Int64
	store.Fault = func(call fakestore.Call, _ wire.Version) error {
		if call == fakestore.GetRange && reads.Add(1) == 3 {
			interrupt()
		}
		return nil
	}
	var out bytes.Buffer
	var at ExportCheckpoint
	report, err := Export(ctx, db, &out, ExportOptions{Range: kv.AllKeys(), Checkpoint: func(c ExportCheckpoint) error {
		at = c
		return nil
	}})
	if !errors.Is(err, context.Canceled) || at.Rows == 0 || at.Rows >= 20 || at.Rows != report.Rows {
		t.Errorf("report %+v, checkpoint %+v, %v", report, at, err)
	}
	if want := textOf(store.Rows()[:at.Rows]); out.String() != want {
		t.Errorf("exported\n%s\nwant\n%s", out.String(), want)
	}
}

func TestExportDoesNotGoOnInAnOlderStore(t *testing.T) {
	store, db := openFake(t, 20)
	from := ExportCheckpoint{Rows: 1, Bytes: 15, Last: []byte("key000"), LastVersion: store.Version() + 1}
	var out bytes.Buffer
	if _, err := Export(t.Context(), db, &out, ExportOptions{Range: kv.AllKeys(), From: from}); !errors.Is(err, ErrOlderStore) || out.Len() > 0 {
		t.Errorf("exported %d bytes, %v", out.Len(), err)
	}
}
