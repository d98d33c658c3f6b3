package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/plinthdb/plinth/internal/sim/host"
)

const (
	// freshSeeds is how many seeds run if nothing else is asked for.
	freshSeeds = 10
	// freshSeedLimit keeps fresh seeds short enough to be typed.
	freshSeedLimit = 1_000_000_000
	// progressInterval is the least time between two lines of progress.
	progressInterval = 10 * time.Second
)

// simFlags are the flags of the command sim.
type simFlags struct {
	seed, seeds uint64
	hasSeed     bool
	workload    string
	minutes     float64
	trace       bool
	tail        int
	nudge       int
	twiceEvery  uint64
	workers     int
	source      string
	cache       string
}

func newSimCommand(*environment) *cobra.Command {
	var f simFlags
	cmd := &cobra.Command{
		Use:   "sim",
		Short: "Run the store in the deterministic simulation",
		Long: `Run Plinth in the deterministic simulation: the whole store, compiled for wasm
from the source tree, on slow, full, failing and crashing disks, in virtual
time, with workloads whose invariants are checked. A seed decides everything
that is left to chance: the same seed gives the same run to the last byte.

Each run ends with a line "trace HASH" over every disk operation, transaction
and fault with its virtual time. A seed that fails sets the exit status, and
the command that replays it is printed.

It needs the go command and a clone of the source tree; run it inside one or
name it with --source. The first run compiles for a minute or two.`,
		Example: `  plinth sim
  plinth sim --seeds 100
  plinth sim --seed 7 --trace
  plinth sim --minutes 3 --workload Cycle,Increment`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.hasSeed = cmd.Flags().Changed("seed")
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.Uint64Var(&f.seed, "seed", 0, "first `seed`; without --seeds and --minutes the only one (default: fresh ones)")
	flags.Uint64Var(&f.seeds, "seeds", 0, "`number` of seeds to run (default 1 with --seed, else 10)")
	flags.Float64Var(&f.minutes, "minutes", 0, "run seeds until so many `minutes` have passed")
	flags.StringVar(&f.workload, "workload", "", "`names` of the workloads, separated by commas (default: all)")
	flags.BoolVar(&f.trace, "trace", false, "print the whole trace; for one seed only")
	flags.IntVar(&f.tail, "tail", 50, "print so many last `lines` of the trace of a failed run")
	flags.IntVar(&f.nudge, "nudge", 0, "make the disk sync of this `number` a microsecond longer, to see how far one delay reaches")
	flags.Uint64Var(&f.twiceEvery, "twice-every", 10, "run every so-manieth seed twice and compare the traces; 0 is never")
	flags.IntVar(&f.workers, "workers", 0, "`number` of seeds to run at a time (default: one per core)")
	flags.StringVar(&f.source, "source", ".", "`directory` in the source tree to compile")
	flags.StringVar(&f.cache, "cache", "", "`directory` for compiled programs (default: plinth/sim in the user's cache directory)")
	return cmd
}

func (f *simFlags) run(ctx context.Context, out, progress io.Writer) error {
	campaign, err := f.campaign(time.Now())
	if err != nil {
		return err
	}
	root, err := host.FindSource(f.source)
	if err != nil {
		return err
	}
	wasm, err := host.Build(ctx, host.BuildConfig{Root: root, CacheDir: f.cache, Log: progress})
	if err != nil {
		return err
	}
	program, err := host.Load(ctx, wasm, host.LoadConfig{CacheDir: f.cache, Log: progress})
	if err != nil {
		return err
	}
	defer program.Close(ctx)
	if f.trace {
		config := campaign.Run
		config.Seed, config.Trace, config.TailLines = campaign.First, out, 0
		return f.one(out, program.Run(ctx, config))
	}
	return f.many(ctx, program, campaign, out, progress)
}

// campaign says which seeds to run, and how.
func (f *simFlags) campaign(now time.Time) (host.CampaignConfig, error) {
	c := host.CampaignConfig{First: f.seed, Count: f.seeds, Workers: f.workers, TwiceEvery: f.twiceEvery}
	if !f.hasSeed {
		c.First = 1 + rand.Uint64N(freshSeedLimit)
	}
	switch {
	case f.minutes < 0:
		return c, fmt.Errorf("--minutes %v is negative", f.minutes)
	case f.minutes > 0:
		c.Until = now.Add(time.Duration(f.minutes * float64(time.Minute)))
		if c.Count == 0 {
			c.Count = math.MaxUint64
		}
	case c.Count == 0 && f.hasSeed:
		c.Count, c.TwiceEvery = 1, 0
	case c.Count == 0:
		c.Count = freshSeeds
	}
	if f.trace && (!f.hasSeed || c.Count != 1) {
		return c, errors.New("--trace prints the trace of one seed: name it with --seed, without --seeds and --minutes")
	}
	c.Run.TailLines = f.tail
	if f.workload != "" {
		c.Run.Args = append(c.Run.Args, "--workload", f.workload)
	}
	if f.nudge != 0 {
		c.Run.Args = append(c.Run.Args, "--nudge", strconv.Itoa(f.nudge))
	}
	return c, nil
}

func (f *simFlags) one(out io.Writer, r *host.Result) error {
	if err := r.Print(out); err != nil {
		return err
	}
	return r.Err
}

func (f *simFlags) many(ctx context.Context, program *host.Program, campaign host.CampaignConfig, out, progress io.Writer) error {
	began, printed := time.Now(), time.Now()
	var printErr error
	totals := program.Campaign(ctx, campaign, func(r *host.Result, totals *host.Totals) {
		printErr = errors.Join(printErr, r.Print(out))
		if now := time.Now(); campaign.Count > 1 && now.Sub(printed) >= progressInterval {
			printed = now
			fmt.Fprintln(progress, totals.Progress(now.Sub(began), campaign.Count, campaign.Until))
		}
	})
	if campaign.Count > 1 {
		printErr = errors.Join(printErr, totals.Print(out))
	}
	switch {
	case printErr != nil:
		return printErr
	case ctx.Err() != nil:
		return ctx.Err()
	case totals.Failed > 0:
		return fmt.Errorf("%d of %d seeds failed; each one's replay command is above", totals.Failed, totals.Runs)
	}
	return nil
}
