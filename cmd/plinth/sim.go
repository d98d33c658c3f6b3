package main

import (
	"context"
	"errors"
	"fmt"
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
	// kept is where campaigns are kept; resume goes on with the last one, totals
	// only prints what is kept. asJSON prints for scripts.
	kept                   string
	resume, totals, asJSON bool
	// history is the file for what was recorded of a run.
	history string
	// plant is the bug to plant, hunt the bugs to look for.
	plant string
	hunt  []string
	// pkg is the package whose tests to run instead of Plinth's own workloads,
	// runs the tests, tags its build tags, testArgs its arguments.
	pkg, runs, tags string
	testArgs        []string
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
the command that replays it is printed. Results are kept and add up for each
commit, or for each state of a modified tree; after an interruption --resume
goes on with the seeds that have not run yet.

It needs the go command and a clone of the source tree; run it inside one or
name it with --source. The first run compiles for a minute or two.

With --package it runs tests of your own, of any module that requires Plinth:
those that call simtest.Run (package kv/simtest). That needs no clone. What
follows "--" is for the test binary.`,
		Example: `  plinth sim
  plinth sim --seeds 100
  plinth sim --seed 7 --trace
  plinth sim --minutes 3 --workload Cycle,Increment
  plinth sim --seed 1 --seeds 10000
  plinth sim --resume
  plinth sim --totals --json
  plinth sim --bugs all
  plinth sim --package ./bank
  plinth sim --package ./bank --run TestTransfers --seed 7`,
		Args: f.simArgs,
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			f.note(cmd)
			return f.check(cmd.Flags())
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			printer := simPrinter{out: cmd.OutOrStdout(), progress: cmd.ErrOrStderr(), asJSON: f.asJSON}
			switch {
			case f.totals:
				return f.printTotals(printer)
			case len(f.hunt) > 0:
				return f.findBugs(cmd.Context(), printer.out, printer.progress)
			case f.pkg != "":
				return f.runTests(cmd.Context(), printer)
			}
			return f.run(cmd.Context(), printer)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.pkg, "package", "", "run the tests of this `package` that call simtest.Run")
	flags.StringVar(&f.runs, "run", "", "with --package: run the tests that match this `regexp`, as with go test (default: all)")
	flags.StringVar(&f.tags, "tags", "", "with --package: build `tags`, separated by commas")
	flags.Uint64Var(&f.seed, "seed", 0, "first `seed`; without --seeds and --minutes the only one (default: fresh ones)")
	flags.Uint64Var(&f.seeds, "seeds", 0, "`number` of seeds to run (default 1 with --seed, else 10)")
	flags.Float64Var(&f.minutes, "minutes", 0, "run seeds until so many `minutes` have passed")
	flags.Var(new(workloadNames), "workload", "`names` of the workloads, separated by commas (default: each seed draws some)")
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
	flags.Uint64Var(&f.twiceEvery, "twice-every", 10, "run every so-manieth seed twice and compare the traces, and those that fail; 0 is never")
	flags.IntVar(&f.workers, "workers", 0, "`number` of seeds to run at a time (default: one per core)")
	flags.BoolVar(&f.slow, "interruptible", false, "run half as fast, but say where a program is that computes for ever")
	flags.StringVar(&f.history, "history", "", "write what the clients of the first failed run did and saw, or of the first one if none failed, to `file`, if a workload records it: .txt, .html (a picture), .edn (for Elle) or .json")
	flags.BoolVar(&f.resume, "resume", false, "go on with the seeds of the last sitting of this commit that have not run yet")
	flags.BoolVar(&f.totals, "totals", false, "run nothing, print the totals of all campaigns that are kept")
	flags.BoolVar(&f.asJSON, "json", false, "print one JSON object for each run, and one each for the totals of the sitting and of the campaign")
	flags.StringSliceVar(&f.hunt, "bugs", nil, "plant these bugs of tests/sim/bugs, `names` or all, and count the seeds until each is found")
	flags.StringVar(&f.plant, "plant", "", "plant the bug of this `name`, to replay what --bugs has found")
	addDirectory(cmd, &f.source, "source", "", ".", "`directory` in the source tree to compile")
	addDirectory(cmd, &f.kept, "campaign", "", "", "`directory` that results are kept in (default: campaigns in the cache)")
	addDirectory(cmd, &f.cache, "cache", "", "", "`directory` for compiled programs (default: plinth/sim in the user's cache directory)")
	return cmd
}

// note keeps what a variable of its own cannot hold: which flags were given.
func (f *simFlags) note(cmd *cobra.Command) {
	f.hasSeed = cmd.Flags().Changed("seed")
	f.hasTwice = cmd.Flags().Changed("twice-every")
	f.guest = guestArgs(cmd.Flags())
}

// guestFlags are the flags that are for the simulated program.
func guestFlags() []string {
	return []string{"workload", "safety", "liveness", "limit", "nudge", "misbehave"}
}

// guestArgs returns those of the flags given that are for the simulated
// program, which has flags of the same names.
func guestArgs(flags *pflag.FlagSet) (args []string) {
	for _, name := range guestFlags() {
		if flags.Changed(name) {
			args = append(args, "--"+name, flags.Lookup(name).Value.String())
		}
	}
	return args
}

// check refuses flags that do not go together.
func (f *simFlags) check(flags *pflag.FlagSet) error {
	type pair struct{ flag, other, why string }
	pairs := []pair{
		{"resume", "seed", "it takes the seeds of the last sitting"},
		{"resume", "plant", "runs with a planted bug are not kept"},
		{"resume", "trace", "that prints the trace of one seed"},
		{"history", "trace", "that prints the trace of one seed"},
		{"history", "bugs", "that prints a table"},
		{"history", "totals", "that runs nothing"},
		{"json", "trace", "that prints the trace of one seed"},
		{"json", "bugs", "that prints a table"},
	}
	for _, name := range []string{"minutes", "trace", "twice-every", "interruptible", "plant", "resume", "totals"} {
		pairs = append(pairs, pair{"bugs", name, "it runs seeds until each bug is found"})
	}
	for _, name := range append(guestFlags(), "seed", "seeds", "minutes", "trace", "resume", "plant") {
		pairs = append(pairs, pair{"totals", name, "it runs nothing"})
	}
	for _, name := range guestFlags() {
		pairs = append(pairs, pair{"resume", name, "it takes the arguments of the last sitting"})
	}
	for _, name := range append(guestFlags(), "bugs", "plant", "totals", "resume", "history", "source", "campaign") {
		pairs = append(pairs, pair{"package", name, "it runs other tests than Plinth's own, and keeps no results"})
	}
	for _, p := range pairs {
		if flags.Changed(p.flag) && flags.Changed(p.other) {
			return fmt.Errorf("--%s does not go with --%s: %s", p.flag, p.other, p.why)
		}
	}
	if f.pkg == "" && (f.runs != "" || f.tags != "" || len(f.testArgs) > 0) {
		return errors.New("--run and --tags are about a package: name it with --package")
	}
	for _, name := range []string{"safety", "liveness", "limit"} {
		if d, err := flags.GetDuration(name); err != nil || d < 0 {
			return fmt.Errorf("--%s is %v: give a time that is not negative", name, d)
		}
	}
	if f.plant == "all" {
		return errors.New("--plant plants one bug: name it")
	}
	if err := checkHistoryFile(f.history); err != nil {
		return err
	}
	_, err := f.campaign(time.Now())
	return err
}

// resumeCommand is what goes on with a campaign that was interrupted.
func (f *simFlags) resumeCommand() string {
	command := "go run ./cmd/plinth sim --resume"
	for _, d := range []struct{ flag, value, usual string }{
		{"campaign", f.kept, ""}, {"cache", f.cache, ""}, {"source", f.source, "."},
	} {
		if d.value != d.usual {
			command += fmt.Sprintf(" --%s %s", d.flag, d.value)
		}
	}
	return command
}

func (f *simFlags) run(ctx context.Context, printer simPrinter) error {
	root, err := host.FindSource(f.source)
	if err != nil {
		return err
	}
	build := host.BuildConfig{Root: root, CacheDir: f.cache, Log: printer.progress}
	var env, replay []string
	if f.plant != "" {
		overlay, chosen, err := planted(root, []string{f.plant})
		if err != nil {
			return err
		}
		build.Overlay, env, replay = overlay, chosen[0].On(), []string{"--plant", f.plant}
	}
	wasm, err := host.Build(ctx, build)
	if err != nil {
		return err
	}
	program, err := host.Load(ctx, wasm, host.LoadConfig{CacheDir: f.cache, Interruptible: f.slow, Log: printer.progress})
	if err != nil {
		return err
	}
	defer program.Close(ctx)
	campaign, err := f.campaign(time.Now()) // --minutes are for seeds
	if err != nil {
		return err
	}
	campaign.Run.Env, campaign.Run.Flags = env, replay
	if f.trace {
		config := campaign.Run
		config.Seed, config.Trace, config.TailLines = campaign.First, printer.out, 0
		r := program.Run(ctx, config)
		return errors.Join(r.Print(printer.out), r.Err)
	}
	s := simSitting{printer: printer, campaign: campaign, goOn: f.resumeCommand()}
	if f.plant == "" && (campaign.Count > 1 || f.resume) {
		// A single seed is a replay, which says nothing new.
		if err := f.keep(ctx, &s, root, wasm); err != nil {
			return err
		}
	}
	recording := historian{campaigner: program, file: f.history}
	err = s.run(ctx, &recording)
	return errors.Join(err, recording.conclude(printer.progress))
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
	c.Confirm = c.Count > 1 && (c.TwiceEvery > 0 || !f.hasTwice)
	c.Run.TailLines, c.Run.Args = f.tail, f.guest
	return c, nil
}
