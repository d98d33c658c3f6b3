package host

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plinthdb/plinth/internal/sim/report"
)

// fakeRuns passes every seed but those in bad, and gives a new hash for each
// run of those in fickle.
type fakeRuns struct {
	mu          sync.Mutex
	seen        map[uint64]int
	bad, fickle map[uint64]bool
}

func (f *fakeRuns) run(_ context.Context, config RunConfig) *Result {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen[config.Seed]++
	r := &Result{Seed: config.Seed, Hash: fmt.Sprint("hash", config.Seed), Virtual: time.Second, Report: &report.Report{Commits: 10}}
	if f.fickle[config.Seed] {
		r.Hash += fmt.Sprint("/", f.seen[config.Seed])
	}
	if f.bad[config.Seed] {
		r.Outcome, r.Err = Violated, errors.New("bad seed")
	}
	return r
}

func newFakeRuns() *fakeRuns {
	return &fakeRuns{seen: map[uint64]int{}, bad: map[uint64]bool{}, fickle: map[uint64]bool{}}
}

func TestCampaignRunsEverySeedOnceAndAddsUp(t *testing.T) {
	f := newFakeRuns()
	f.bad[7] = true
	calls := 0
	totals := runCampaign(t.Context(), f.run, CampaignConfig{First: 5, Count: 20, Workers: 3}, func(*Result, *Totals) { calls++ })
	if len(f.seen) != 20 || f.seen[5] != 1 || f.seen[24] != 1 || calls != 20 {
		t.Errorf("seeds %v in %d calls, want 5 to 24 once each", f.seen, calls)
	}
	if totals.Runs != 20 || totals.Failed != 1 || totals.Virtual != 20*time.Second || totals.Report.Commits != 200 {
		t.Errorf("totals %+v", totals)
	}
}

func TestCampaignRepeatsSeedsAndComparesTheirTraces(t *testing.T) {
	f := newFakeRuns()
	f.fickle[4] = true
	var failed []*Result
	runCampaign(t.Context(), f.run, CampaignConfig{Count: 9, TwiceEvery: 4}, func(r *Result, _ *Totals) {
		if r.Outcome != Passed {
			failed = append(failed, r)
		}
	})
	if f.seen[0] != 2 || f.seen[4] != 2 || f.seen[8] != 2 || f.seen[1] != 1 {
		t.Errorf("runs by seed: %v, want 0, 4 and 8 twice", f.seen)
	}
	var diverged *DivergedError
	if len(failed) != 1 || failed[0].Seed != 4 || failed[0].Outcome != Diverged || !errors.As(failed[0].Err, &diverged) {
		t.Errorf("failed runs %+v, want seed 4 diverged", failed)
	}
}

func TestCampaignSaysWhetherAFailedSeedFailsAgain(t *testing.T) {
	f := newFakeRuns()
	f.bad[3], f.bad[5], f.fickle[5] = true, true, true
	said := make(map[uint64]string)
	runCampaign(t.Context(), f.run, CampaignConfig{Count: 9, TwiceEvery: 9, Confirm: true}, func(r *Result, _ *Totals) {
		said[r.Seed] = r.Again
	})
	if f.seen[3] != 2 || f.seen[5] != 2 || f.seen[4] != 1 {
		t.Errorf("runs by seed: %v, want 3 and 5 twice", f.seen)
	}
	if !strings.HasPrefix(said[3], "the same") || said[5] != "not the same: violated, trace hash5/2" || said[4] != "" {
		t.Errorf("said of second runs: %v", said)
	}
	runCampaign(t.Context(), func(context.Context, RunConfig) *Result {
		return &Result{Outcome: Hung, Err: errStuck}
	}, CampaignConfig{Count: 1, Confirm: true}, func(r *Result, _ *Totals) {
		if r.Again != "" {
			t.Errorf("a run that used up its time was run again: %s", r.Again)
		}
	})
}

func TestTotalsSayHowFastRunsWereAndStarted(t *testing.T) {
	var p Pace
	p.Add(30*time.Second, 5*time.Second, 100*time.Millisecond)
	p.Add(30*time.Second, 5*time.Second, 200*time.Millisecond)
	p.Add(0, 0, 0) // it did not start
	if got, want := p.String(), "6.0 simulated s a second and core, a seed starts in 150 ms on average, in 200 ms at most"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	data, err := p.MarshalJSON()
	if want := `{"simulated_per_second":6,"mean_start_seconds":0.15,"max_start_seconds":0.2}`; err != nil || string(data) != want {
		t.Errorf("%s (%v), want %s", data, err, want)
	}
	if got := (Pace{}).String(); !strings.HasPrefix(got, "0.0 simulated") {
		t.Errorf("of no run: %s", got)
	}
}

func TestCampaignStopsAtItsLimits(t *testing.T) {
	f := newFakeRuns()
	f.bad[3] = true
	totals := runCampaign(t.Context(), f.run, CampaignConfig{Count: 1000, Workers: 1, MaxFailures: 1}, func(*Result, *Totals) {})
	if totals.Runs != 4 {
		t.Errorf("%d runs, want 4: the last one failed", totals.Runs)
	}
	totals = runCampaign(t.Context(), f.run, CampaignConfig{Count: 1000, Until: time.Now().Add(-time.Second)}, func(*Result, *Totals) {})
	if totals.Runs != 1 {
		t.Errorf("%d runs after the end of the time, want 1: a campaign without any shows nothing", totals.Runs)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	totals = runCampaign(ctx, f.run, CampaignConfig{Count: 1000}, func(*Result, *Totals) {})
	if totals.Runs != 0 {
		t.Errorf("%d runs after the end of the context", totals.Runs)
	}
}

func TestFailedRunSaysHowToReplayItAndWhatWasViolated(t *testing.T) {
	violation := &report.Violation{Source: "Cycle", Invariant: "C2", Text: "the ring is broken"}
	r := &Result{
		Seed: 7, Args: []string{"--workload", "Cycle"}, Outcome: Violated, Err: violation, Hash: "abc", Lines: 10,
		Tail: []string{"1.0 last line\n"}, Stderr: "panic: x\n", Report: &report.Report{Commits: 3, Violation: violation},
	}
	var b strings.Builder
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"seed 7: violated", "FAILED seed 7: Cycle: invariant C2 violated: the ring is broken\n",
		"replay: go run ./cmd/plinth sim --seed 7 --workload Cycle\n", "  1.0 last line\n", "  panic: x\n", "3 commits",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, &b)
		}
	}
	if !strings.HasSuffix(b.String(), "\ntrace abc\n") {
		t.Errorf("does not end with the trace's hash:\n%s", &b)
	}
}

func TestTotalsSayWhatIsLeftAndWhatNeverFired(t *testing.T) {
	totals := &Totals{Runs: 5, Failed: 1, Virtual: 50 * time.Second, Wall: 10 * time.Second}
	totals.Report.Add(&report.Report{FaultSites: map[string]uint64{"a.b.c": 0, "d.e.f": 2}})
	if got := totals.Progress(10*time.Second, 15, time.Time{}); !strings.Contains(got, "0.50 seeds/s") || !strings.Contains(got, "10 to go, 20s left") {
		t.Errorf("progress %q", got)
	}
	var b strings.Builder
	if err := totals.Print(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "total: 5 seeds, 1 failed") || !strings.Contains(b.String(), "2 visited, 1 of them never fired [a.b.c]") {
		t.Errorf("totals:\n%s", &b)
	}
}
