package fdb_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"

	"github.com/plinthdb/plinth/kv"
)

// What the module costs over kv: ten reads and no write, rows of a range.

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

func BenchmarkRows(b *testing.B) {
	db := open(b)
	fill(b, db, 1000, 100)
	benchmarkRows(b, func(limit int) error {
		_, err := db.ReadTransact(func(tr fdb.ReadTransaction) (interface{}, error) {
			return tr.GetRange(allKeys, fdb.RangeOptions{Limit: limit}).GetSliceWithError()
		})
		return err
	})
}

func BenchmarkRowsOfKV(b *testing.B) {
	db := openKV(b)
	benchmarkRows(b, func(limit int) error {
		_, err := kv.ReadTransact(context.Background(), db, func(r kv.Reader) ([]kv.KeyValue, error) {
			return r.Range(kv.AllKeys(), kv.RangeOptions{Limit: limit}).Slice()
		})
		return err
	})
}

// One row after the other.

func BenchmarkIterate(b *testing.B) {
	db := open(b)
	fill(b, db, 1000, 100)
	benchmarkRows(b, func(limit int) error {
		_, err := db.ReadTransact(func(tr fdb.ReadTransaction) (interface{}, error) {
			for rows := tr.GetRange(allKeys, fdb.RangeOptions{Limit: limit}).Iterator(); rows.Advance(); {
				rows.MustGet()
			}
			return nil, nil
		})
		return err
	})
}

func BenchmarkIterateOfKV(b *testing.B) {
	db := openKV(b)
	benchmarkRows(b, func(limit int) error {
		_, err := kv.ReadTransact(context.Background(), db, func(r kv.Reader) (struct{}, error) {
			for _, err := range r.Range(kv.AllKeys(), kv.RangeOptions{Limit: limit}).All() {
				if err != nil {
					return struct{}{}, err
				}
			}
			return struct{}{}, nil
		})
		return err
	})
}

// benchmarkRows reads ranges of several lengths; 0 is all 1,000 rows.
func benchmarkRows(b *testing.B, read func(limit int) error) {
	for _, limit := range []int{10, 100, 0} {
		b.Run(strconv.Itoa(limit), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := read(limit); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
