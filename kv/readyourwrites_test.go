package kv_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/sim/oracle"
	"github.com/plinthdb/plinth/kv"
)

// TestReadsSeeExactlyTheWritesBeforeThem (K1, K3) does random writes and reads in one
// transaction, waiting for the reads at once or much later, and compares each
// outcome, and what is stored after the commit, with a plain map.
func TestReadsSeeExactlyTheWritesBeforeThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := bases.Draw(t, "base")
		store := load(base)
		store.MaxRows = rapid.SampledFrom([]int{0, 1, 2, 3}).Draw(t, "max rows")
		store.MaxBytes = rapid.SampledFrom([]int{0, 0, 1, 10}).Draw(t, "max bytes")
		db := kv.NewDatabase(store)
		defer db.Close()
		tx := db.Begin(background)
		defer tx.Cancel()

		w := oracle.New(base)
		var open []func()
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "is write") {
				write := drawWrite(t, true)
				write.issue(tx)
				write.apply(w)
				continue
			}
			read, want, reader := drawRead(t), "", kv.Reader(tx)
			want = read.expect(w)
			if rapid.Bool().Draw(t, "snapshot") {
				reader = tx.Snapshot()
			}
			wait := read.issue(reader)
			check := func() {
				if got := wait(); got != want {
					t.Fatalf("%s\n got %s\nwant %s", read.text, got, want)
				}
			}
			if rapid.Bool().Draw(t, "later") {
				open = append(open, check)
			} else {
				check()
			}
		}
		for _, check := range open {
			check()
		}
		if err := tx.Commit(); err != nil {
			t.Fatalf("commit: %v", err)
		}
		for _, row := range store.Rows() {
			if key := string(row.Key); !w.Hidden(key) {
				if got, want := valueText(row.Value), getText(w, key); got != want {
					t.Fatalf("after the commit %q is %s, want %s", key, got, want)
				}
				delete(w.Values, key)
			}
		}
		if len(w.Values) > 0 {
			t.Fatalf("lost by the commit: %q", w.Values)
		}
	})
}

// TestWithoutReadYourWritesReadsSeeTheStore turns own writes off.
func TestWithoutReadYourWritesReadsSeeTheStore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := bases.Draw(t, "base")
		db := kv.NewDatabase(load(base))
		defer db.Close()
		option, onlySnapshot := kv.WithReadYourWrites(false), rapid.Bool().Draw(t, "only snapshot")
		if onlySnapshot {
			option = kv.WithSnapshotReadYourWrites(false)
		}
		tx := db.Begin(background, option)
		defer tx.Cancel()
		w := oracle.New(base)
		own := w.Clone()
		for range rapid.IntRange(1, 10).Draw(t, "steps") {
			write := drawWrite(t, true)
			write.issue(tx)
			write.apply(own)
			read := drawRead(t)
			got, want := read.issue(tx.Snapshot())(), read.expect(w)
			if got != want {
				t.Fatalf("snapshot %s\n got %s\nwant %s", read.text, got, want)
			}
			if onlySnapshot {
				want = read.expect(own)
			}
			if got := read.issue(tx)(); got != want {
				t.Fatalf("%s\n got %s\nwant %s", read.text, got, want)
			}
		}
	})
}

// TestManyWritesKeepTheirOrder writes far more keys than one chunk of the write
// map holds, in a random order, with clears in between.
func TestManyWritesKeepTheirOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		db := kv.NewDatabase(load(map[string]string{"0200": "stored", "0300x": "stored"}))
		defer db.Close()
		tx := db.Begin(background)
		defer tx.Cancel()
		w := oracle.New(map[string]string{"0200": "stored", "0300x": "stored"})
		number := rapid.IntRange(0, 399)
		step, place := rapid.SampledFrom([]int{1, 7, 189, 399}).Draw(t, "step"), number.Draw(t, "place")
		var views []func()
		for i := range 400 {
			place = (place + step) % 400
			key := fmt.Sprintf("%04d", place)
			tx.Set([]byte(key), []byte(key))
			w.Define(oracle.Point(key), map[string]string{key: key})
			if i%80 == 60 {
				first := number.Draw(t, "first")
				s := oracle.Span{Begin: fmt.Sprintf("%04d", first), End: fmt.Sprintf("%04d", first+number.Draw(t, "length"))}
				tx.ClearRange(s.KeyRange())
				w.Define(s, nil)
			}
			if i%100 == 99 {
				views = append(views, checkScan(t, tx, w, i%200 == 99))
			}
		}
		for _, check := range views {
			check()
		}
	})
}

// checkScan issues a read of everything and returns its check.
func checkScan(t *rapid.T, tx *kv.Transaction, w *oracle.Rows, reverse bool) func() {
	o := kv.RangeOptions{Reverse: reverse}
	rows, err := w.Scan(oracle.Span{End: "\xff"}, o)
	want := rowsText(rows, err)
	result := tx.Range(kv.AllKeys(), o)
	return func() {
		got, err := result.Slice()
		if err != nil {
			t.Fatal(err)
		}
		if rowsText(got, nil) != want {
			t.Fatalf("%d rows, want %d, or they differ", len(got), len(rows))
		}
	}
}

// TestAWrittenKeyAtTheEndOfAnUnreadableRangeCanBeRead: nothing lies between the
// last key that a versionstamped key may become and the end of the range.
func TestAWrittenKeyAtTheEndOfAnUnreadableRangeCanBeRead(t *testing.T) {
	db := kv.NewDatabase(load(map[string]string{"z": "stored"}))
	defer db.Close()
	tx := db.Begin(background)
	defer tx.Cancel()
	tx.SetVersionstampedKey(stampParam("k", 1), nil)
	last := append([]byte("k"), bytes.Repeat([]byte{0xff}, 10)...)
	tx.Set(last, []byte("own"))
	for _, reverse := range []bool{false, true} {
		rows, err := tx.Range(kv.KeyRange{Begin: last, End: []byte("zz")}, kv.RangeOptions{Reverse: reverse}).Slice()
		if err != nil || len(rows) != 2 {
			t.Errorf("rows %q, error %v", rows, err)
		}
	}
	_, err := tx.Range(kv.PrefixRange([]byte("k")), kv.RangeOptions{}).Slice()
	if !errors.Is(err, kv.ErrAccessedUnreadable) {
		t.Errorf("error %v", err)
	}
}
