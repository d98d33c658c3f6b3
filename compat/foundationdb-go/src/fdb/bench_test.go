package fdb_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"

	"github.com/plinthdb/plinth/kv"
)

// What the module costs over kv: ten reads and no write, ten rows of a range.

func tenKeys(i int) (keys [10][]byte) {
	for j := range keys {
		keys[j] = fmt.Appendf(nil, "k%04d", (i*7+j*13)%1000)
	}
	return keys
}

func BenchmarkTenReads(b *testing.B) {
	db := open(b)
	fill(b, db, 1000, 100)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		keys := tenKeys(i)
		if _, err := db.ReadTransact(func(tr fdb.ReadTransaction) (interface{}, error) {
			var futures [10]fdb.FutureByteSlice
			for j, key := range keys {
				futures[j] = tr.Get(fdb.Key(key))
			}
			for _, f := range futures {
				f.MustGet()
			}
			return nil, nil
		}); err != nil {
			b.Fatal(err)
		}
	}
}

// openKV opens a store with 1,000 rows for kv.
func openKV(b *testing.B) *kv.Database {
	db := open(b)
	fill(b, db, 1000, 100)
	return fdb.KVDatabase(db)
}

func BenchmarkTenReadsOfKV(b *testing.B) {
	db := openKV(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		keys := tenKeys(i)
		if _, err := kv.ReadTransact(context.Background(), db, func(r kv.Reader) (struct{}, error) {
			var futures [10]kv.Future[[]byte]
			for j, key := range keys {
				futures[j] = r.Get(key)
			}
			for _, f := range futures {
				if _, err := f.Wait(); err != nil {
					return struct{}{}, err
				}
			}
			return struct{}{}, nil
		}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTenRows(b *testing.B) {
	db := open(b)
	fill(b, db, 1000, 100)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := db.ReadTransact(func(tr fdb.ReadTransaction) (interface{}, error) {
			return tr.GetRange(allKeys, fdb.RangeOptions{Limit: 10}).GetSliceWithError()
		}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTenRowsOfKV(b *testing.B) {
	db := openKV(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := kv.ReadTransact(context.Background(), db, func(r kv.Reader) ([]kv.KeyValue, error) {
			return r.Range(kv.AllKeys(), kv.RangeOptions{Limit: 10}).Slice()
		}); err != nil {
			b.Fatal(err)
		}
	}
}
