package bulk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/bulk"
	"github.com/plinthdb/plinth/kv/internal/model"
)

// reusing gives rows in memory that it uses again for the next.
func reusing(rows []kv.KeyValue) iter.Seq2[kv.KeyValue, error] {
	return func(yield func(kv.KeyValue, error) bool) {
		var key, value []byte
		for _, row := range rows {
			key, value = append(key[:0], row.Key...), append(value[:0], row.Value...)
			if !yield(kv.KeyValue{Key: key, Value: value}, nil) {
				return
			}
		}
	}
}

// TestALoadSetsRowsAsIfOneAfterTheOther checks L1 and L2: random rows with keys
// that occur several times, while commits fail or leave their outcome open.
func TestALoadSetsRowsAsIfOneAfterTheOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rows []kv.KeyValue
		want := map[string]string{}
		for i := range rapid.IntRange(0, 60).Draw(t, "rows") {
			key := fmt.Sprint(rapid.IntRange(0, 30).Draw(t, "key"))
			rows = append(rows, kv.KeyValue{Key: []byte(key), Value: fmt.Append(nil, i)})
			want[key] = fmt.Sprint(i)
		}
		store := model.New()
		db := kv.NewDatabase(store, kv.WithTransactionDefaults(kv.WithMaxRetryDelay(0)))
		defer db.Close()
		var mu sync.Mutex
		failures := rapid.SliceOfN(rapid.SampledFrom([]error{nil, wire.ErrNotCommitted, wire.ErrCommitUnknownResult}), 0, 10).Draw(t, "failures")
		fail := func(kind error) (err error) {
			mu.Lock()
			defer mu.Unlock()
			if len(failures) > 0 && (failures[0] == nil || errors.Is(failures[0], kind)) {
				err, failures = failures[0], failures[1:]
			}
			return err
		}
		store.Hook = func(_ context.Context, call string) error {
			if call != "Commit" {
				return nil
			}
			return fail(wire.ErrNotCommitted)
		}
		store.AfterCommit = func(context.Context) error { return fail(wire.ErrCommitUnknownResult) }
		last := bulk.Progress{}
		progress, err := bulk.Load(background, db, reusing(rows), bulk.LoadOptions{
			TransactionBytes: rapid.IntRange(1, 500).Draw(t, "transaction"),
			Concurrency:      rapid.IntRange(1, 4).Draw(t, "concurrency"),
			Progress: func(p bulk.Progress) {
				if p.Rows <= last.Rows || p.Transactions <= last.Transactions {
					t.Errorf("progress %+v after %+v", p, last)
				}
				last = p
				checkDurable(t, store, rows[:p.Rows])
			},
		})
		must(t, err)
		if progress != last || progress.Rows != int64(len(rows)) {
			t.Fatalf("progress %+v of %d rows, told %+v", progress, len(rows), last)
		}
		if got := store.Rows(); len(got) != len(want) {
			t.Fatalf("%d rows, want %d", len(got), len(want))
		}
		for _, row := range store.Rows() {
			if want[string(row.Key)] != string(row.Value) {
				t.Fatalf("%q is %q, want %q", row.Key, row.Value, want[string(row.Key)])
			}
		}
	})
}

// checkDurable checks L1: all keys of rows are there.
func checkDurable(t *rapid.T, store *model.Store, rows []kv.KeyValue) {
	there := map[string]bool{}
	for _, row := range store.Rows() {
		there[string(row.Key)] = true
	}
	for _, row := range rows {
		if !there[string(row.Key)] {
			t.Errorf("%q counts as durable and is not there", row.Key)
		}
	}
}

// TestALoadThatIsCutAnywhereGoesOnFromItsProgress cuts a load at its n-th commit,
// for every n, and continues it.
func TestALoadThatIsCutAnywhereGoesOnFromItsProgress(t *testing.T) {
	rows := numbered(100)
	died := errors.New("the process died")
	for cut := int64(1); ; cut++ {
		store := model.New()
		db := kv.NewDatabase(store)
		var mu sync.Mutex
		commits := int64(0)
		store.Hook = func(_ context.Context, call string) error {
			mu.Lock()
			defer mu.Unlock()
			if call == "Commit" {
				commits++
			}
			if commits >= cut {
				return died
			}
			return nil
		}
		options := bulk.LoadOptions{TransactionBytes: 300, Concurrency: 3}
		progress, err := bulk.Load(background, db, each(rows), options)
		store.Hook = nil
		if progress.Transactions > cut {
			t.Fatalf("cut at commit %d: %+v", cut, progress)
		}
		if err == nil {
			if progress.Rows != 100 || cut < 10 {
				t.Errorf("after %d commits: %+v", cut, progress)
			}
			return
		}
		var load *bulk.LoadError
		if !errors.As(err, &load) || load.First < progress.Rows || load.Count < 1 || !errors.Is(err, died) && !errors.Is(err, context.Canceled) {
			t.Fatalf("cut at commit %d: %+v, error %v", cut, progress, err)
		}
		_, err = bulk.Load(background, db, each(rows[progress.Rows:]), options)
		must(t, err)
		if text(store.Rows()) != text(rows) {
			t.Fatalf("cut at commit %d, continued from %d: %s", cut, progress.Rows, text(store.Rows()))
		}
		must(t, db.Close())
	}
}

