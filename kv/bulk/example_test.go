package bulk_test

import (
	"context"
	"fmt"
	"log"
	"sync/atomic"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/bulk"
	"github.com/plinthdb/plinth/kv/internal/model"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/typed"
)

// openExample stands for the package that provides a store, such as
// kv/embedded.
func openExample() *kv.Database { return kv.NewDatabase(model.New()) }

// Load many rows, then read them all, in order and in parallel.
func Example() {
	ctx := context.Background()
	db := openExample()
	defer db.Close()

	rows := func(yield func(kv.KeyValue, error) bool) {
		for i := range 10_000 {
			if !yield(kv.KeyValue{Key: fmt.Appendf(nil, "%05d", i), Value: []byte("x")}, nil) {
				return
			}
		}
	}
	progress, err := bulk.Load(ctx, db, rows, bulk.LoadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	inOrder := 0
	for _, err := range bulk.NewScan(db, kv.AllKeys(), bulk.ScanOptions{}).Rows(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		inOrder++
	}
	var inParallel atomic.Int64
	err = bulk.NewScan(db, kv.AllKeys(), bulk.ScanOptions{}).Each(ctx, func(_ context.Context, rows []kv.KeyValue) error {
		inParallel.Add(int64(len(rows)))
		return nil
	})
	fmt.Println(progress.Rows, inOrder, inParallel.Load(), err)
	// Output: 10000 10000 10000 <nil>
}

// A scan can be broken off and continued later, by its token.
func ExampleResumeScan() {
	ctx := context.Background()
	db := openExample()
	defer db.Close()
	rows := func(yield func(kv.KeyValue, error) bool) {
		for _, key := range []string{"a", "b", "c", "d"} {
			if !yield(kv.KeyValue{Key: []byte(key)}, nil) {
				return
			}
		}
	}
	if _, err := bulk.Load(ctx, db, rows, bulk.LoadOptions{}); err != nil {
		log.Fatal(err)
	}
	scan := bulk.NewScan(db, kv.AllKeys(), bulk.ScanOptions{})
	for row, err := range scan.Rows(ctx) {
		if err != nil || string(row.Key) == "c" {
			break
		}
		fmt.Print(string(row.Key), " ")
	}
	rest, err := bulk.ResumeScan(db, scan.Token(), bulk.ScanOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for row, err := range rest.Rows(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(string(row.Key), " ")
	}
	fmt.Println()
	// Output: a b c d
}

// Load rows of a typed map, with whatever its indexes need.
func ExampleWrite() {
	db := openExample()
	defer db.Close()
	squares := typed.NewMap(subspace.Sub("squares"), typed.IntKey[int](), typed.Int64[int64]())
	numbers := func(yield func(int, error) bool) {
		for i := range 1000 {
			if !yield(i, nil) {
				return
			}
		}
	}
	progress, err := bulk.Write(context.Background(), db, numbers, func(tx *kv.Transaction, i int) error {
		return squares.Set(tx, i, int64(i*i))
	}, bulk.LoadOptions{})
	fmt.Println(progress.Rows, err)
	// Output: 1000 <nil>
}
