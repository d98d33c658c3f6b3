package plinth

import (
	"context"
	"fmt"
	"slices"

	"github.com/plinthdb/plinth/internal/bench"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

type store struct {
	db    *kv.Database
	close func() error
}

// Over returns db as a store whose Close is the given function.
func Over(db *kv.Database, close func() error) bench.Store { return &store{db, close} }

// Driver returns the driver of the embedded store.
func Driver() bench.Driver {
	return bench.Driver{Name: "plinth", About: "embedded store, defaults beyond the size of the cache", Isolated: true, Open: open}
}

func open(dir string, s bench.Settings) (bench.Store, error) {
	db, owner, err := embedded.Open(dir, embedded.WithCacheBytes(s.CacheBytes))
	if err != nil {
		return nil, err
	}
	return Over(db, owner.Close), nil
}

// read issues all reads, then waits for them: they travel together.
func read(r kv.Reader, keys [][]byte) error {
	var space [16]kv.Future[[]byte]
	futures := slices.Grow(space[:0], len(keys))
	for _, key := range keys {
		futures = append(futures, r.Get(key))
	}
	for i, future := range futures {
		value, err := future.Wait()
		if err != nil {
			return fmt.Errorf("get %q: %w", keys[i], err)
		}
		if err := bench.CheckValue(keys[i], value); err != nil {
			return err
		}
	}
	return nil
}

// update runs f in a transaction until it commits.
func (s *store) update(ctx context.Context, f func(*kv.Transaction) error) (retries int, err error) {
	runs := 0
	_, err = kv.Transact(ctx, s.db, func(tx *kv.Transaction) (struct{}, error) {
		runs++
		return struct{}{}, f(tx)
	})
	return runs - 1, err
}

// Read implements bench.Store.
func (s *store) Read(ctx context.Context, keys [][]byte) error {
	_, err := kv.ReadTransact(ctx, s.db, func(r kv.Reader) (struct{}, error) {
		return struct{}{}, read(r, keys)
	})
	return err
}

// Write implements bench.Store.
func (s *store) Write(ctx context.Context, keys [][]byte, value []byte) (int, error) {
	return s.update(ctx, func(tx *kv.Transaction) error {
		for _, key := range keys {
			tx.Set(key, value)
		}
		return nil
	})
}

// ReadWrite implements bench.Store.
func (s *store) ReadWrite(ctx context.Context, keys [][]byte, key, value []byte) (int, error) {
	return s.update(ctx, func(tx *kv.Transaction) error {
		if err := read(tx, keys); err != nil {
			return err
		}
		tx.Set(key, value)
		return nil
	})
}

// Modify implements bench.Store.
func (s *store) Modify(ctx context.Context, key []byte, change func([]byte) ([]byte, error)) (int, error) {
	return s.update(ctx, func(tx *kv.Transaction) error {
		old, err := tx.Get(key).Wait()
		if err != nil {
			return fmt.Errorf("get %q: %w", key, err)
		}
		value, err := change(old)
		if err != nil {
			return err
		}
		tx.Set(key, value)
		return nil
	})
}

// Scan implements bench.Store.
func (s *store) Scan(ctx context.Context, key []byte, limit int) (int, error) {
	return kv.ReadTransact(ctx, s.db, func(r kv.Reader) (int, error) {
		rows, err := r.Range(kv.KeyRange{Begin: key, End: []byte{0xff}}, kv.RangeOptions{Limit: limit}).Slice()
		for _, row := range rows {
			if err := bench.CheckValue(row.Key, row.Value); err != nil {
				return 0, err
			}
		}
		return len(rows), err
	})
}

// Close implements bench.Store.
func (s *store) Close() error { return s.close() }