func TestWriteFitsItemsIntoTransactions(t *testing.T) {
	store := model.New()
	db := kv.NewDatabase(store)
	defer db.Close()
	var numbers []int
	for i := range 1000 {
		numbers = append(numbers, i)
	}
	largest := 0
	var mu sync.Mutex
	progress, err := bulk.Write(background, db, each(numbers), func(tx *kv.Transaction, i int) error {
		tx.Set(fmt.Append(nil, "a", i), make([]byte, i))
		tx.Set(fmt.Append(nil, "b", i), nil)
		mu.Lock()
		defer mu.Unlock()
		largest = max(largest, tx.ApproximateSize())
		return nil
	}, bulk.LoadOptions{TransactionBytes: 5000})
	must(t, err)
	if len(store.Rows()) != 2000 || progress.Rows != 1000 || progress.Transactions < 100 || largest > 6200 {
		t.Errorf("%d rows, %+v, largest transaction %d", len(store.Rows()), progress, largest)
	}
}

func TestErrorsOfALoadSayWhere(t *testing.T) {
	db := kv.NewDatabase(model.New())
	defer db.Close()
	broken := errors.New("broken")
	var load *bulk.LoadError

	progress, err := bulk.Write(background, db, each([]int{5, 6, 7}), func(tx *kv.Transaction, i int) error {
		if i == 7 {
			return broken
		}
		return nil
	}, bulk.LoadOptions{})
	if !errors.As(err, &load) || load.First != 2 || load.Count != 1 || !errors.Is(err, broken) || progress.Rows != 0 {
		t.Errorf("an item: %+v, error %v", progress, err)
	}

	failing := func(yield func(kv.KeyValue, error) bool) {
		_ = yield(kv.KeyValue{Key: []byte("a")}, nil) && yield(kv.KeyValue{}, broken)
	}
	progress, err = bulk.Load(background, db, failing, bulk.LoadOptions{})
	if !errors.Is(err, broken) || progress.Rows != 1 {
		t.Errorf("the iterator: %+v, error %v", progress, err)
	}

	rows := []kv.KeyValue{{Key: []byte("a")}, {Key: []byte("b"), Value: make([]byte, kv.MaxValueBytes+1)}}
	_, err = bulk.Load(background, db, each(rows), bulk.LoadOptions{})
	if !errors.As(err, &load) || load.First != 0 || load.Count != 2 || !errors.Is(err, kv.ErrValueTooLarge) {
		t.Errorf("a value that is too large: %v", err)
	}

	ctx, cancel := context.WithCancelCause(background)
	cancel(broken)
	progress, err = bulk.Load(ctx, db, each(numbered(3)), bulk.LoadOptions{})
	if !errors.As(err, &load) || !errors.Is(err, broken) || progress.Rows != 0 {
		t.Errorf("an ended context: %+v, error %v", progress, err)
	}
	for _, o := range []bulk.LoadOptions{{TransactionBytes: -1}, {TransactionBytes: 10_000_000}, {Concurrency: -1}} {
		if _, err := bulk.Load(background, db, each(numbered(3)), o); !errors.Is(err, kv.ErrInvalidOptionValue) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// The rows come slowly and never fill a batch: the end of the context ends the load
// with the next row all the same.
func TestTheEndOfAContextEndsALoadOfFewRows(t *testing.T) {
	gone := errors.New("gone")
	db := kv.NewDatabase(model.New())
	defer db.Close()
	for name, load := range map[string]func(context.Context, iter.Seq2[kv.KeyValue, error]) error{
		"Load": func(ctx context.Context, rows iter.Seq2[kv.KeyValue, error]) error {
			_, err := bulk.Load(ctx, db, rows, bulk.LoadOptions{})
			return err
		},
		"Write": func(ctx context.Context, rows iter.Seq2[kv.KeyValue, error]) error {
			_, err := bulk.Write(ctx, db, rows, func(tx *kv.Transaction, row kv.KeyValue) error { tx.Set(row.Key, nil); return nil }, bulk.LoadOptions{})
			return err
		},
	} {
		ctx, cancel := context.WithCancelCause(background)
		asked := 0
		err := load(ctx, func(yield func(kv.KeyValue, error) bool) {
			for asked = 1; asked <= 100; asked++ {
				if asked == 3 {
					cancel(gone)
				}
				if !yield(kv.KeyValue{Key: []byte{byte(asked)}}, nil) {
					return
				}
			}
		})
		var named *bulk.LoadError
		if !errors.Is(err, gone) || !errors.As(err, &named) || named.First != 0 || asked != 3 {
			t.Errorf("%s: %v after %d rows", name, err, asked)
		}
	}
}

// A value as large as can be fits beside others.
func TestLargeRowsAreLoaded(t *testing.T) {
	store := model.New()
	db := kv.NewDatabase(store)
	defer db.Close()
	var rows []kv.KeyValue
	for i := range 3 {
		rows = append(rows, kv.KeyValue{Key: bytes.Repeat([]byte{byte(i)}, kv.MaxKeyBytes), Value: make([]byte, kv.MaxValueBytes)})
	}
	_, err := bulk.Load(background, db, each(rows), bulk.LoadOptions{TransactionBytes: 9_000_000})
	if err != nil || len(store.Rows()) != 3 {
		t.Errorf("%d rows, error %v", len(store.Rows()), err)
	}
}
