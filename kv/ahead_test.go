package kv_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
)

// kilobytes returns a store of n rows of 1,024 bytes each, "00" and so on, so
// that eight of them make a piece of medium size.
func kilobytes(n int) *model.Store {
	rows := map[string]string{}
	for i := range n {
		rows[fmt.Sprintf("%02d", i)] = string(make([]byte, 1022))
	}
	return load(rows)
}

// onPiece returns a hook that calls f on each call of GetRange, the first of
// which has the number 1.
func onPiece(f func(ctx context.Context, n int) error) func(context.Context, string) error {
	var n atomic.Int32
	return hookOn("GetRange", func(ctx context.Context) error { return f(ctx, int(n.Add(1))) })
}

// holdSecondPiece lets the call for the second piece last as long as its context:
// begun is closed when the call comes, and ended is true when it has ended.
func holdSecondPiece(store *model.Store) (begun chan struct{}, ended *bool) {
	begun, ended = make(chan struct{}), new(bool)
	store.Hook = onPiece(func(ctx context.Context, n int) error {
		if n == 1 {
			return nil
		}
		close(begun)
		<-ctx.Done()
		*ended = true
		return ctx.Err()
	})
	return begun, ended
}

// The clock of the bubble is exact. A piece takes as long to come as eight rows
// take to be consumed: nobody waits for one after the second, which is asked for
// with the fourth row.
func TestTheNextPieceComesWhileOneIsConsumed(t *testing.T) {
	const latency, perRow = 80 * time.Millisecond, 10 * time.Millisecond
	for mode, want := range map[kv.StreamingMode]time.Duration{
		kv.StreamingMedium: latency + 3*perRow + 64*perRow,
		kv.StreamingSmall:  64*latency + latency + 64*perRow, // one row each, and the end
	} {
		synctest.Test(t, func(t *testing.T) {
			store := kilobytes(64)
			store.Hook = onPiece(func(context.Context, int) error { <-time.After(latency); return nil })
			db := kv.NewDatabase(store)
			defer db.Close()
			began, n := time.Now(), 0
			for _, err := range db.Begin(background).Range(kv.AllKeys(), kv.RangeOptions{Mode: mode}).All() {
				if err != nil {
					t.Fatal(err)
				}
				n++
				<-time.After(perRow)
			}
			if took := time.Since(began); took != want || n != 64 {
				t.Errorf("mode %d: %d rows took %v, want %v", mode, n, took, want)
			}
		})
	}
}

// Each piece is asked for when the rows before it have been consumed.
func TestWithoutReadingAheadEachPieceIsWaitedFor(t *testing.T) {
	const latency, perRow, pieces = 80 * time.Millisecond, 10 * time.Millisecond, 9 // the last one is empty
	synctest.Test(t, func(t *testing.T) {
		store := kilobytes(64)
		store.Hook = onPiece(func(context.Context, int) error { <-time.After(latency); return nil })
		db := kv.NewDatabase(store)
		defer db.Close()
		began := time.Now()
		tx := db.Begin(background, kv.WithReadAhead(false))
		for _, err := range tx.Range(kv.AllKeys(), kv.RangeOptions{Mode: kv.StreamingMedium}).All() {
			if err != nil {
				t.Fatal(err)
			}
			<-time.After(perRow)
		}
		if took := time.Since(began); took != pieces*latency+64*perRow {
			t.Errorf("took %v, want %v", took, pieces*latency+64*perRow)
		}
	})
}

func TestALookAtTheFirstRowsFetchesOnePiece(t *testing.T) {
	for limit, options := range map[int]kv.RangeOptions{
		3:  {Mode: kv.StreamingMedium},
		8:  {Mode: kv.StreamingMedium, Limit: 8},
		64: {Mode: kv.StreamingExact, Limit: 64},
	} {
		store := kilobytes(64)
		db := kv.NewDatabase(store)
		n := 0
		for _, err := range db.Begin(background).Range(kv.AllKeys(), options).All() {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n == limit && options.Limit == 0 {
				break
			}
		}
		if err := db.Close(); err != nil || n != limit || store.Calls("GetRange") != 1 {
			t.Errorf("%+v: %d rows in %d pieces, %v", options, n, store.Calls("GetRange"), err)
		}
	}
}

