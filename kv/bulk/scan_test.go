package bulk_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/bulk"
)

func drawScanOptions(t *rapid.T) bulk.ScanOptions {
	return bulk.ScanOptions{
		BatchBytes:  rapid.IntRange(1, 100).Draw(t, "batch bytes"),
		Concurrency: rapid.IntRange(1, 4).Draw(t, "concurrency"),
	}
}

// drawRows gives sorted rows whose keys are unevenly spread.
func drawRows(t *rapid.T) []kv.KeyValue {
	keys := rapid.SliceOfNDistinct(rapid.StringMatching(`[ab\x00]{0,3}|z[\x00\xfe]{9,12}`), 0, 40, rapid.ID[string]).Draw(t, "keys")
	slices.Sort(keys)
	var rows []kv.KeyValue
	for i, key := range keys {
		rows = append(rows, kv.KeyValue{Key: []byte(key), Value: fmt.Append(nil, i)})
	}
	return rows
}

// collect is Each into a slice, failing for the batches for which fail says so.
func collect(s *bulk.Scan, fail func() error) (rows []kv.KeyValue, err error) {
	var mu sync.Mutex
	err = s.Each(background, func(_ context.Context, batch []kv.KeyValue) error {
		mu.Lock()
		defer mu.Unlock()
		if err := fail(); err != nil {
			return err
		}
		rows = append(rows, batch...)
		return nil
	})
	return rows, err
}

func never() error { return nil }

// TestScansShowEveryRowOnce checks L3, L4 and L5 on random rows, with scans that
// are broken off and continued by their tokens.
func TestScansShowEveryRowOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := drawRows(t)
		store := load(t, rows)
		store.MaxRows = rapid.IntRange(0, 3).Draw(t, "rows of a reply")
		db := kv.NewDatabase(store)
		defer db.Close()
		options := drawScanOptions(t)

		scan := bulk.NewScan(db, kv.AllKeys(), options)
		var got []kv.KeyValue
		for {
			leave := rapid.IntRange(1, 60).Draw(t, "rows until the loop is left")
			left := false
			for row, err := range scan.Rows(background) {
				must(t, err)
				if leave--; leave == 0 {
					left = true
					break
				}
				row.Key = append([]byte{}, row.Key...)
				got = append(got, row)
			}
			if !left {
				break
			}
			scan = resumed(t, db, scan, options)
		}
		if text(got) != text(rows) {
			t.Fatalf("in order: %s, want %s", text(got), text(rows))
		}

		scan = bulk.NewScan(db, kv.AllKeys(), options)
		got = nil
		broken := errors.New("broken off")
		for {
			batches := rapid.IntRange(0, 20).Draw(t, "batches until it breaks")
			some, err := collect(scan, func() error {
				if batches--; batches < 0 {
					return broken
				}
				return nil
			})
			if got = append(got, some...); err == nil {
				break
			}
			if !errors.Is(err, broken) {
				t.Fatal(err)
			}
			scan = resumed(t, db, scan, options)
		}
		if text(sorted(got)) != text(rows) {
			t.Fatalf("in parallel: %s, want %s", text(sorted(got)), text(rows))
		}
		if scan.Token() != "" || len(scan.Remaining()) != 0 {
			t.Fatalf("remaining %v", scan.Remaining())
		}
	})
}

func resumed(t *rapid.T, db *kv.Database, scan *bulk.Scan, options bulk.ScanOptions) *bulk.Scan {
	if rapid.Bool().Draw(t, "the same process") {
		return scan
	}
	next, err := bulk.ResumeScan(db, scan.Token(), options)
	must(t, err)
	return next
}

// TestAScanOutlivesTheWindow lets every version become too old at once, while
// others write.
func TestAScanOutlivesTheWindow(t *testing.T) {
	rows := numbered(300)
	store := load(t, rows)
	store.Window = 1
	db := kv.NewDatabase(store)
	defer db.Close()
	scan := bulk.NewScan(db, kv.AllKeys(), bulk.ScanOptions{BatchBytes: 500})
	i := 0
	for row, err := range scan.Rows(background) {
		must(t, err)
		if string(row.Key) != string(rows[i].Key) {
			t.Fatalf("row %d has key %q", i, row.Key)
		}
		i++
		_, err := kv.Transact(background, db, func(tx *kv.Transaction) (struct{}, error) {
			tx.Set([]byte("key 000000"), nil) // behind the scan
			tx.Set([]byte("key 0"), nil)      // likewise
			return struct{}{}, nil
		})
		must(t, err)
	}
	if stats := scan.Stats(); i != len(rows) || stats.Rows != 300 || stats.Batches < 10 {
		t.Errorf("%d rows, %+v", i, stats)
	}
}

