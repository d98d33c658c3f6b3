package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

type plinthStore struct {
	db    *kv.Database
	store *embedded.Store
}

func openPlinth(dir string, s settings) (store, error) {
	db, embeddedStore, err := embedded.Open(dir, embedded.WithCacheBytes(s.CacheBytes))
	return &plinthStore{db, embeddedStore}, err
}

// readPlinth issues all reads, then waits for them: they travel together.
func readPlinth(r kv.Reader, keys [][]byte) error {
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
		if err := checkValue(keys[i], value); err != nil {
			return err
		}
	}
	return nil
}

// update runs f in a transaction until it commits.
func (s *plinthStore) update(ctx context.Context, f func(*kv.Transaction) error) (retries int, err error) {
	runs := 0
	_, err = kv.Transact(ctx, s.db, func(tx *kv.Transaction) (struct{}, error) {
		runs++
		return struct{}{}, f(tx)
	})
	return runs - 1, err
}

// Read implements store.
func (s *plinthStore) Read(ctx context.Context, keys [][]byte) error {
	_, err := kv.ReadTransact(ctx, s.db, func(r kv.Reader) (struct{}, error) {
		return struct{}{}, readPlinth(r, keys)
	})
	return err
}

// Write implements store.
func (s *plinthStore) Write(ctx context.Context, keys [][]byte, value []byte) (int, error) {
	return s.update(ctx, func(tx *kv.Transaction) error {
		for _, key := range keys {
			tx.Set(key, value)
		}
		return nil
	})
}

// ReadWrite implements store.
func (s *plinthStore) ReadWrite(ctx context.Context, keys [][]byte, key, value []byte) (int, error) {
	return s.update(ctx, func(tx *kv.Transaction) error {
		if err := readPlinth(tx, keys); err != nil {
			return err
		}
		tx.Set(key, value)
		return nil
	})
}

// Modify implements store.
func (s *plinthStore) Modify(ctx context.Context, key []byte, change func([]byte) ([]byte, error)) (int, error) {
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

// Scan implements store.
func (s *plinthStore) Scan(ctx context.Context, key []byte, limit int) (int, error) {
	return kv.ReadTransact(ctx, s.db, func(r kv.Reader) (int, error) {
		rows, err := r.Range(kv.KeyRange{Begin: key, End: []byte{0xff}}, kv.RangeOptions{Limit: limit}).Slice()
		for _, row := range rows {
			if err := checkValue(row.Key, row.Value); err != nil {
				return 0, err
			}
		}
		return len(rows), err
	})
}

// Close implements store.
func (s *plinthStore) Close() error { return s.store.Close() }
