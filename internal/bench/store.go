package bench

import (
	"context"
	"fmt"
)

// Settings are the same for all stores of a run.
type Settings struct {
	// Records is the number of records in the store, MinRecords at least.
	Records int `json:"records"`
	// CacheBytes is the size of the store's cache for reads.
	CacheBytes int64 `json:"cacheBytes"`
	// Clients is the number of goroutines that run transactions.
	Clients int `json:"clients,omitempty"`
	// Seconds is the measured time of each workload, WarmUpSeconds the time
	// before it.
	Seconds       float64 `json:"seconds"`
	WarmUpSeconds float64 `json:"warmUpSeconds"`
}

// Store is one open database. Each operation is one transaction, written as
// the store's own documentation would have it; those that write return after
// the commit is on disk, with the number of times that they had to start over.
//
// Keys and values passed in are never written to by the caller. Operations may
// be called from many goroutines.
type Store interface {
	// Read gets all the keys and checks them with CheckValue.
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

// Driver knows how to open one kind of store.
type Driver struct {
	// Name is how tables and flags call the store.
	Name string
	// About says how the store is set up, for the report.
	About string
	// Isolated says that Modify loses no update. Workloads that need it leave
	// the others out.
	Isolated bool
	// Open opens the store in an existing directory.
	Open func(dir string, s Settings) (Store, error)
}

// CheckValue is what every read does to its result (B2). It returns an error
// that names the key unless the value has ValueBytes.
func CheckValue(key, value []byte) error {
	if len(value) != ValueBytes {
		return fmt.Errorf("key %q has a value of %d bytes, want %d", key, len(value), ValueBytes)
	}
	return nil
}
