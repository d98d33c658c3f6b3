package dump

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/cmd/plinth/internal/fakestore"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

func TestWhatWasExportedImportsToTheSame(t *testing.T) {
	any := rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte("\x00\t\n\r\\\"{}\x7f")))
	key := rapid.SliceOfN(any, 0, 12).Filter(func(b []byte) bool { return len(b) == 0 || b[0] != systemPrefix })
	rapid.Check(t, func(r *rapid.T) {
		source, target := fakestore.New(), fakestore.New()
		for range rapid.IntRange(0, 30).Draw(r, "rows") {
			source.Put(string(key.Draw(r, "key")), string(rapid.SliceOfN(any, 0, 40).Draw(r, "value")))
		}
		format := rapid.SampledFrom(Formats()).Draw(r, "format")
		from, to := kv.NewDatabase(source), kv.NewDatabase(target)
		var out bytes.Buffer
		exported, err := Export(t.Context(), from, &out, ExportOptions{Range: kv.AllKeys(), Format: format})
		if err != nil {
			r.Fatal(err)
		}
		imported, err := Import(t.Context(), to, &out, ImportOptions{
			Range: kv.AllKeys(), Format: format, BatchBytes: rapid.IntRange(1, 500).Draw(r, "batch"),
		})
		if err != nil {
			r.Fatal(err)
		}
		if got, want := textOf(target.Rows()), textOf(source.Rows()); got != want {
			r.Fatalf("imported\n%s\nwant\n%s", got, want)
		}
		if imported.Rows != exported.Rows || imported.Lines != exported.Rows || imported.ImportedToLine != exported.Rows || imported.Unfinished {
			r.Fatalf("imported %+v, exported %+v", imported, exported)
		}
		if err := errors.Join(from.Close(), to.Close()); err != nil {
			r.Fatal(err)
		}
	})
}

// TestOfLinesWithOneKeyTheLastWins imports few keys in many small batches.
func TestOfLinesWithOneKeyTheLastWins(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		store := fakestore.New()
		db := kv.NewDatabase(store)
		model := map[string]string{}
		var text strings.Builder
		for i := range rapid.IntRange(0, 40).Draw(r, "lines") {
			key := fmt.Sprint(rapid.IntRange(0, 9).Draw(r, "key"))
			model[key] = fmt.Sprint(i)
			fmt.Fprintf(&text, "%s\t%d\n", key, i)
		}
		options := ImportOptions{
			Range:      kv.AllKeys(),
			BatchBytes: rapid.IntRange(1, 200).Draw(r, "batch"),
			InFlight:   rapid.IntRange(1, 6).Draw(r, "in flight"),
		}
		if _, err := Import(t.Context(), db, strings.NewReader(text.String()), options); err != nil {
			r.Fatal(err)
		}
		got := map[string]string{}
		for _, row := range store.Rows() {
			got[string(row.Key)] = string(row.Value)
		}
		if !maps.Equal(got, model) {
			r.Fatalf("D3: got %v, want %v from\n%s", got, model, text.String())
		}
		if err := db.Close(); err != nil {
			r.Fatal(err)
		}
	})
}

// held is a fake store whose commits wait for release, and counts them.
type held struct {
	*fakestore.Store
	waiting atomic.Int64
	release chan struct{}
}

func holdCommits(s *fakestore.Store) *held {
	h := &held{Store: s, release: make(chan struct{})}
	s.Fault = func(call fakestore.Call, _ wire.Version) error {
		if call == fakestore.Commit {
			h.waiting.Add(1)
			<-h.release
			h.waiting.Add(-1)
		}
		return nil
	}
	return h
}

func TestBatchesInFlightAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, db := openFake(t, 0)
		h := holdCommits(store)
		var text strings.Builder
		for i := range 50 {
			fmt.Fprintf(&text, "%03d\tvalue\n", i)
		}
		done := make(chan error)
		go func() {
			_, err := Import(t.Context(), db, strings.NewReader(text.String()), ImportOptions{Range: kv.AllKeys(), BatchBytes: 1, InFlight: 3})
			done <- err
		}()
		synctest.Wait()
		if n := h.waiting.Load(); n != 3 {
			t.Errorf("%d commits in flight, want 3", n)
		}
		close(h.release)
		if err := <-done; err != nil || len(store.Rows()) != 50 {
			t.Errorf("%d rows imported, %v", len(store.Rows()), err)
		}
	})
}

func TestBatchesWithTheSameKeyWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, db := openFake(t, 0)
		h := holdCommits(store)
		done := make(chan error)
		go func() {
			_, err := Import(t.Context(), db, strings.NewReader("a\t1\nc\t1\nb\t2\na\t3\n"), ImportOptions{Range: kv.AllKeys(), BatchBytes: 1})
			done <- err
		}()
		synctest.Wait()
		if n := h.waiting.Load(); n != 3 { // a, c and b, but not the second a.
			t.Errorf("%d commits in flight, want 3", n)
		}
		close(h.release)
		if err := <-done; err != nil || textOf(store.Rows()) != "a\t3\nb\t2\nc\t1\n" {
			t.Errorf("imported %q, %v", textOf(store.Rows()), err)
		}
	})
}

func TestImportStopsAtABadLine(t *testing.T) {
	store, db := openFake(t, 0)
	report, err := Import(t.Context(), db, strings.NewReader("a\t1\n\nb\t2\nno tab\nc\t3\n"), ImportOptions{Range: kv.AllKeys()})
	var bad BadLine
	if !errors.As(err, &bad) || bad.Number != 4 || err.Error() != "line 4: no tab between key and value" {
		t.Errorf("error %v", err)
	}
	if got := textOf(store.Rows()); got != "a\t1\nb\t2\n" {
		t.Errorf("imported %q, want what stands before the bad line", got)
	}
	want := ImportReport{Lines: 4, Rows: 2, Bytes: 4, BadLines: 1, Transactions: 1, ImportedToLine: 3}
	if report != want {
		t.Errorf("report %+v, want %+v", report, want)
	}
}

