package kv_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// nothing is a back-end that answers at once, so that benchmarks measure the
// client alone.
type nothing struct {
	values [][]byte
	rows   []kv.KeyValue
}

func newNothing() *nothing {
	n := &nothing{}
	for i := range 100 {
		n.values = append(n.values, make([]byte, 100))
		n.rows = append(n.rows, kv.KeyValue{Key: fmt.Appendf(nil, "key-%012d", i), Value: n.values[i]})
	}
	return n
}

func (*nothing) ReadVersion(context.Context, wire.ReadVersionRequest) (wire.ReadVersionReply, error) {
	return wire.ReadVersionReply{Version: 1}, nil
}

func (n *nothing) GetValues(_ context.Context, r *wire.GetValuesRequest) (wire.GetValuesReply, error) {
	return wire.GetValuesReply{Values: n.values[:len(r.Keys)]}, nil
}

func (n *nothing) GetRange(_ context.Context, r *wire.GetRangeRequest) (wire.GetRangeReply, error) {
	return wire.GetRangeReply{Rows: n.rows, More: true}, nil
}

func (n *nothing) GetKey(context.Context, *wire.GetKeyRequest) (wire.GetKeyReply, error) {
	return wire.GetKeyReply{Key: n.rows[0].Key}, nil
}

func (*nothing) Watch(ctx context.Context, _ *wire.WatchRequest) (wire.WatchReply, error) {
	<-ctx.Done()
	return wire.WatchReply{}, ctx.Err()
}

func (*nothing) Commit(context.Context, *wire.CommitRequest) (wire.CommitReply, error) {
	return wire.CommitReply{Version: 1}, nil
}

// benchmark runs f as a transaction with sixteen-byte keys.
func benchmark(b *testing.B, f func(tx *kv.Transaction, keys [][]byte) error) {
	db := kv.NewDatabase(newNothing())
	defer db.Close()
	var keys [][]byte
	for i := range 10 {
		keys = append(keys, fmt.Appendf(nil, "key-%012d", i))
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (int, error) { return 0, f(tx, keys) }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEmpty(b *testing.B) {
	benchmark(b, func(*kv.Transaction, [][]byte) error { return nil })
}

func BenchmarkRead1(b *testing.B) {
	benchmark(b, func(tx *kv.Transaction, keys [][]byte) error {
		_, err := tx.Get(keys[0]).Wait()
		return err
	})
}

func BenchmarkReadTransact1(b *testing.B) {
	db := kv.NewDatabase(newNothing())
	defer db.Close()
	key := []byte("key-000000000000")
	b.ReportAllocs()
	for b.Loop() {
		_, err := kv.ReadTransact(b.Context(), db, func(r kv.Reader) ([]byte, error) { return r.Get(key).Wait() })
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead10(b *testing.B) {
	benchmark(b, func(tx *kv.Transaction, keys [][]byte) error {
		var futures [10]kv.Future[[]byte]
		for i, key := range keys {
			futures[i] = tx.Get(key)
		}
		for _, f := range futures {
			if _, err := f.Wait(); err != nil {
				return err
			}
		}
		return nil
	})
}

func BenchmarkWrite10(b *testing.B) {
	value := make([]byte, 100)
	benchmark(b, func(tx *kv.Transaction, keys [][]byte) error {
		for _, key := range keys {
			tx.Set(key, value)
		}
		return nil
	})
}

func BenchmarkReadModifyWrite(b *testing.B) {
	benchmark(b, func(tx *kv.Transaction, keys [][]byte) error {
		value, err := tx.Get(keys[0]).Wait()
		if err != nil {
			return err
		}
		value[0]++
		tx.Set(keys[0], value)
		return nil
	})
}

func BenchmarkScan100(b *testing.B) {
	benchmark(b, func(tx *kv.Transaction, keys [][]byte) error {
		_, err := tx.Range(kv.AllKeys(), kv.RangeOptions{Limit: 100}).Slice()
		return err
	})
}

func BenchmarkIterate100(b *testing.B) {
	benchmark(b, func(tx *kv.Transaction, keys [][]byte) error {
		for _, err := range tx.Range(kv.AllKeys(), kv.RangeOptions{Limit: 100}).All() {
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// BenchmarkReadOverWrites reads back 100 keys that the transaction wrote.
func BenchmarkReadOverWrites(b *testing.B) {
	benchmark(b, func(tx *kv.Transaction, keys [][]byte) error {
		var key [8]byte
		for i := range 100 {
			key[0] = byte(i * 37 % 100)
			tx.Set(key[:], key[:])
		}
		for i := range 100 {
			key[0] = byte(i)
			if _, err := tx.Get(key[:]).Wait(); err != nil {
				return err
			}
		}
		return nil
	})
}

// BenchmarkLargeTransaction writes 50,000 keys in no order, then reads one.
func BenchmarkLargeTransaction(b *testing.B) {
	benchmark(b, func(tx *kv.Transaction, keys [][]byte) error {
		var key [8]byte
		for i := range 50_000 {
			binary.BigEndian.PutUint64(key[:], uint64(i)*0x9e3779b97f4a7c15>>2)
			tx.Set(key[:], key[:])
		}
		_, err := tx.Get(key[:]).Wait()
		return err
	})
}
