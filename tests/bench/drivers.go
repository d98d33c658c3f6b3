package main

import (
	"fmt"

	"github.com/plinthdb/plinth/internal/bench"
	"github.com/plinthdb/plinth/internal/bench/plinth"
)

// memTableBytes is the size of a memtable in the stores that have them, but for
// Plinth, whose engine takes sorted steps and has its own default.
const memTableBytes = 64 << 20

// drivers lists the stores, in the order of the report.
func drivers() []bench.Driver {
	return []bench.Driver{
		plinth.Driver(),
		{
			Name:     "plinth-fdb",
			About:    "the same by FoundationDB's Go API, the module compat/foundationdb-go, with its defaults: no commit is exactly once, the cache is 64 MiB whatever --cache says",
			Isolated: true,
			Open:     openFDB,
		},
		{
			Name:  "pebble",
			About: "raw batches with Sync, no transactions, no isolation: the limit; as much block cache and the same bloom filters as Plinth's storage server, memtables of 64 MiB",
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
