package host

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/plinthdb/plinth/internal/sim/report"
)

// CampaignConfig describes many runs.
type CampaignConfig struct {
	// Run is what the runs have in common; its seed and trace are not used.
	Run RunConfig
	// First is the first seed, Count how many follow one another from there.
	First, Count uint64
	// Skip, if not nil, reports whether a seed is not to be run.
	Skip func(seed uint64) bool
	// Until, if not zero, is when no further run begins. One always does.
	Until time.Time
	// Workers is the number of runs at a time; 0 is one per core.
	Workers int
	// TwiceEvery makes every run of that number a double one, whose hashes
	// must agree (H1); 0 is never.
	TwiceEvery uint64
	// Confirm runs a seed that failed a second time, to see whether it does so
	// again: Result.Again. One that the wall-clock limit ended has had its time.
	Confirm bool
	// MaxFailures ends the campaign after that many failed runs; 0 is never.
	MaxFailures int
}

// Totals adds up a campaign.
type Totals struct {
	Runs, Failed  int
	Virtual, Wall time.Duration
	// Pace is of the runs, Wall of the campaign.
	Pace   Pace
	Report report.Report
}

// Campaign runs many seeds at a time and calls each with every result and the
// totals so far, in the order in which the runs end, never twice at a time. It returns when no run
// is under way any more: at the end of the seeds, at the time Until, after
// MaxFailures, or when ctx ends.
func (p *Program) Campaign(ctx context.Context, config CampaignConfig, each func(*Result, *Totals)) *Totals {
	return runCampaign(ctx, p.Run, config, each)
}

func runCampaign(ctx context.Context, run func(context.Context, RunConfig) *Result, config CampaignConfig, each func(*Result, *Totals)) *Totals {
	if config.Workers <= 0 {
		config.Workers = runtime.GOMAXPROCS(0)
	}
	c := &campaign{run: run, config: config, each: each, began: time.Now()}
	var workers sync.WaitGroup
	for range config.Workers {
		workers.Go(func() { c.work(ctx) })
	}
	workers.Wait()
	c.mu.totals.Wall = time.Since(c.began)
	return &c.mu.totals
}

type campaign struct {
	run    func(context.Context, RunConfig) *Result
	config CampaignConfig
	each   func(*Result, *Totals)
	began  time.Time

	mu struct {
		sync.Mutex
		begun  uint64
		totals Totals
	}
}

func (c *campaign) work(ctx context.Context) {
	for {
		number, ok := c.next(ctx)
		if !ok {
			return
		}
		config := c.config.Run
		config.Seed, config.Trace = c.config.First+number, nil
		result := c.run(ctx, config)
		if c.config.TwiceEvery > 0 && number%c.config.TwiceEvery == 0 && result.Outcome == Passed {
			result = c.again(ctx, config, result)
		} else if c.config.Confirm {
			c.confirm(ctx, config, result)
		}
		if result.Outcome == Stopped && ctx.Err() != nil {
			return
		}
		c.add(result)
	}
}

// next hands out the number of the next run.
func (c *campaign) next(ctx context.Context) (number uint64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case ctx.Err() != nil,
		c.mu.begun >= c.config.Count,
		c.mu.begun > 0 && !c.config.Until.IsZero() && time.Now().After(c.config.Until),
		c.config.MaxFailures > 0 && c.mu.totals.Failed >= c.config.MaxFailures:
		return 0, false
	}
	number = c.mu.begun
	for c.config.Skip != nil && number < c.config.Count && c.config.Skip(c.config.First+number) {
		number++
	}
	c.mu.begun = number + 1
	return number, number < c.config.Count
}

// again repeats the run that gave first.
func (c *campaign) again(ctx context.Context, config RunConfig, first *Result) *Result {
	second := c.run(ctx, config)
	if second.Outcome != Stopped && !second.timedOut() && second.Hash != first.Hash {
		second.Outcome = Diverged
		second.Err = &DivergedError{First: first.Hash, Second: second.Hash}
		// One run alone would not show it again.
		second.Flags = append(slices.Clone(second.Flags), "--seeds", "1", "--twice-every", "1")
	}
	return second
}

// confirm runs the seed again that gave result, if it has failed.
func (c *campaign) confirm(ctx context.Context, config RunConfig, result *Result) {
	if result.Outcome == Passed || result.Outcome == Stopped || result.timedOut() {
		return
	}
	switch second := c.run(ctx, config); {
	case second.Outcome == Stopped:
	case second.Hash == result.Hash && second.Outcome == result.Outcome:
		result.Again = "the same to the last byte"
	default:
		result.Again = fmt.Sprintf("not the same: %v, trace %s", second.Outcome, second.Hash)
	}
}

// timedOut reports whether the run was ended by the clock on the wall, which says
// nothing about where its trace would have led.
func (r *Result) timedOut() bool {
	return errors.Is(r.Err, errWallLimit) || errors.Is(r.Err, errStuck)
}

func (c *campaign) add(r *Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.totals.Runs++
	c.mu.totals.Virtual += r.Virtual
	c.mu.totals.Pace.Add(r.Virtual, r.Wall, r.Start)
	if r.Outcome != Passed {
		c.mu.totals.Failed++
	}
	if r.Report != nil {
		c.mu.totals.Report.Add(r.Report)
	}
	c.each(r, &c.mu.totals)
}

// DivergedError says that two runs of a seed were not the same.
type DivergedError struct {
	First, Second string
}

// Error names both hashes.
func (e *DivergedError) Error() string {
	return "two runs of the same seed differ: trace " + e.First + " and trace " + e.Second
}
