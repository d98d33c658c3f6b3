package bulk_test

import (
	"context"
	"fmt"
	"iter"
	"testing"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/bulk"
	"github.com/plinthdb/plinth/kv/embedded"
)

// many gives n rows of 16 and 100 bytes.
func many(n int) iter.Seq2[kv.KeyValue, error] {
	return func(yield func(kv.KeyValue, error) bool) {
		value := make([]byte, 100)
		for i := range n {
			if !yield(kv.KeyValue{Key: fmt.Appendf(nil, "key-%012d", i), Value: value}, nil) {
				return
			}
		}
	}
}

// BenchmarkLoadAndScan loads 200,000 rows into a store on the disk and scans
// them in three ways.
func BenchmarkLoadAndScan(b *testing.B) {
	const n = 200_000
	db, store, err := embedded.Open(b.TempDir())
	must(b, err)
	defer store.Close()
	_, err = bulk.Load(background, db, many(n), bulk.LoadOptions{})
	must(b, err)
	perRow := func(b *testing.B) { b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row") }
	for _, concurrency := range []int{1, 4} {
		b.Run(fmt.Sprintf("load/%d", concurrency), func(b *testing.B) {
			for b.Loop() {
				_, err := bulk.Load(background, db, many(n), bulk.LoadOptions{Concurrency: concurrency})
				must(b, err)
			}
			perRow(b)
		})
	}
	b.Run("transaction", func(b *testing.B) {
		for b.Loop() {
			count, err := kv.ReadTransact(background, db, func(r kv.Reader) (count int, err error) {
				for _, err := range r.Range(kv.AllKeys(), kv.RangeOptions{}).All() {
					if err != nil {
						return 0, err
					}
					count++
				}
				return count, nil
			})
			if err != nil || count != n {
				b.Fatal(count, err)
			}
		}
		perRow(b)
	})
	b.Run("rows", func(b *testing.B) {
		for b.Loop() {
			count := 0
			for _, err := range bulk.NewScan(db, kv.AllKeys(), bulk.ScanOptions{}).Rows(background) {
				must(b, err)
				count++
			}
			if count != n {
				b.Fatal(count)
			}
		}
		perRow(b)
	})
	b.Run("each", func(b *testing.B) {
		for b.Loop() {
			must(b, bulk.NewScan(db, kv.AllKeys(), bulk.ScanOptions{}).Each(background, func(context.Context, []kv.KeyValue) error { return nil }))
		}
		perRow(b)
	})
}