// A batch that is too large for its time gets smaller until it can be read.
func TestABatchThatBecomesTooOldIsReadInSmallerOnes(t *testing.T) {
	rows := numbered(1000)
	store := load(t, rows)
	db := kv.NewDatabase(store)
	defer db.Close()
	calls := 0
	store.Hook = func(_ context.Context, call string) error {
		if call != "ReadVersion" && call != "GetRange" {
			return nil
		}
		if call == "ReadVersion" {
			calls = 0
		} else if calls++; calls > 1 {
			return wire.ErrTransactionTooOld // a transaction has time for one message
		}
		return nil
	}
	store.MaxBytes = 8000
	scan := bulk.NewScan(db, kv.AllKeys(), bulk.ScanOptions{BatchBytes: 16_000, Concurrency: 1, PieceBytes: 1 << 30})
	got, err := collect(scan, never)
	if err != nil || text(got) != text(rows) {
		t.Errorf("%d rows, error %v", len(got), err)
	}
}

// TestALoopThatStopsStopsItsWorkers checks L6 and L7: the loop stands at its
// first row until nobody can go on, and is then left.
func TestALoopThatStopsStopsItsWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := load(t, numbered(5000))
		db := kv.NewDatabase(store)
		defer db.Close()
		const concurrency = 3
		for range bulk.NewScan(db, kv.AllKeys(), bulk.ScanOptions{BatchBytes: 100, Concurrency: concurrency}).Rows(t.Context()) {
			synctest.Wait()
			if n := store.Calls("GetRange"); n < concurrency || n > 2*concurrency+1 {
				t.Errorf("%d batches were read for the first row", n)
			}
			break
		}
	})
}

func TestAScanEndsWithItsContext(t *testing.T) {
	store := load(t, numbered(100))
	db := kv.NewDatabase(store)
	defer db.Close()
	ctx, cancel := context.WithCancelCause(background)
	defer cancel(nil)
	gone := errors.New("the user has gone")
	scan := bulk.NewScan(db, kv.AllKeys(), bulk.ScanOptions{BatchBytes: 50})
	shown := 0
	var last error
	for row, err := range scan.Rows(ctx) {
		if last = err; err != nil {
			break
		}
		if string(row.Key) != fmt.Sprintf("key %06d", shown) {
			t.Fatalf("row %d is %q", shown, row.Key)
		}
		if shown++; shown == 10 {
			cancel(gone)
		}
	}
	if !errors.Is(last, gone) {
		t.Errorf("error %v after %d rows", last, shown)
	}
	err := scan.Each(ctx, func(context.Context, []kv.KeyValue) error { return nil })
	if !errors.Is(err, gone) && !errors.Is(err, context.Canceled) {
		t.Errorf("each: %v", err)
	}
	rest, err := collect(scan, never)
	if err != nil || len(rest) > 100-shown+20 || len(rest) < 100-shown {
		t.Errorf("%d rows were shown and %d remained, error %v", shown, len(rest), err)
	}
}

func TestWhatCannotBeScannedIsRefused(t *testing.T) {
	db := kv.NewDatabase(load(t, nil))
	defer db.Close()
	for _, o := range []bulk.ScanOptions{{BatchBytes: -1}, {BatchBytes: 1 << 30}, {PieceBytes: -1}, {Concurrency: -1}, {Concurrency: 10_000}} {
		if _, err := collect(bulk.NewScan(db, kv.AllKeys(), o), never); !errors.Is(err, kv.ErrInvalidOptionValue) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	inverted := kv.KeyRange{Begin: []byte("b"), End: []byte("a")}
	for _, err := range bulk.NewScan(db, inverted, bulk.ScanOptions{}).Rows(background) {
		if !errors.Is(err, kv.ErrInvertedRange) {
			t.Errorf("inverted: %v", err)
		}
	}
}

// FuzzToken checks that a token from outside gives a scan with the same token or
// an error.
func FuzzToken(f *testing.F) {
	db := kv.NewDatabase(load(f, nil))
	defer db.Close()
	f.Add(bulk.NewScan(db, kv.AllKeys(), bulk.ScanOptions{}).Token())
	f.Add("AQFhAWIBYwFk") // a to b, c to d
	f.Add("AQFiAWEBYwFk") // b to a
	f.Add("\n")
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, token string) {
		scan, err := bulk.ResumeScan(db, token, bulk.ScanOptions{})
		if err != nil {
			if !errors.Is(err, bulk.ErrToken) {
				t.Fatal(err)
			}
			return
		}
		again, err := bulk.ResumeScan(db, scan.Token(), bulk.ScanOptions{})
		must(t, err)
		if fmt.Sprint(again.Remaining()) != fmt.Sprint(scan.Remaining()) {
			t.Fatalf("%v reads back as %v", scan.Remaining(), again.Remaining())
		}
	})
}
