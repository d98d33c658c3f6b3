package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"github.com/plinthdb/plinth/internal/bench"
)

type badgerStore struct{ db *badger.DB }

func openBadger(dir string, s bench.Settings) (bench.Store, error) {
	db, err := badger.Open(badger.DefaultOptions(dir).
		WithSyncWrites(true).
		WithDetectConflicts(true).
		WithBlockCacheSize(s.CacheBytes).
		WithMemTableSize(memTableBytes).
		WithLogger(nil))
	return &badgerStore{db}, err
}

// Read implements bench.Store.
func (s *badgerStore) Read(_ context.Context, keys [][]byte) error {
	return s.db.View(func(txn *badger.Txn) error { return readBadger(txn, keys) })
}

func readBadger(txn *badger.Txn, keys [][]byte) error {
	for _, key := range keys {
		item, err := txn.Get(key)
		if err != nil {
			return fmt.Errorf("get %q: %w", key, err)
		}
		if err := item.Value(func(value []byte) error { return bench.CheckValue(key, value) }); err != nil {
			return err
		}
	}
	return nil
}

// update runs f until its transaction commits without a conflict.
func (s *badgerStore) update(ctx context.Context, f func(*badger.Txn) error) (retries int, err error) {
	for {
		err := s.db.Update(f)
		if !errors.Is(err, badger.ErrConflict) {
			return retries, err
		}
		if ctx.Err() != nil {
			return retries, context.Cause(ctx)
		}
		retries++
	}
}

// Write implements bench.Store.
func (s *badgerStore) Write(ctx context.Context, keys [][]byte, value []byte) (int, error) {
	return s.update(ctx, func(txn *badger.Txn) error {
		for _, key := range keys {
			if err := txn.Set(key, value); err != nil {
				return err
			}
		}
		return nil
	})
}

// ReadWrite implements bench.Store.
func (s *badgerStore) ReadWrite(ctx context.Context, keys [][]byte, key, value []byte) (int, error) {
	return s.update(ctx, func(txn *badger.Txn) error {
		if err := readBadger(txn, keys); err != nil {
			return err
		}
		return txn.Set(key, value)
	})
}

// Modify implements bench.Store.
func (s *badgerStore) Modify(ctx context.Context, key []byte, change func([]byte) ([]byte, error)) (int, error) {
	return s.update(ctx, func(txn *badger.Txn) error {
		item, err := txn.Get(key)
		if err != nil {
			return fmt.Errorf("get %q: %w", key, err)
		}
		var changed []byte
		err = item.Value(func(old []byte) (err error) {
			changed, err = change(old)
			return err
		})
		if err != nil {
			return err
		}
		return txn.Set(key, changed)
	})
}

// Scan implements bench.Store.
func (s *badgerStore) Scan(_ context.Context, key []byte, limit int) (rows int, err error) {
	err = s.db.View(func(txn *badger.Txn) error {
		options := badger.DefaultIteratorOptions
		options.PrefetchSize = limit
		iter := txn.NewIterator(options)
		defer iter.Close()
		for iter.Seek(key); iter.Valid() && rows < limit; iter.Next() {
			item := iter.Item()
			if err := item.Value(func(value []byte) error { return bench.CheckValue(item.Key(), value) }); err != nil {
				return err
			}
			rows++
		}
		return nil
	})
	return rows, err
}

// Close implements bench.Store.
func (s *badgerStore) Close() error { return s.db.Close() }
