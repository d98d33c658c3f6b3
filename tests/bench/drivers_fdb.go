package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/apple/foundationdb/bindings/go/src/fdb"

	"github.com/plinthdb/plinth/internal/bench"
)

// fdbStore is Plinth by FoundationDB's Go API, whose transactions have no
// context.
type fdbStore struct{ db fdb.Database }

func openFDB(dir string, _ bench.Settings) (bench.Store, error) {
	if err := fdb.APIVersion(730); err != nil {
		return nil, err
	}
	db, err := fdb.OpenDatabase("plinth-embedded:" + dir)
	if err != nil {
		return nil, err
	}
	return &fdbStore{db}, nil
}

// readFDB issues all reads, then waits for them: they travel together.
func readFDB(tr fdb.ReadTransaction, keys [][]byte) error {
	var space [16]fdb.FutureByteSlice
	futures := slices.Grow(space[:0], len(keys))
	for _, key := range keys {
		futures = append(futures, tr.Get(fdb.Key(key)))
	}
	for i, future := range futures {
		value, err := future.Get()
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
func (s *fdbStore) update(f func(fdb.Transaction) error) (retries int, err error) {
	runs := 0
	_, err = s.db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		runs++
		return nil, f(tr)
	})
	return runs - 1, err
}

// Read implements bench.Store.
func (s *fdbStore) Read(_ context.Context, keys [][]byte) error {
	_, err := s.db.ReadTransact(func(tr fdb.ReadTransaction) (interface{}, error) {
		return nil, readFDB(tr, keys)
	})
	return err
}

// Write implements bench.Store.
func (s *fdbStore) Write(_ context.Context, keys [][]byte, value []byte) (int, error) {
	return s.update(func(tr fdb.Transaction) error {
		for _, key := range keys {
			tr.Set(fdb.Key(key), value)
		}
		return nil
	})
}

// ReadWrite implements bench.Store.
func (s *fdbStore) ReadWrite(_ context.Context, keys [][]byte, key, value []byte) (int, error) {
	return s.update(func(tr fdb.Transaction) error {
		if err := readFDB(tr, keys); err != nil {
			return err
		}
		tr.Set(fdb.Key(key), value)
		return nil
	})
}

// Modify implements bench.Store.
func (s *fdbStore) Modify(_ context.Context, key []byte, change func([]byte) ([]byte, error)) (int, error) {
	return s.update(func(tr fdb.Transaction) error {
		old, err := tr.Get(fdb.Key(key)).Get()
		if err != nil {
			return fmt.Errorf("get %q: %w", key, err)
		}
		value, err := change(old)
		if err != nil {
			return err
		}
		tr.Set(fdb.Key(key), value)
		return nil
	})
}

// Scan implements bench.Store.
func (s *fdbStore) Scan(_ context.Context, key []byte, limit int) (int, error) {
	rows := 0
	_, err := s.db.ReadTransact(func(tr fdb.ReadTransaction) (interface{}, error) {
		found, err := tr.GetRange(fdb.KeyRange{Begin: fdb.Key(key), End: fdb.Key("\xff")}, fdb.RangeOptions{Limit: limit}).GetSliceWithError()
		for _, row := range found {
			if err := bench.CheckValue(row.Key, row.Value); err != nil {
				return nil, err
			}
		}
		rows = len(found)
		return nil, err
	})
	return rows, err
}

// Close implements bench.Store.
func (s *fdbStore) Close() error {
	s.db.Close()
	return nil
}
