package main

import (
	"context"
	"fmt"
)

// settings are the same for all stores of a run.
type settings struct {
	Records       int     `json:"records"`
	CacheBytes    int64   `json:"cacheBytes"`
	Clients       int     `json:"clients,omitempty"`
	Seconds       float64 `json:"seconds"`
	WarmUpSeconds float64 `json:"warmUpSeconds"`
}

// memTableBytes is the size of a memtable in every store that has them:
// Plinth's default.
const memTableBytes = 64 << 20

// store is one open database. Each operation is one transaction, written as
// the store's own documentation would have it; those that write return after
// the commit is on disk, with the number of times that they had to start over.
//
// Keys and values passed in are never written to by the caller. Operations may
// be called from many goroutines.
type store interface {
	// Read gets all the keys and checks them with checkValue.
	Read(ctx context.Context, keys [][]byte) error
	// Write sets all the keys to the value.
	Write(ctx context.Context, keys [][]byte, value []byte) (retries int, err error)
	// ReadWrite gets all the keys, checks them, and sets one.
	ReadWrite(ctx context.Context, keys [][]byte, key, value []byte) (retries int, err error)
	// Modify gets the key and sets it to what change makes of the value, which
	// change must not keep.
	Modify(ctx context.Context, key []byte, change func(value []byte) ([]byte, error)) (retries int, err error)
	// Scan reads rows in key order from key on, at most limit, checks them and
	// returns their number.
	Scan(ctx context.Context, key []byte, limit int) (rows int, err error)
	// Close closes the store.
	Close() error
}

// driver knows how to open one kind of store.
type driver struct {
	name string
	// about says how the store is set up, for the report.
	about string
	// isolated says that Modify loses no update. Workloads that need it leave
	// the others out.
	isolated bool
	open     func(dir string, s settings) (store, error)
}

// drivers lists the stores, in the order of the report.
func drivers() []driver {
	return []driver{
		{subject, "embedded store, defaults beyond the size of the cache", true, openPlinth},
		{"pebble", "raw batches with Sync, no transactions, no isolation: the limit; block cache, memtables and bloom filters as in Plinth's storage server", false, openPebble},
		{"badger", "SyncWrites, serializable snapshot isolation, defaults beyond cache and memtable sizes", true, openBadger},
		{"bbolt", "Batch (with one client Update, since a lone Batch waits 10 ms), defaults; caches in the page cache of the system alone", true, openBbolt},
	}
}

func driverNames() (names []string) {
	for _, d := range drivers() {
		names = append(names, d.name)
	}
	return names
}

func driverNamed(name string) (driver, error) {
	for _, d := range drivers() {
		if d.name == name {
			return d, nil
		}
	}
	return driver{}, fmt.Errorf("unknown driver %q: choose from %v", name, driverNames())
}
