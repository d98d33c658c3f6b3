package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"github.com/plinthdb/plinth/internal/sim/bugs"
	"github.com/plinthdb/plinth/internal/sim/host"
	"github.com/plinthdb/plinth/internal/sim/ledger"
)

// keptCampaigns is how many campaigns stay in the cache; in a directory that
// the user has named all of them do.
const keptCampaigns = 200

// campaignDir is where campaigns are kept; own says that the user named it.
func (f *simFlags) campaignDir() (dir string, own bool, err error) {
	if f.kept != "" {
		return f.kept, true, nil
	}
	cache, err := host.CacheDir(f.cache)
	return filepath.Join(cache, "campaigns"), false, err
}

// keep opens the campaign that the sitting's results are added to, and with
// --resume lets the sitting go on where the last one was.
func (f *simFlags) keep(ctx context.Context, s *simSitting, root string, wasm []byte) error {
	dir, own, err := f.campaignDir()
	if err != nil {
		return err
	}
	if !own {
		if err := ledger.Prune(dir, keptCampaigns); err != nil {
			return fmt.Errorf("directory of campaigns: %w", err)
		}
	}
	s.ledger, err = ledger.Open(dir, ledger.Identify(ctx, root, wasm))
	if err != nil {
		return err
	}
	if f.resume {
		f.goOn(s)
	}
	c := &s.campaign
	return s.ledger.Begin(ledger.Sitting{First: c.First, Count: c.Count, Args: c.Run.Args, Began: time.Now().UTC().Format(time.RFC3339)})
}

// goOn lets the sitting take over the seeds of the last one.
func (f *simFlags) goOn(s *simSitting) {
	c := &s.campaign
	last, ok := s.ledger.Last()
	if !ok {
		fmt.Fprintf(s.printer.progress, "nothing of this program is kept in %s: the campaign begins\n", s.ledger.Path())
		return
	}
	c.First, c.Run.Args = last.First, last.Args
	if f.seeds == 0 {
		c.Count = last.Count
	}
	if last.Count == math.MaxUint64 && c.Until.IsZero() && f.seeds == 0 {
		// It was ended by the time, of which there is none now.
		c.Count = freshSeeds
		for s.ledger.Has(c.First, c.Run.Args) {
			c.First++
		}
	}
	c.Skip = func(seed uint64) bool { return s.ledger.Has(seed, c.Run.Args) }
	for seed := c.First; c.Count < math.MaxUint64 && seed-c.First < c.Count; seed++ {
		if c.Skip(seed) {
			s.done++
		}
	}
	fmt.Fprintf(s.printer.progress, "going on from seed %d: %d seeds have run\n", c.First, s.done)
}

// simSitting is one call of plinth sim that runs seeds.
type simSitting struct {
	printer  simPrinter
	campaign host.CampaignConfig
	// ledger keeps the results, nil if they are not kept; done counts the
	// campaign's seeds that an earlier sitting has run.
	ledger *ledger.Ledger
	done   uint64
	// goOn is the command that goes on after an interruption.
	goOn string
}

// campaigner runs seeds; it is a host.Program.
type campaigner = bugs.Campaigner

// run runs the seeds, and returns an error if one failed.
func (s *simSitting) run(ctx context.Context, program campaigner) error {
	began, printed := time.Now(), time.Now()
	campaign, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	totals := program.Campaign(campaign, s.campaign, func(r *host.Result, totals *host.Totals) {
		err := s.printer.run(r)
		if s.ledger != nil {
			err = errors.Join(err, s.ledger.Add(ledger.NewRun(r)))
		}
		if err != nil {
			stop(err) // what cannot be told or kept need not be run
		}
		if now := time.Now(); s.campaign.Count > 1 && now.Sub(printed) >= progressInterval {
			printed = now
			fmt.Fprintln(s.printer.progress, totals.Progress(now.Sub(began), s.campaign.Count-s.done, s.campaign.Until))
		}
	})
	err := s.conclude(totals)
	switch {
	case campaign.Err() != nil && ctx.Err() == nil:
		return errors.Join(context.Cause(campaign), err)
	case err != nil:
		return err
	case ctx.Err() != nil:
		if s.ledger != nil {
			fmt.Fprintln(s.printer.progress, "to go on:", s.goOn)
		}
		return ctx.Err()
	case totals.Failed > 0:
		return fmt.Errorf("%d of %d seeds failed; each one's replay command is above", totals.Failed, totals.Runs)
	}
	return nil
}

// conclude prints the totals of the sitting and of its campaign.
func (s *simSitting) conclude(totals *host.Totals) error {
	if s.ledger == nil {
		return s.printer.sitting(totals, s.campaign.Count)
	}
	err := errors.Join(s.printer.sitting(totals, s.campaign.Count), s.ledger.Refresh())
	if err != nil {
		return err
	}
	all := s.ledger.Totals()
	return s.printer.campaign(&all)
}

// printTotals prints what is kept.
func (f *simFlags) printTotals(printer simPrinter) error {
	dir, _, err := f.campaignDir()
	if err != nil {
		return err
	}
	all, err := ledger.ReadAll(dir)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		fmt.Fprintf(printer.progress, "no campaign is kept in %s\n", dir)
	}
	for _, l := range all {
		totals := l.Totals()
		if err := printer.campaign(&totals); err != nil {
			return err
		}
	}
	return nil
}
