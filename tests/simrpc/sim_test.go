package simrpc

import (
	"testing"

	"github.com/plinthdb/plinth/internal/sim/host"
)

// seeds is how many seeds run, from 1 on; each runs twice.
const seeds = 3

func TestEchoOverGRPCHoldsAndRepeatsOnWasm(t *testing.T) {
	root, err := host.FindSource("../..")
	if err != nil {
		t.Fatal(err)
	}
	wasm, err := host.Build(t.Context(), host.BuildConfig{Root: root, Module: "tests/simrpc", Package: "./guest", Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	program, err := host.Load(t.Context(), wasm, host.LoadConfig{Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close(t.Context())
	config := host.CampaignConfig{First: 1, Count: seeds, TwiceEvery: 1}
	config.Run.TailLines = 30
	config.Run.Args = []string{"--safety", "6s", "--liveness", "6s"}
	totals := program.Campaign(t.Context(), config, func(r *host.Result, _ *host.Totals) {
		t.Logf("seed %d: %v, trace %s of %d lines, %v simulated in %v: %+v", r.Seed, r.Outcome, r.Hash, r.Lines, r.Virtual, r.Wall, r.Report)
		if r.Err != nil {
			t.Errorf("seed %d: %v\n%v\n%s", r.Seed, r.Err, r.Tail, r.Stderr)
		}
	})
	if c := totals.Report; c.Commits < 300 || c.Boots == 0 {
		t.Errorf("too little happened: %+v", c)
	}
}
