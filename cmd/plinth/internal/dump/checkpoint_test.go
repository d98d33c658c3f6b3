package dump

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/cmd/plinth/internal/fakestore"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// rowsOf is the newest rows of a store.
func rowsOf(store *fakestore.Store) map[string]string {
	rows := map[string]string{}
	for _, row := range store.Rows() {
		rows[string(row.Key)] = string(row.Value)
	}
	return rows
}

// killAt makes a store refuse the commit after n others, once, and only when
// those in flight behind it are done: the import ends as if the process were
// killed then, with later batches in the store and that one not. It is for the
// clock of synctest.
func killAt(store *fakestore.Store, n int64) {
	var commits atomic.Int64
	store.Fault = func(call fakestore.Call, _ wire.Version) error {
		if call == fakestore.Commit && commits.Add(1) == n+1 {
			<-time.After(time.Second) // It passes when nobody can get on.
			return wire.ErrDatabaseClosed
		}
		return nil
	}
}

// inputOf is lines that set few keys many times, with lines that are no rows in
// between, and the rows that they lead to.
func inputOf(count int, rng *rand.Rand) (text string, lines []kv.KeyValue) {
	var b strings.Builder
	for i := range count {
		if rng.IntN(8) == 0 {
			fmt.Fprintf(&b, "not a row %d\n", i)
			lines = append(lines, kv.KeyValue{})
			continue
		}
		row := rowOf(fmt.Sprintf("key%d", rng.IntN(25)), fmt.Sprintf("value %d", i))
		b.Write(JSON.AppendLine(nil, row))
		lines = append(lines, row)
	}
	return b.String(), lines
}

// TestAnImportKilledAtAnyBatchGoesOnAtItsCheckpoint kills an import after each
// number of commits, goes on at each checkpoint that it gave, since the last
// ones may be lost with the process, and lets somebody write in between.
func TestAnImportKilledAtAnyBatchGoesOnAtItsCheckpoint(t *testing.T) {
	const count = 16
	text, lines := inputOf(count, rand.New(rand.NewPCG(1, 2)))
	for kill := range int64(count) {
		synctest.Test(t, func(t *testing.T) {
			for lost := 0; killAndResume(t, text, lines, kill, lost); {
				lost++
			}
		})
	}
}

// killAndResume kills an import after some commits and goes on at the
// checkpoint before the last lost ones. It reports whether there were so many.
func killAndResume(t *testing.T, text string, lines []kv.KeyValue, kill int64, lost int) bool {
	t.Helper()
	store := fakestore.New()
	db := kv.NewDatabase(store)
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	killAt(store, kill)
	checkpoints := []Checkpoint{{}}
	options := ImportOptions{
		Range: kv.AllKeys(), Format: JSON, ContinueOnError: true, BatchBytes: 1 + int(kill%3)*150, InFlight: 3,
		Checkpoint: func(c Checkpoint) error {
			checkpoints = append(checkpoints, c)
			return nil
		},
	}
	_, err := Import(t.Context(), db, strings.NewReader(text), options)
	if err != nil && !errors.Is(err, wire.ErrDatabaseClosed) {
		t.Fatal(err)
	}
	if lost >= len(checkpoints) {
		return false
	}
	store.Fault = nil
	at := checkpoints[len(checkpoints)-1-lost]
	checkImported(t, store, lines[:at.Line])
	want := map[string]string{}
	for i, line := range lines {
		if line.Key == nil {
			continue
		}
		if int64(i) < at.Line {
			want[string(line.Key)] = "written meanwhile"
		} else {
			want[string(line.Key)] = string(line.Value)
		}
	}
	for key, value := range want {
		if value == "written meanwhile" {
			store.Put(key, value)
		}
	}
	options.From = at
	report, err := Import(t.Context(), db, strings.NewReader(text), options)
	if err != nil {
		t.Fatalf("D5: from %+v: %v", at, err)
	}
	if got := rowsOf(store); !maps.Equal(got, want) {
		t.Errorf("D5: killed after %d commits, from %+v: got %v, want %v", kill, at, got, want)
	}
	bad := int64(strings.Count(text, "not a row"))
	if report.Lines != int64(len(lines)) || report.ImportedToLine != report.Lines || report.ResumedAfterLine != at.Line || report.BadLines != bad {
		t.Errorf("report %+v of an import of %d lines, %d of them bad, from %+v", report, len(lines), bad, at)
	}
	return true
}

