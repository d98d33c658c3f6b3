// Command guest is a simulated program like internal/sim/guest: it runs the
// echo service over gRPC from a seed.
package main

import (
	"context"
	"flag"
	"os"
	"time"

	"github.com/plinthdb/plinth/internal/sim/hostcall"
	"github.com/plinthdb/plinth/internal/sim/scenario"
	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/tests/simrpc"
)

func main() {
	seed := flag.Uint64("seed", 1, "where all chance comes from")
	safety := flag.Duration("safety", 10*time.Second, "virtual length of the phase with faults")
	liveness := flag.Duration("liveness", 20*time.Second, "virtual length of the phase without")
	flag.Parse()
	ctx, w := world.New(context.Background(), *seed, hostcall.Trace)
	w.Trace("seed %d", *seed)
	err := scenario.RunEcho(ctx, w, simrpc.Transport{}, *safety, *liveness)
	os.Exit(hostcall.Finish(w.Report(), err))
}
