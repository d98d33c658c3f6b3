package bugs

import (
	"context"
	"errors"
	"fmt"

	"github.com/plinthdb/plinth/internal/sim/host"
	"github.com/plinthdb/plinth/internal/sim/report"
)

// Campaigner runs seeds; it is a host.Program of what Plant returns.
type Campaigner interface {
	// Campaign is host.Program's: it runs seeds, calls each with every result
	// and the totals so far, and returns the totals.
	Campaign(ctx context.Context, config host.CampaignConfig, each func(*host.Result, *host.Totals)) *host.Totals
}

// Hunt says how to look for bugs.
type Hunt struct {
	Program Campaigner
	// Campaign says which seeds to run, and how, until one fails.
	Campaign host.CampaignConfig
	// Each gets every result and the totals of the search so far; nil is
	// nobody.
	Each func(*host.Result, *host.Totals)
}

// Finding is what came of the search for one bug.
type Finding struct {
	Bug Bug
	// Result is the run that found the bug, nil if none did.
	Result *host.Result
	// Seeds counts the seeds up to and including that one, or all that were run.
	Seeds uint64
	// Innocent is set by Vindicate: the seed fails without the bug as well.
	Innocent bool
}

// Found reports whether a seed failed because of the bug.
func (f *Finding) Found() bool { return f.Result != nil && !f.Innocent }

// By names what noticed the bug: a workload or checker and its invariant, or
// how the program ended.
func (f *Finding) By() string {
	if f.Result == nil {
		return "not found"
	}
	var violation *report.Violation
	if errors.As(f.Result.Err, &violation) {
		return violation.Source + " " + violation.Invariant
	}
	return f.Result.Outcome.String()
}

// Search runs seeds with the bug on until one fails. The finding is that of
// the lowest seed that fails, however many run at a time.
func (h *Hunt) Search(ctx context.Context, bug Bug) (Finding, error) {
	f := Finding{Bug: bug}
	campaign := h.Campaign
	campaign.MaxFailures, campaign.TwiceEvery, campaign.Confirm = 1, 0, false
	campaign.Run.Env = bug.On()
	campaign.Run.Flags = append([]string{"--plant", bug.Name}, campaign.Run.Flags...)
	running, stop := context.WithCancel(ctx)
	defer stop()
	var passed []uint64
	h.Program.Campaign(running, campaign, func(r *host.Result, totals *host.Totals) {
		f.Seeds = uint64(totals.Runs)
		switch {
		case r.Outcome == host.Passed:
			passed = append(passed, r.Seed)
		case f.Result == nil || r.Seed < f.Result.Seed:
			f.Result = r
		}
		if f.Result != nil && countBelow(passed, f.Result.Seed) == f.Result.Seed-campaign.First {
			stop() // what is still running is of no account
		}
		if h.Each != nil {
			h.Each(r, totals)
		}
	})
	if f.Result != nil {
		f.Seeds = f.Result.Seed - campaign.First + 1
	}
	if err := ctx.Err(); err != nil {
		return f, fmt.Errorf("looking for bug %s: %w", bug.Name, err)
	}
	return f, nil
}

func countBelow(seeds []uint64, limit uint64) (n uint64) {
	for _, seed := range seeds {
		if seed < limit {
			n++
		}
	}
	return n
}

// Vindicate runs the seeds that found a bug with all bugs off, marks the
// findings whose seed fails all the same (B2), and returns those runs.
func (h *Hunt) Vindicate(ctx context.Context, findings []Finding) (failed []*host.Result, err error) {
	guilty := make(map[uint64]bool)
	last := uint64(0)
	for _, f := range findings {
		if f.Result != nil {
			guilty[f.Result.Seed] = true
			last = max(last, f.Result.Seed)
		}
	}
	if len(guilty) == 0 {
		return nil, nil
	}
	campaign := h.Campaign
	campaign.Count = last - campaign.First + 1
	campaign.MaxFailures, campaign.TwiceEvery = 0, 0
	campaign.Skip = func(seed uint64) bool { return !guilty[seed] }
	h.Program.Campaign(ctx, campaign, func(r *host.Result, totals *host.Totals) {
		if h.Each != nil {
			h.Each(r, totals)
		}
		if r.Outcome == host.Passed {
			return
		}
		failed = append(failed, r)
		for i := range findings {
			if result := findings[i].Result; result != nil && result.Seed == r.Seed {
				findings[i].Innocent = true
			}
		}
	})
	if err := ctx.Err(); err != nil {
		return failed, fmt.Errorf("running the seeds without bugs: %w", err)
	}
	return failed, nil
}
