package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/plinthdb/plinth/internal/sim/bugs"
	"github.com/plinthdb/plinth/internal/sim/host"
)

const (
	// bugSeeds is how many seeds a planted bug may take to be found.
	bugSeeds = 200
	// bugLiveness is the length of the phase without faults.
	bugLiveness = "5s"
)

// planted returns the source files with all bugs in them, and the chosen bugs.
func planted(root string, names []string) (overlay map[string][]byte, chosen []bugs.Bug, err error) {
	all, err := bugs.Read(root)
	if err != nil {
		return nil, nil, err
	}
	if chosen, err = bugs.Choose(all, names); err != nil {
		return nil, nil, err
	}
	overlay, err = bugs.Plant(root, all)
	return overlay, chosen, err
}

// findBugs looks for one planted bug after the other and prints a table.
func (f *simFlags) findBugs(ctx context.Context, out, progress io.Writer) error {
	root, err := host.FindSource(f.source)
	if err != nil {
		return err
	}
	overlay, chosen, err := planted(root, f.hunt)
	if err != nil {
		return err
	}
	wasm, err := host.Build(ctx, host.BuildConfig{Root: root, CacheDir: f.cache, Overlay: overlay, Log: progress})
	if err != nil {
		return err
	}
	program, err := host.Load(ctx, wasm, host.LoadConfig{CacheDir: f.cache, Log: progress})
	if err != nil {
		return err
	}
	defer program.Close(ctx)
	hunt := f.newHunt(program)
	findings, err := searchAll(ctx, &hunt, chosen, progress)
	if err != nil {
		return errors.Join(err, bugs.Table(out, findings))
	}
	fmt.Fprintln(progress, "running the seeds that found a bug with all bugs off")
	failed, err := hunt.Vindicate(ctx, findings)
	for _, r := range failed {
		err = errors.Join(err, r.Print(out))
	}
	if err = errors.Join(err, bugs.Table(out, findings)); err != nil {
		return err
	}
	missed := 0
	for _, finding := range findings {
		if !finding.Found() {
			missed++
		}
	}
	if missed > 0 {
		return fmt.Errorf("%d of %d planted bugs were not found: a workload or a fault is missing", missed, len(findings))
	}
	return nil
}

func (f *simFlags) newHunt(program bugs.Campaigner) bugs.Hunt {
	campaign := host.CampaignConfig{First: 1, Count: bugSeeds, Workers: f.workers}
	campaign.Run.TailLines, campaign.Run.Args = f.tail, f.guest
	if !slices.Contains(f.guest, "--liveness") {
		// What faults have broken shows soon after them, if not before.
		campaign.Run.Args = append([]string{"--liveness", bugLiveness}, f.guest...)
	}
	if f.hasSeed {
		campaign.First = f.seed
	}
	if f.seeds > 0 {
		campaign.Count = f.seeds
	}
	return bugs.Hunt{Program: program, Campaign: campaign}
}

// searchAll looks for the bugs in turn and says how far it is.
func searchAll(ctx context.Context, hunt *bugs.Hunt, chosen []bugs.Bug, progress io.Writer) (findings []bugs.Finding, err error) {
	printed := time.Now()
	hunt.Each = func(_ *host.Result, totals *host.Totals) {
		if now := time.Now(); now.Sub(printed) >= progressInterval {
			printed = now
			fmt.Fprintf(progress, "  %d of at most %d seeds\n", totals.Runs, hunt.Campaign.Count)
		}
	}
	for i, bug := range chosen {
		began := time.Now()
		fmt.Fprintf(progress, "bug %d of %d: %s: %s\n", i+1, len(chosen), bug.Name, bug.What)
		finding, err := hunt.Search(ctx, bug)
		if err != nil {
			return findings, err
		}
		findings = append(findings, finding)
		fmt.Fprintf(progress, "  %s after %d seeds and %v\n", finding.By(), finding.Seeds, time.Since(began).Round(time.Second))
		if finding.Result != nil {
			fmt.Fprintf(progress, "  %v\n  replay: %s\n", finding.Result.Err, finding.Result.Replay())
		}
	}
	return findings, nil
}