// checkImported checks that the store has what the lines before a checkpoint
// set, or what a later line did.
func checkImported(t *testing.T, store *fakestore.Store, before []kv.KeyValue) {
	t.Helper()
	rows := rowsOf(store)
	for i, line := range before {
		var by int
		if line.Key == nil {
			continue
		}
		if _, err := fmt.Sscanf(rows[string(line.Key)], "value %d", &by); err != nil || by < i {
			t.Errorf("D5: line %d sets %s and is before the checkpoint, but the store has %q", i+1, line.Key, rows[string(line.Key)])
		}
	}
}

func TestCheckpointsAreOfTheLinesBefore(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		text, _ := inputOf(30, rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 0)))
		db := kv.NewDatabase(fakestore.New())
		last := Checkpoint{}
		_, err := Import(t.Context(), db, strings.NewReader(text), ImportOptions{
			Range: kv.AllKeys(), Format: JSON, ContinueOnError: true,
			BatchBytes: rapid.IntRange(1, 300).Draw(r, "batch"), InFlight: rapid.IntRange(1, 5).Draw(r, "in flight"),
			Checkpoint: func(c Checkpoint) error {
				before := text[:c.Bytes]
				if int64(strings.Count(before, "\n")) != c.Line || int64(strings.Count(before, "not a row")) != c.BadLines ||
					checksum(0, []byte(before)) != c.Checksum || c.Line <= last.Line {
					r.Fatalf("checkpoint %+v after %+v of\n%s", c, last, text)
				}
				last = c
				return nil
			},
		})
		if err != nil || last.Bytes != int64(len(text)) {
			r.Fatalf("the last checkpoint is %+v of %d bytes, %v", last, len(text), err)
		}
		if err := db.Close(); err != nil {
			r.Fatal(err)
		}
	})
}

func TestAnotherInputIsNotResumed(t *testing.T) {
	var at Checkpoint
	_, db := openFake(t, 0)
	note := ImportOptions{Range: kv.AllKeys(), Checkpoint: func(c Checkpoint) error { at = c; return nil }}
	if _, err := Import(t.Context(), db, strings.NewReader("a\t1\nb\t2\n"), note); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"a\t1\n":             "it has 1 lines, 2 were imported",
		"a\t1\nb\t3\nc\t4\n": "its first 2 lines differ",
		"a\t1\nb\t2":         "its first 2 lines differ",
		"a\t1\r\nb\t2\n":     "its first 2 lines differ",
	} {
		store, db := openFake(t, 0)
		_, err := Import(t.Context(), db, strings.NewReader(text), ImportOptions{Range: kv.AllKeys(), From: at})
		if !errors.Is(err, ErrOtherInput) || !strings.Contains(err.Error(), want) || len(store.Rows()) > 0 {
			t.Errorf("%q: %v, %d rows, want %q", text, err, len(store.Rows()), want)
		}
	}
	// What stands behind the checkpoint may have been mended, and may be more.
	store, db := openFake(t, 0)
	if _, err := Import(t.Context(), db, strings.NewReader("a\t1\nb\t2\nc\t4\n"), ImportOptions{Range: kv.AllKeys(), From: at}); err != nil {
		t.Error(err)
	}
	if got := textOf(store.Rows()); got != "c\t4\n" {
		t.Errorf("imported %q, want what stands behind the checkpoint", got)
	}
}

func TestABadLineIsNotBeforeTheCheckpointThatItLeaves(t *testing.T) {
	_, db := openFake(t, 0)
	var at Checkpoint
	note := ImportOptions{Range: kv.AllKeys(), Checkpoint: func(c Checkpoint) error { at = c; return nil }}
	if _, err := Import(t.Context(), db, strings.NewReader("a\t1\nb\t2\nbad\n"), note); !errors.As(err, new(BadLine)) {
		t.Fatal(err)
	}
	if want := (Checkpoint{Line: 2, Bytes: 8, Checksum: checksum(0, []byte("a\t1\nb\t2\n"))}); at != want {
		t.Errorf("checkpoint %+v, want %+v", at, want)
	}
}

func TestAnImportEndsIfItsCheckpointCannotBeKept(t *testing.T) {
	_, db := openFake(t, 0)
	_, err := Import(t.Context(), db, strings.NewReader("a\t1\n"), ImportOptions{
		Range: kv.AllKeys(), Checkpoint: func(Checkpoint) error { return errFull },
	})
	if !errors.Is(err, errFull) || !strings.Contains(err.Error(), "up to 1 are imported") {
		t.Errorf("error %v", err)
	}
}

func TestPassingOverImportedLinesCanBeInterrupted(t *testing.T) {
	_, db := openFake(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	from := Checkpoint{Line: 10 * skipStep}
	_, err := Import(ctx, db, strings.NewReader(strings.Repeat("a\t1\n", 10*skipStep)), ImportOptions{Range: kv.AllKeys(), From: from})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "interrupted before line") {
		t.Errorf("error %v", err)
	}
}
