package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"

	"github.com/plinthdb/plinth/internal/bench"
)

// pebbleStore is Pebble without transactions around it: reads see whatever is
// newest, writers do not notice one another. A transactional store on Pebble
// cannot be faster.
type pebbleStore struct{ db *pebble.DB }

// openPebble sets what Plinth's storage server sets for its engine, but for
// the write-ahead log: here it is Pebble's own that makes commits durable.
func openPebble(dir string, s bench.Settings) (bench.Store, error) {
	options := &pebble.Options{
		// Pebble takes the memtables' memory out of its cache.
		CacheSize:                   s.CacheBytes + 2*memTableBytes, // one being filled, one kept to be used again
		FormatMajorVersion:          pebble.FormatNewest,
		MemTableSize:                memTableBytes,
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       24,
		LBaseMaxBytes:               64 << 20,
		MaxOpenFiles:                1000,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
		Logger:                      quietLogger{},
	}
	for i := range len(options.Levels) - 1 {
		options.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	db, err := pebble.Open(dir, options)
	return &pebbleStore{db}, err
}

// Read implements bench.Store.
func (s *pebbleStore) Read(_ context.Context, keys [][]byte) error {
	for _, key := range keys {
		value, closer, err := s.db.Get(key)
		if err != nil {
			return fmt.Errorf("get %q: %w", key, err)
		}
		if err := errors.Join(bench.CheckValue(key, value), closer.Close()); err != nil {
			return err
		}
	}
	return nil
}

// Write implements bench.Store.
func (s *pebbleStore) Write(_ context.Context, keys [][]byte, value []byte) (int, error) {
	batch := s.db.NewBatch()
	defer batch.Close()
	for _, key := range keys {
		if err := batch.Set(key, value, nil); err != nil {
			return 0, err
		}
	}
	return 0, batch.Commit(pebble.Sync)
}

// ReadWrite implements bench.Store.
func (s *pebbleStore) ReadWrite(ctx context.Context, keys [][]byte, key, value []byte) (int, error) {
	if err := s.Read(ctx, keys); err != nil {
		return 0, err
	}
	return 0, s.db.Set(key, value, pebble.Sync)
}

// Modify implements bench.Store, without isolation.
func (s *pebbleStore) Modify(_ context.Context, key []byte, change func([]byte) ([]byte, error)) (int, error) {
	old, closer, err := s.db.Get(key)
	if err != nil {
		return 0, fmt.Errorf("get %q: %w", key, err)
	}
	value, err := change(old)
	if err := errors.Join(err, closer.Close()); err != nil {
		return 0, err
	}
	return 0, s.db.Set(key, value, pebble.Sync)
}

// Scan implements bench.Store.
func (s *pebbleStore) Scan(_ context.Context, key []byte, limit int) (rows int, err error) {
	iter, err := s.db.NewIter(&pebble.IterOptions{LowerBound: key})
	if err != nil {
		return 0, err
	}
	for valid := iter.First(); valid && rows < limit && err == nil; valid = iter.Next() {
		err = bench.CheckValue(iter.Key(), iter.Value())
		rows++
	}
	return rows, errors.Join(err, iter.Error(), iter.Close())
}

// Close implements bench.Store.
func (s *pebbleStore) Close() error { return s.db.Close() }

// quietLogger drops remarks, and panics on what Pebble cannot survive.
type quietLogger struct{}

func (quietLogger) Infof(string, ...any)  {}
func (quietLogger) Errorf(string, ...any) {}
func (quietLogger) Fatalf(format string, args ...any) {
	panic("pebble: " + fmt.Sprintf(format, args...))
}
