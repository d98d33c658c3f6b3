package sim

import (
	"context"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plinthdb/plinth/internal/sim/host"

	// The test's cached result must not outlive a change of what is simulated,
	// which the test itself only hands to the compiler.
	_ "github.com/plinthdb/plinth/internal/sim/scenario"
	_ "github.com/plinthdb/plinth/kv/embedded"
)

const (
	// fixedSeeds are run each time, fresh ones after them.
	fixedSeeds, freshSeeds = 2, 2
	// seedBudget bounds the time for fresh seeds on a slow machine.
	seedBudget = time.Minute
	tailLines  = 100
)

// short makes a run of the store a few seconds long.
var short = []string{"--safety", "2s", "--liveness", "2s"}

// program returns the simulated program, which is built once.
var program = sync.OnceValues(func() (*host.Program, error) {
	root, err := host.FindSource(".")
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	wasm, err := host.Build(ctx, host.BuildConfig{Root: root, Log: os.Stderr})
	if err != nil {
		return nil, err
	}
	return host.Load(ctx, wasm, host.LoadConfig{Log: os.Stderr})
})

func load(t *testing.T) *host.Program {
	t.Helper()
	p, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func run(t *testing.T, seed uint64, args ...string) *host.Result {
	t.Helper()
	r := load(t).Run(t.Context(), host.RunConfig{Seed: seed, Args: args, TailLines: tailLines})
	if r.Outcome != host.Passed {
		t.Fatal(text(t, r))
	}
	return r
}

func text(t *testing.T, r *host.Result) string {
	t.Helper()
	var b strings.Builder
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func campaign(t *testing.T, config host.CampaignConfig) {
	t.Helper()
	config.Run.TailLines, config.Confirm = tailLines, true
	totals := load(t).Campaign(t.Context(), config, func(r *host.Result, _ *host.Totals) {
		if r.Outcome == host.Passed {
			t.Log(text(t, r))
			return
		}
		t.Error(text(t, r))
	})
	var b strings.Builder
	if err := totals.Print(&b); err != nil {
		t.Fatal(err)
	}
	t.Log(b.String())
	if totals.Report.Commits == 0 {
		t.Error("nothing was committed in any run")
	}
}

func TestFixedSeedsHoldEveryInvariant(t *testing.T) {
	campaign(t, host.CampaignConfig{First: 1, Count: fixedSeeds, TwiceEvery: fixedSeeds})
}

func TestFreshSeedsHoldEveryInvariant(t *testing.T) {
	first := 1 + rand.Uint64N(1_000_000_000)
	t.Logf("fresh seeds from %d on", first)
	campaign(t, host.CampaignConfig{First: first, Count: freshSeeds, Until: time.Now().Add(seedBudget)})
}

func TestPebbleSurvivesOnTheSimulatedDisk(t *testing.T) {
	campaign(t, host.CampaignConfig{First: 1, Count: 2, Run: host.RunConfig{Args: []string{"--workload", "Pebble"}}})
}

func TestAnIdleStoreLivesAndCloses(t *testing.T) {
	if r := run(t, 1, "--workload", "Idle"); r.Virtual < 5*time.Minute || r.Report.Boots != 1 {
		t.Errorf("it was idle for %v, with %d boots", r.Virtual, r.Report.Boots)
	}
}

func TestTwoRunsOfASeedAreTheSameAndOtherSeedsDiffer(t *testing.T) {
	first, second, other := run(t, 11, short...), run(t, 11, short...), run(t, 12, short...)
	if first.Hash != second.Hash || first.Virtual != second.Virtual || first.Lines != second.Lines {
		t.Errorf("H1: two runs of a seed differ:\n%s%s", text(t, first), text(t, second))
	}
	if first.Hash == other.Hash {
		t.Errorf("two seeds have the same trace:\n%s%s", text(t, first), text(t, other))
	}
}

func TestOneChangedDelayChangesTheTrace(t *testing.T) {
	base := run(t, 11, short...)
	nudged := run(t, 11, append([]string{"--nudge", "40"}, short...)...)
	if base.Hash == nudged.Hash {
		t.Errorf("a sync that took a microsecond longer left no trace:\n%s%s", text(t, base), text(t, nudged))
	}
}

func TestLookingAtTheTraceDoesNotChangeTheRun(t *testing.T) {
	base := run(t, 11, short...)
	var all strings.Builder
	watched := load(t).Run(t.Context(), host.RunConfig{Seed: 11, Args: short, Trace: &all})
	if watched.Hash != base.Hash {
		t.Errorf("H1: trace %s with a reader, %s without", watched.Hash, base.Hash)
	}
	if got := uint64(strings.Count(all.String(), "\n")); got != watched.Lines {
		t.Errorf("%d lines written, %d counted", got, watched.Lines)
	}
}
