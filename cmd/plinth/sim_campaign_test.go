package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plinthdb/plinth/internal/sim/host"
	"github.com/plinthdb/plinth/internal/sim/ledger"
	"github.com/plinthdb/plinth/internal/sim/report"
)

// fakeProgram runs seeds one after the other until stopAfter of them have run.
type fakeProgram struct {
	bad       uint64
	stopAfter int
	stop      context.CancelFunc
	seeds     []uint64
}

func (p *fakeProgram) Campaign(ctx context.Context, config host.CampaignConfig, each func(*host.Result, *host.Totals)) *host.Totals {
	totals := &host.Totals{}
	for seed := config.First; seed-config.First < config.Count && ctx.Err() == nil; seed++ {
		if config.Skip != nil && config.Skip(seed) {
			continue
		}
		p.seeds = append(p.seeds, seed)
		r := &host.Result{Seed: seed, Args: config.Run.Args, Virtual: 30 * time.Second, Report: &report.Report{Commits: 1000}}
		if seed == p.bad {
			r.Outcome, r.Err = host.Violated, errors.New("as asked for")
			totals.Failed++
		}
		totals.Runs++
		each(r, totals)
		if len(p.seeds) == p.stopAfter {
			p.stop()
		}
	}
	return totals
}

// sit runs a sitting with the given arguments and returns what it printed.
func sit(t *testing.T, p *fakeProgram, args ...string) (printed string, err error) {
	t.Helper()
	f := parseSim(t, args...)
	c, err := f.campaign(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	s := simSitting{printer: simPrinter{out: &out, progress: io.Discard, asJSON: f.asJSON}, campaign: c}
	if err := f.keep(t.Context(), &s, t.TempDir(), []byte("program")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p.stop = cancel
	err = s.run(ctx, p)
	return out.String(), err
}

func TestInterruptedCampaignGoesOnAndAddsUp(t *testing.T) {
	dir := t.TempDir()
	first := &fakeProgram{stopAfter: 3, bad: 6}
	if _, err := sit(t, first, "--campaign", dir, "--seed", "5", "--seeds", "6", "--safety", "1s"); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted sitting: %v", err)
	}
	second := &fakeProgram{}
	printed, err := sit(t, second, "--campaign", dir, "--resume")
	if err != nil || !slices.Equal(second.seeds, []uint64{8, 9, 10}) {
		t.Errorf("the second sitting ran %v (%v), want 8, 9 and 10", second.seeds, err)
	}
	for _, want := range []string{"6 seeds in 2 sittings", "1 failed", "6000 commits", "FAILED seed 6: as asked for", "sim --seed 6 --safety 1s\n"} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q is missing in:\n%s", want, printed)
		}
	}
	third := &fakeProgram{}
	if _, err := sit(t, third, "--campaign", dir, "--resume", "--seeds", "8"); err != nil || !slices.Equal(third.seeds, []uint64{11, 12}) {
		t.Errorf("the third sitting ran %v (%v), want 11 and 12", third.seeds, err)
	}
}

func TestResumeBeginsACampaignIfThereIsNone(t *testing.T) {
	p := &fakeProgram{}
	if _, err := sit(t, p, "--campaign", t.TempDir(), "--resume", "--seeds", "4"); err != nil || len(p.seeds) != 4 {
		t.Errorf("%d seeds ran (%v), want 4", len(p.seeds), err)
	}
}

func TestFailedSeedSetsTheStatus(t *testing.T) {
	printed, err := sit(t, &fakeProgram{bad: 2}, "--campaign", t.TempDir(), "--seed", "1", "--seeds", "3")
	if err == nil || !strings.Contains(printed, "replay: go run ./cmd/plinth sim --seed 2\n") {
		t.Errorf("error %v after:\n%s", err, printed)
	}
}

func TestResultsForScriptsAreOneObjectEach(t *testing.T) {
	printed, err := sit(t, &fakeProgram{}, "--campaign", t.TempDir(), "--json", "--seed", "1", "--seeds", "2")
	if err != nil {
		t.Fatal(err)
	}
	var lines []simLine
	for line := range strings.Lines(printed) {
		var l simLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		lines = append(lines, l)
	}
	if len(lines) != 4 || lines[0].Run == nil || lines[1].Run == nil || lines[1].Run.Seed != 2 ||
		lines[2].Sitting == nil || lines[2].Sitting.Seeds != 2 || lines[3].Campaign == nil || lines[3].Campaign.Report.Commits != 2000 {
		t.Errorf("printed:\n%s", printed)
	}
}

func TestTotalsOfAllCampaignsCanBePrintedWithoutARun(t *testing.T) {
	dir := t.TempDir()
	if _, err := sit(t, &fakeProgram{}, "--campaign", dir, "--seed", "1", "--seeds", "2"); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := parseSim(t, "--campaign", dir, "--totals").printTotals(simPrinter{out: &out, progress: io.Discard}); err != nil || !strings.Contains(out.String(), "2 seeds in 1 sittings") {
		t.Errorf("printed %q (%v)", &out, err)
	}
}

func TestSittingEndsWhenItsResultsCannotBeKept(t *testing.T) {
	f := parseSim(t, "--campaign", t.TempDir(), "--seed", "1", "--seeds", "5")
	c, err := f.campaign(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s := simSitting{printer: simPrinter{out: io.Discard, progress: io.Discard}, campaign: c}
	// A file whose directory is gone takes no more lines.
	dir := filepath.Join(t.TempDir(), "campaigns")
	if s.ledger, err = ledger.Open(dir, ledger.Key{}); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	p := &fakeProgram{}
	if err := s.run(t.Context(), p); err == nil || len(p.seeds) != 1 {
		t.Errorf("%d seeds ran, then %v", len(p.seeds), err)
	}
}
