package main

import (
	"github.com/plinthdb/plinth/internal/sim/scenario"
	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// openEmbedded opens an embedded store with the seed's sizes.
func openEmbedded(sizes scenario.Sizes) world.Open {
	return func(host world.Host) (*kv.Database, world.Store, error) {
		db, store, err := embedded.Open(host.Dir, embedded.WithFS(host.FS), embedded.WithTuning(func(t *embedded.Tuning) {
			t.CacheBytes = sizes.CacheBytes
			t.WindowBytes = int(sizes.WindowBytes)
			t.MemTableBytes = int(sizes.MemTableBytes)
			t.LogCacheBytes = int(sizes.LogCacheBytes)
			t.LogSegmentBytes = sizes.LogSegmentBytes
			t.LogCutBytes = int(sizes.LogCutBytes)
			t.MaxBatchCount = sizes.MaxBatchCount
			t.MaxInFlight = sizes.MaxInFlight
		}))
		if err != nil {
			return nil, nil, err
		}
		return db, store, nil
	}
}
