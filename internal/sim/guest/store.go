package main

import (
	"context"
	"errors"

	"github.com/plinthdb/plinth/cluster"
	"github.com/plinthdb/plinth/internal/sim/scenario"
	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// embeddedDriver runs embedded stores with the seed's sizes and defaults.
func embeddedDriver(swarm *scenario.Swarm) world.Driver {
	return world.Driver{
		Open:  func(host world.Host) (*kv.Database, world.Store, error) { return openEmbedded(host, swarm) },
		Check: checkDirectory,
	}
}

// checkDirectory verifies a store that is not open.
func checkDirectory(ctx context.Context, host world.Host, at []kv.Version) (states world.States, err error) {
	report, err := cluster.Check(ctx, host.FS, host.Dir, at...)
	for _, p := range report.Problems {
		err = errors.Join(err, errors.New(p.Part+": "+p.Text))
	}
	if report.State != nil {
		states.End = report.State.Sum
	}
	states.At = make(map[kv.Version]string)
	for _, s := range report.Earlier {
		states.At[s.Version] = s.Sum
	}
	return states, err
}

func openEmbedded(host world.Host, swarm *scenario.Swarm) (*kv.Database, world.Store, error) {
	options := append(swarm.Defaults.Options(), kv.WithMaxWatches(swarm.Sizes.MaxWatches))
	db, store, err := embedded.Open(host.Dir, embedded.WithFS(host.FS), embedded.WithTuning(swarm.Sizes.Tune),
		embedded.WithDatabaseOptions(options...))
	if err != nil {
		return nil, nil, err
	}
	return db, store, nil
}
