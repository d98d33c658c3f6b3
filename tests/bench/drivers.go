package main

import (
	"fmt"

	"github.com/plinthdb/plinth/internal/bench"
	"github.com/plinthdb/plinth/internal/bench/plinth"
)

// memTableBytes is the size of a memtable in every store that has them:
// Plinth's default.
const memTableBytes = 64 << 20

// drivers lists the stores, in the order of the report.
func drivers() []bench.Driver {
	return []bench.Driver{
		plinth.Driver(),
		{
			Name:  "pebble",
			About: "raw batches with Sync, no transactions, no isolation: the limit; block cache, memtables and bloom filters as in Plinth's storage server",
			Open:  openPebble,
		},
		{
			Name:     "badger",
			About:    "SyncWrites, serializable snapshot isolation, defaults beyond cache and memtable sizes",
			Isolated: true,
			Open:     openBadger,
		},
		{
			Name:     "bbolt",
			About:    "Batch (with one client Update, since a lone Batch waits 10 ms), defaults; caches in the page cache of the system alone",
			Isolated: true,
			Open:     openBbolt,
		},
	}
}

func driverNames() (names []string) {
	for _, d := range drivers() {
		names = append(names, d.Name)
	}
	return names
}

func driverNamed(name string) (bench.Driver, error) {
	for _, d := range drivers() {
		if d.Name == name {
			return d, nil
		}
	}
	return bench.Driver{}, fmt.Errorf("unknown driver %q: choose from %v", name, driverNames())
}
