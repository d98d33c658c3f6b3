package main

import (
	"context"
	"fmt"
	"path/filepath"

	"go.etcd.io/bbolt"

	"github.com/plinthdb/plinth/internal/bench"
)

type bboltStore struct {
	db     *bbolt.DB
	bucket []byte
	// alone says that there is one client: its Batch would wait 10 ms for
	// company that never comes.
	alone bool
}

func openBbolt(dir string, s bench.Settings) (bench.Store, error) {
	db, err := bbolt.Open(filepath.Join(dir, "bbolt.db"), 0o600, nil)
	if err != nil {
		return nil, err
	}
	bucket := []byte("records")
	return &bboltStore{db: db, bucket: bucket, alone: s.Clients == 1}, db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	})
}

// update runs f in a transaction that it may share with other callers.
func (s *bboltStore) update(f func(*bbolt.Bucket) error) (retries int, err error) {
	runs := 0
	once := func(tx *bbolt.Tx) error {
		runs++
		return f(tx.Bucket(s.bucket))
	}
	if s.alone {
		err = s.db.Update(once)
	} else {
		err = s.db.Batch(once)
	}
	return runs - 1, err
}

func readBbolt(bucket *bbolt.Bucket, keys [][]byte) error {
	for _, key := range keys {
		if err := bench.CheckValue(key, bucket.Get(key)); err != nil {
			return err
		}
	}
	return nil
}

// Read implements bench.Store.
func (s *bboltStore) Read(_ context.Context, keys [][]byte) error {
	return s.db.View(func(tx *bbolt.Tx) error { return readBbolt(tx.Bucket(s.bucket), keys) })
}

// Write implements bench.Store.
func (s *bboltStore) Write(_ context.Context, keys [][]byte, value []byte) (int, error) {
	return s.update(func(bucket *bbolt.Bucket) error {
		for _, key := range keys {
			if err := bucket.Put(key, value); err != nil {
				return err
			}
		}
		return nil
	})
}

// ReadWrite implements bench.Store.
func (s *bboltStore) ReadWrite(_ context.Context, keys [][]byte, key, value []byte) (int, error) {
	return s.update(func(bucket *bbolt.Bucket) error {
		if err := readBbolt(bucket, keys); err != nil {
			return err
		}
		return bucket.Put(key, value)
	})
}

// Modify implements bench.Store.
func (s *bboltStore) Modify(_ context.Context, key []byte, change func([]byte) ([]byte, error)) (int, error) {
	return s.update(func(bucket *bbolt.Bucket) error {
		old := bucket.Get(key)
		if old == nil {
			return fmt.Errorf("get %q: not found", key)
		}
		value, err := change(old)
		if err != nil {
			return err
		}
		return bucket.Put(key, value)
	})
}

// Scan implements bench.Store.
func (s *bboltStore) Scan(_ context.Context, key []byte, limit int) (rows int, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(s.bucket).Cursor()
		for k, v := cursor.Seek(key); k != nil && rows < limit; k, v = cursor.Next() {
			if err := bench.CheckValue(k, v); err != nil {
				return err
			}
			rows++
		}
		return nil
	})
	return rows, err
}

// Close implements bench.Store.
func (s *bboltStore) Close() error { return s.db.Close() }
