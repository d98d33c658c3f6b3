package typed_test

import (
	"context"
	"testing"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/tuple"
	"github.com/plinthdb/plinth/kv/typed"
)

// The benchmarks write and read without a store behind them: own writes answer
// every read. What package kv does by itself is measured beside.

func benchSet[K any](b *testing.B, m *typed.Map[K, string], key K) {
	bench(b, func(tx *kv.Transaction) error { return m.Set(tx, key, "value") })
}

func bench(b *testing.B, f func(tx *kv.Transaction) error) {
	db, _ := openModel(b)
	tx := db.Begin(context.Background())
	defer tx.Cancel()
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if n++; n%1000 == 0 {
			tx.Reset()
		}
		if err := f(tx); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSet(b *testing.B) {
	space := subspace.Sub("space")
	key := space.Pack(tuple.Tuple{1 << 40})
	b.Run("kv", func(b *testing.B) {
		bench(b, func(tx *kv.Transaction) error { tx.Set(key, []byte("value")); return nil })
	})
	b.Run("kv and tuple", func(b *testing.B) {
		n := 1 << 40
		bench(b, func(tx *kv.Transaction) error {
			tx.Set(space.Pack(tuple.Tuple{n}), []byte("value"))
			return nil
		})
	})
	b.Run("int", func(b *testing.B) {
		benchSet(b, typed.NewMap(space, typed.IntKey[int](), typed.String[string]()), 1<<40)
	})
	b.Run("struct", func(b *testing.B) {
		benchSet(b, typed.NewMap(space, placeKey(), typed.String[string]()), place{"country", 5})
	})
	b.Run("indexed", func(b *testing.B) {
		m, _ := users()
		bench(b, func(tx *kv.Transaction) error { return m.Set(tx, 1, "Ada") })
	})
}

func BenchmarkGet(b *testing.B) {
	space := subspace.Sub("space")
	m := typed.NewMap(space, typed.IntKey[int](), typed.String[string]())
	key := space.Pack(tuple.Tuple{1 << 40})
	b.Run("kv", func(b *testing.B) {
		bench(b, func(tx *kv.Transaction) error {
			tx.Set(key, nil)
			_, err := tx.Get(key).Wait()
			return err
		})
	})
	b.Run("int", func(b *testing.B) {
		bench(b, func(tx *kv.Transaction) error {
			tx.Set(key, nil)
			_, _, err := m.Get(tx, 1<<40).Wait()
			return err
		})
	})
}