func TestImportGoesOnAfterBadLinesIfAsked(t *testing.T) {
	store, db := openFake(t, 0)
	var numbers []int64
	var progress int64
	text := "\\q\t\na\t1\n\\xff/system\tx\nb\t2\n" + strings.Repeat("x", maxLineBytes+1) + "\nc\t3"
	report, err := Import(t.Context(), db, strings.NewReader(text), ImportOptions{
		Range:           kv.AllKeys(),
		ContinueOnError: true,
		Bad:             func(b BadLine) { numbers = append(numbers, b.Number) },
		Progress:        func(_, bytes int64) { progress += bytes },
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := textOf(store.Rows()); got != "a\t1\nb\t2\nc\t3\n" {
		t.Errorf("imported %q", got)
	}
	if want := []int64{1, 3, 5}; !slices.Equal(numbers, want) {
		t.Errorf("bad lines %v, want %v", numbers, want)
	}
	want := ImportReport{Lines: 6, Rows: 3, Bytes: 6, BadLines: 3, Transactions: 1, ImportedToLine: 6, Unfinished: true}
	if report != want {
		t.Errorf("report %+v, want %+v", report, want)
	}
	if progress != int64(len(text)) {
		t.Errorf("progress of %d bytes, the text has %d", progress, len(text))
	}
}

func TestImportLeavesOutWhatIsOutsideOfTheRange(t *testing.T) {
	store, db := openFake(t, 0)
	r := kv.KeyRange{Begin: []byte("b"), End: []byte("d")}
	report, err := Import(t.Context(), db, strings.NewReader("a\t1\nb\t2\nc\t3\nd\t4\n"), ImportOptions{Range: r})
	if err != nil || textOf(store.Rows()) != "b\t2\nc\t3\n" || report.Skipped != 2 || report.Rows != 2 {
		t.Errorf("imported %q, %+v, %v", textOf(store.Rows()), report, err)
	}
}

func TestProgressGoesOnWhileNothingIsImported(t *testing.T) {
	_, db := openFake(t, 0)
	calls := 0
	options := ImportOptions{BatchBytes: 10, Progress: func(_, bytes int64) {
		if bytes > 0 {
			calls++
		}
	}}
	report, err := Import(t.Context(), db, strings.NewReader(strings.Repeat("a\t1\n", 100)), options)
	if err != nil || report.Skipped != 100 || calls < 2 {
		t.Errorf("told of progress %d times, %+v, %v", calls, report, err)
	}
}

func TestImportNamesTheLinesThatCouldNotBeCommitted(t *testing.T) {
	store, db := openFake(t, 0)
	var commits atomic.Int64
	store.Fault = func(call fakestore.Call, _ wire.Version) error {
		if call == fakestore.Commit && commits.Add(1) > 2 {
			return wire.ErrDiskFull
		}
		return nil
	}
	var text strings.Builder
	for i := range 30 {
		fmt.Fprintf(&text, "%02d\t\n", i)
	}
	options := ImportOptions{Range: kv.AllKeys(), BatchBytes: 1, InFlight: 1}
	report, err := Import(t.Context(), db, strings.NewReader(text.String()), options)
	if !errors.Is(err, kv.ErrDiskFull) || !strings.Contains(err.Error(), "commit of lines 3 to 3") {
		t.Errorf("error %v", err)
	}
	if report.Rows != 2 || report.ImportedToLine != 2 || len(store.Rows()) != 2 {
		t.Errorf("report %+v, %d rows", report, len(store.Rows()))
	}
}

func TestImportKeepsWhatItReadBeforeAReadError(t *testing.T) {
	store, db := openFake(t, 0)
	in := io.MultiReader(strings.NewReader("a\t1\nb\t2\n"), iotest.ErrReader(errFull))
	_, err := Import(t.Context(), db, in, ImportOptions{Range: kv.AllKeys()})
	if !errors.Is(err, errFull) || !strings.Contains(err.Error(), "after line 2") || len(store.Rows()) != 2 {
		t.Errorf("%d rows, %v", len(store.Rows()), err)
	}
}

func TestImportEndsWithItsContext(t *testing.T) {
	store, db := openFake(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	store.Fault = func(call fakestore.Call, _ wire.Version) error {
		if call == fakestore.Commit {
			cancel()
			return ctx.Err()
		}
		return nil
	}
	text := strings.Repeat("a\t1\n", 100)
	if _, err := Import(ctx, db, strings.NewReader(text), ImportOptions{Range: kv.AllKeys(), BatchBytes: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled import: %v", err)
	}
}

// endless gives its text, then what more returns.
type endless struct {
	text io.Reader
	more func() (int, error)
}

func (e *endless) Read(p []byte) (int, error) {
	if n, err := e.text.Read(p); !errors.Is(err, io.EOF) {
		return n, err
	}
	return e.more()
}

func TestAnInterruptedImportCommitsTheLinesThatItRead(t *testing.T) {
	store, db := openFake(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	in := &endless{strings.NewReader("a\t1\nb\t2\nc\t"), func() (int, error) {
		cancel()
		return 0, ctx.Err()
	}}
	report, err := Import(ctx, db, in, ImportOptions{Range: kv.AllKeys()})
	if !errors.Is(err, context.Canceled) || err.Error() != "interrupted after line 2: context canceled" {
		t.Errorf("error %v", err)
	}
	want := ImportReport{Lines: 2, Rows: 2, Bytes: 4, Transactions: 1, ImportedToLine: 2, Interrupted: true}
	if report != want || textOf(store.Rows()) != "a\t1\nb\t2\n" {
		t.Errorf("report %+v, want %+v; imported %q", report, want, textOf(store.Rows()))
	}
}

func TestAnImportNoticesItsInterruptionBetweenBatches(t *testing.T) {
	store, db := openFake(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	next := 0
	in := readerFunc(func(p []byte) (int, error) {
		if next++; next == 40 {
			cancel()
		}
		return copy(p, fmt.Sprintf("%03d\t\n", next)), nil
	})
	report, err := Import(ctx, db, in, ImportOptions{Range: kv.AllKeys(), BatchBytes: 200})
	if !errors.Is(err, context.Canceled) || !report.Interrupted {
		t.Errorf("%+v, %v", report, err)
	}
	if report.Lines < 40 || report.Lines != report.Rows || report.Rows != int64(len(store.Rows())) {
		t.Errorf("read %d lines, reported %d rows, imported %d", report.Lines, report.Rows, len(store.Rows()))
	}
}

// readerFunc is a function as an io.Reader.
type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestALineReadInPartDoesNotCount(t *testing.T) {
	for _, text := range []string{"c", strings.Repeat("x", 2*maxLineBytes)} {
		_, db := openFake(t, 0)
		in := io.MultiReader(strings.NewReader("a\t1\nb\t2\n"+text), iotest.ErrReader(errFull))
		report, err := Import(t.Context(), db, in, ImportOptions{Range: kv.AllKeys()})
		if !errors.Is(err, errFull) || !strings.Contains(err.Error(), "after line 2:") || report.Lines != 2 || report.BadLines != 0 {
			t.Errorf("%+v, %v", report, err)
		}
	}
}
