package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
	// hasSeed and hasTwice say that --seed and --twice-every were given.
	hasSeed, hasTwice bool
	minutes           float64
	trace             bool
	tail              int
	// guest are the arguments for the simulated program.
	guest      []string
	twiceEvery uint64
	workers    int
	slow       bool
	source     string
	cache      string
	// plant is the bug to plant, hunt the bugs to look for.
	plant string
	hunt  []string
}

func newSimCommand(*environment) *cobra.Command { return newSimCommandOn(new(simFlags)) }

func newSimCommandOn(f *simFlags) *cobra.Command {
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
  plinth sim --minutes 3 --workload Cycle,Increment
  plinth sim --bugs all`,
		Args: cobra.NoArgs,
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			f.note(cmd)
			if len(f.hunt) > 0 {
				return f.checkHunt(cmd.Flags())
			}
			_, err := f.campaign(time.Now())
			return err
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(f.hunt) > 0 {
				return f.findBugs(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
			}
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.Uint64Var(&f.seed, "seed", 0, "first `seed`; without --seeds and --minutes the only one (default: fresh ones)")
	flags.Uint64Var(&f.seeds, "seeds", 0, "`number` of seeds to run (default 1 with --seed, else 10)")
	flags.Float64Var(&f.minutes, "minutes", 0, "run seeds until so many `minutes` have passed")
	flags.String("workload", "", "`names` of the workloads, separated by commas (default: all)")
	flags.Duration("safety", 10*time.Second, "simulated `time` with faults")
	flags.Duration("liveness", 20*time.Second, "simulated `time` after the faults")
	flags.Duration("limit", 10*time.Minute, "simulated `time` after which a run is hung")
	flags.Int("nudge", 0, "make the disk sync of this `number` a microsecond longer, to see how far one delay reaches")
	flags.String("misbehave", "", "do what a broken program does: panic, violate, hang or busy")
	if err := flags.MarkHidden("misbehave"); err != nil {
		panic(err) // the flag was defined in the line above
	}
	flags.BoolVar(&f.trace, "trace", false, "print the whole trace; for one seed only")
	flags.IntVar(&f.tail, "tail", 50, "print so many last `lines` of the trace of a failed run")
	flags.Uint64Var(&f.twiceEvery, "twice-every", 10, "run every so-manieth seed twice and compare the traces; 0 is never")
	flags.IntVar(&f.workers, "workers", 0, "`number` of seeds to run at a time (default: one per core)")
	flags.BoolVar(&f.slow, "interruptible", false, "run half as fast, but say where a program is that computes for ever")
	flags.StringSliceVar(&f.hunt, "bugs", nil, "plant these bugs of tests/sim/bugs, `names` or all, and count the seeds until each is found")
	flags.StringVar(&f.plant, "plant", "", "plant the bug of this `name`, to replay what --bugs has found")
	addDirectory(cmd, &f.source, "source", "", ".", "`directory` in the source tree to compile")
	addDirectory(cmd, &f.cache, "cache", "", "", "`directory` for compiled programs (default: plinth/sim in the user's cache directory)")
	return cmd
}

// note keeps what a variable of its own cannot hold: which flags were given.
func (f *simFlags) note(cmd *cobra.Command) {
	f.hasSeed = cmd.Flags().Changed("seed")
	f.hasTwice = cmd.Flags().Changed("twice-every")
	f.guest = guestArgs(cmd.Flags())
}

// guestArgs returns those of the flags given that are for the simulated
// program, which has flags of the same names.
func guestArgs(flags *pflag.FlagSet) (args []string) {
	for _, name := range []string{"workload", "safety", "liveness", "limit", "nudge", "misbehave"} {
		if flags.Changed(name) {
			args = append(args, "--"+name, flags.Lookup(name).Value.String())
		}
	}
	return args
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
	build := host.BuildConfig{Root: root, CacheDir: f.cache, Log: progress}
	if f.plant != "" {
		if build.Overlay, err = planted(root, f.plant); err != nil {
			return err
		}
		campaign.Run.Flags = []string{"--plant", f.plant}
	}
	wasm, err := host.Build(ctx, build)
	if err != nil {
		return err
	}
	program, err := host.Load(ctx, wasm, host.LoadConfig{CacheDir: f.cache, Interruptible: f.slow, Log: progress})
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
		c.Count = 1
		if !f.hasTwice {
			c.TwiceEvery = 0
		}
	case c.Count == 0:
		c.Count = freshSeeds
	}
	if f.trace && (!f.hasSeed || c.Count != 1) {
		return c, errors.New("--trace prints the trace of one seed: name it with --seed, without --seeds and --minutes")
	}
	c.Run.TailLines, c.Run.Args = f.tail, f.guest
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