// Whoever breaks off waits for the end of what is on its way, and does not
// depend on it.
func TestBreakingOffEndsWhatIsFetchedAhead(t *testing.T) {
	store := kilobytes(64)
	begun, ended := holdSecondPiece(store)
	db := kv.NewDatabase(store)
	defer db.Close()
	tx := db.Begin(background)
	defer tx.Cancel()
	last := ""
	for row, err := range tx.Range(kv.AllKeys(), kv.RangeOptions{Mode: kv.StreamingMedium}).All() {
		if err != nil {
			t.Fatal(err)
		}
		if last = string(row.Key); last == "06" {
			<-begun
			break
		}
	}
	if !*ended {
		t.Error("the loop has ended and the call has not")
	}
	set(t, db, "07", "changed")
	tx.Set([]byte("mine"), nil)
	if err := tx.Commit(); err != nil {
		t.Errorf("rows up to %q were seen: %v", last, err)
	}
}

func TestCloseEndsWhatAnAbandonedIterationFetchesAhead(t *testing.T) {
	store := kilobytes(64)
	begun, _ := holdSecondPiece(store)
	db := kv.NewDatabase(store)
	next, stop := iter.Pull2(db.Begin(background).Range(kv.AllKeys(), kv.RangeOptions{Mode: kv.StreamingMedium}).All())
	defer stop()
	for range 7 {
		if _, err, ok := next(); err != nil || !ok {
			t.Fatal(err, ok)
		}
	}
	<-begun
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err, _ := next() // a row that has come
	_, err2, _ := next()
	mustBe(t, errors.Join(err, err2), kv.ErrDatabaseClosed)
}

func TestAnErrorOfAPieceShowsWhenItsRowsWould(t *testing.T) {
	for _, breakAt := range []int{8, 9} {
		store := kilobytes(64)
		failed := make(chan struct{})
		store.Hook = onPiece(func(_ context.Context, n int) error {
			if n == 1 {
				return nil
			}
			defer close(failed)
			return kv.ErrTransactionTooOld
		})
		db := kv.NewDatabase(store)
		n := 0
		var last error
		for _, err := range db.Begin(background).Range(kv.AllKeys(), kv.RangeOptions{Mode: kv.StreamingMedium}).All() {
			if n++; n == 5 {
				<-failed
			}
			if last = err; n == breakAt {
				break
			}
		}
		if n != breakAt || errors.Is(last, kv.ErrTransactionTooOld) != (breakAt == 9) {
			t.Errorf("%d rows, then %v", n, last)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestReadingAheadChangesNeitherRowsNorConflicts compares iterations that read
// ahead with ones that do not, over own writes, with writes in the loop, however
// far they go.
func TestReadingAheadChangesNeitherRowsNorConflicts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store := load(bases.Draw(t, "stored"))
		store.MaxRows = rapid.IntRange(1, 4).Draw(t, "rows of a piece")
		db := kv.NewDatabase(store)
		defer db.Close()
		var writes, inLoop []write
		for range rapid.IntRange(0, 5).Draw(t, "writes") {
			writes = append(writes, drawWrite(t, false))
		}
		for range rapid.IntRange(0, 3).Draw(t, "writes in the loop") {
			inLoop = append(inLoop, drawWrite(t, false))
		}
		span, options := drawSpan(t).KeyRange(), drawRangeOptions(t)
		options.LimitBytes = 0
		breakAt := rapid.IntRange(1, 12).Draw(t, "break at")
		outcome := func(mode kv.StreamingMode) (rows []kv.KeyValue, conflicts []kv.KeyValue) {
			tx := db.Begin(background, kv.WithSpecialKeysRelaxed(true))
			defer tx.Cancel()
			for _, w := range writes {
				w.issue(tx)
			}
			options.Mode = mode
			for row, err := range tx.Range(span, options).All() {
				if err != nil {
					t.Fatal(err)
				}
				if len(rows) < len(inLoop) {
					inLoop[len(rows)].issue(tx)
				}
				if rows = append(rows, row); len(rows) == breakAt {
					break
				}
			}
			conflicts, err := tx.Range(kv.PrefixRange([]byte("\xff\xff/transaction/read_conflict_range/")), kv.RangeOptions{}).Slice()
			if err != nil {
				t.Fatal(err)
			}
			return rows, conflicts
		}
		want, wantConflicts := outcome(kv.StreamingSmall)
		for _, mode := range []kv.StreamingMode{kv.StreamingIterator, kv.StreamingSerial} {
			rows, conflicts := outcome(mode)
			if !slices.EqualFunc(rows, want, sameRow) || !slices.EqualFunc(conflicts, wantConflicts, sameRow) {
				t.Fatalf("mode %d: %s with conflicts %s, want %s with %s", mode,
					rowsText(rows, nil), rowsText(conflicts, nil), rowsText(want, nil), rowsText(wantConflicts, nil))
			}
		}
	})
}

func sameRow(a, b wire.KeyValue) bool {
	return rowsText([]wire.KeyValue{a}, nil) == rowsText([]wire.KeyValue{b}, nil)
}
