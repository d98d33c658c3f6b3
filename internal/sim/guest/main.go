// Command guest is the simulated program: it runs one scenario from a seed.
//
// internal/sim/host compiles it for GOOS=wasip1 and runs it, which makes it
// reproducible. As a native program (go run -race ./internal/sim/guest --seed
// 7) it runs the same scenario in real time and differently each time; it then
// prints the trace.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/sim/hostcall"
	"github.com/plinthdb/plinth/internal/sim/scenario"
	"github.com/plinthdb/plinth/internal/sim/world"
)

// A run is at least so long and commits at least so much, unless its arguments
// restrict it.
const (
	defaultSafety   = 10 * time.Second
	defaultLiveness = 20 * time.Second
	minCommits      = 1000
)

func main() {
	var config config
	flag.Uint64Var(&config.seed, "seed", 1, "where all chance comes from")
	flag.StringVar(&config.workloads, "workload", "", "workloads, separated by commas; empty lets the seed draw them")
	flag.IntVar(&config.nudge, "nudge", 0, "make the disk sync of this number a microsecond longer")
	flag.DurationVar(&config.limit, "limit", 10*time.Minute, "virtual time after which the run is hung")
	flag.DurationVar(&config.safety, "safety", defaultSafety, "virtual length of the phase with faults")
	flag.DurationVar(&config.liveness, "liveness", defaultLiveness, "virtual length of the phase without")
	flag.StringVar(&config.misbehave, "misbehave", "", "instead of all that, do what a broken program does: panic, violate, hang or busy")
	flag.Parse()
	os.Exit(config.run())
}

type config struct {
	seed      uint64
	workloads string
	nudge     int
	limit     time.Duration
	safety    time.Duration
	liveness  time.Duration
	misbehave string
}

func (c *config) run() int {
	ctx, w := world.New(context.Background(), c.seed, hostcall.Trace)
	time.AfterFunc(c.limit, func() {
		fmt.Fprintf(os.Stderr, "the run did not end within %v; all goroutines:\n\n%s", c.limit, stacks())
		hostcall.Finish(w.FinalReport(), nil)
		os.Exit(hostcall.StatusHung)
	})
	swarm := scenario.Draw(w.Rand("swarm"))
	swarm.Disk.NudgeSync = c.nudge
	swarm.Safety, swarm.Liveness = c.safety, c.liveness
	if c.workloads == "" && c.safety >= defaultSafety && c.liveness >= defaultLiveness {
		swarm.MinCommits = minCommits
	}
	w.Trace("seed %d", c.seed)
	w.Trace("swarm %+v", swarm)
	fault.Enable(fault.Config{Seed: c.seed, ArmProbability: swarm.ArmProbability, FireProbability: swarm.FireProbability})

	err := c.scenario(ctx, w, swarm)
	return hostcall.Finish(w.FinalReport(), err)
}

func (c *config) scenario(ctx context.Context, w *world.World, swarm scenario.Swarm) error {
	if c.misbehave != "" {
		return scenario.Misbehave(w, c.misbehave)
	}
	var names []string
	if c.workloads != "" {
		names = strings.Split(c.workloads, ",")
	}
	if len(names) == 1 && names[0] == scenario.PebbleName {
		return scenario.RunPebble(ctx, w, swarm)
	}
	if len(names) == 1 && names[0] == scenario.IdleName {
		return scenario.RunIdle(ctx, w, swarm, embeddedDriver(&swarm))
	}
	if len(names) == 1 && names[0] == scenario.EchoName {
		return scenario.RunEcho(ctx, w, scenario.EchoFrames{}, c.safety, c.liveness)
	}
	return scenario.RunStore(ctx, w, swarm, embeddedDriver(&swarm), names)
}

func stacks() []byte {
	buf := make([]byte, 1<<20)
	return buf[:runtime.Stack(buf, true)]
}
