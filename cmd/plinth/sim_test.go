package main

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// parseSim returns the flags as the command sees them, without running it.
func parseSim(t *testing.T, args ...string) *simFlags {
	t.Helper()
	var f simFlags
	cmd := newSimCommandOn(&f)
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	f.note(cmd)
	return &f
}

func TestSimRunsTheSeedsThatAreAskedFor(t *testing.T) {
	now := time.Now()
	c, err := parseSim(t, "--seed", "7").campaign(now)
	if err != nil || c.First != 7 || c.Count != 1 || !c.Until.IsZero() {
		t.Errorf("--seed 7: %+v (%v)", c, err)
	}
	c, err = parseSim(t, "--seed", "7", "--seeds", "5").campaign(now)
	if err != nil || c.First != 7 || c.Count != 5 {
		t.Errorf("--seed 7 --seeds 5: %+v (%v)", c, err)
	}
	c, err = parseSim(t).campaign(now)
	if err != nil || c.First == 0 || c.Count != freshSeeds {
		t.Errorf("no flags: %+v (%v)", c, err)
	}
	c, err = parseSim(t, "--minutes", "0.5").campaign(now)
	if err != nil || c.Count != math.MaxUint64 || !c.Until.Equal(now.Add(30*time.Second)) {
		t.Errorf("--minutes 0.5: %+v (%v)", c, err)
	}
}

func TestSimPassesFlagsOnToTheSimulatedProgram(t *testing.T) {
	c, err := parseSim(t, "--seed", "7", "--workload", "Cycle", "--safety", "3s").campaign(time.Now())
	if want := []string{"--workload", "Cycle", "--safety", "3s"}; err != nil || !slices.Equal(c.Run.Args, want) {
		t.Errorf("arguments %q (%v), want %q", c.Run.Args, err, want)
	}
}

func TestSimKnowsItsWorkloads(t *testing.T) {
	c, err := parseSim(t, "--workload", "Cycle, Increment").campaign(time.Now())
	if want := []string{"--workload", "Cycle,Increment"}; err != nil || !slices.Equal(c.Run.Args, want) {
		t.Errorf("arguments %q (%v), want %q", c.Run.Args, err, want)
	}
	for names, text := range map[string]string{
		"Cycel": "AtomicOps", "Cycle,Cycle": "twice", "Cycle,Echo": "by itself", "Cycle,": "no workload", "": "no workload",
	} {
		if status, _, errOut := plinth(t, "sim", "--workload", names); status != statusUsage || !strings.Contains(errOut, text) {
			t.Errorf("--workload %q: exit status %d, %q", names, status, errOut)
		}
	}
}

func TestSimSaysHowACampaignGoesOn(t *testing.T) {
	for want, args := range map[string][]string{
		"go run ./cmd/plinth sim --resume":                          nil,
		"go run ./cmd/plinth sim --resume --campaign c --source ..": {"--campaign", "c", "--source", ".."},
	} {
		if got := parseSim(t, args...).resumeCommand(); got != want {
			t.Errorf("%q: %q, want %q", args, got, want)
		}
	}
}

func TestSimRefusesFlagsThatMakeNoSense(t *testing.T) {
	for _, args := range [][]string{
		{"--trace"}, {"--trace", "--seed", "1", "--seeds", "2"}, {"--minutes", "-1"},
		{"--resume", "--seed", "1"}, {"--resume", "--workload", "Cycle"}, {"--bugs", "all", "--minutes", "1"},
		{"--totals", "--seeds", "3"}, {"--json", "--seed", "1", "--trace"}, {"--plant", "x", "--bugs", "x"},
		{"--safety", "-1s"}, {"--liveness", "-1s"}, {"--limit", "-1s"},
	} {
		if status, _, errOut := plinth(t, append([]string{"sim"}, args...)...); status != statusUsage {
			t.Errorf("plinth sim %q: exit status %d, %q", args, status, errOut)
		}
	}
}
