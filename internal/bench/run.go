package bench

import (
	"context"
	"fmt"
	"os"
	"runtime/pprof"
	"sync/atomic"
	"time"
)

// RunOptions are what a run of a workload can do beside measuring. The zero
// value does nothing of it.
type RunOptions struct {
	// Profile names the file for a CPU profile of the measured time, empty for
	// none.
	Profile string
	// Stop, when it is closed, ends the run before its time. The result is then
	// of the time measured so far, and all of 0 if that is none.
	Stop <-chan struct{}
	// Tell, if any, is called from one goroutine every TellEvery of the
	// measured time, which must then be positive.
	Tell      func(Progress)
	TellEvery time.Duration
}

// Progress says how a run goes.
type Progress struct {
	// Elapsed is the time since the measured time began.
	Elapsed time.Duration
	// PerSecond are the transactions since the last time that progress was told.
	PerSecond float64
	// RSSBytes and HeapBytes are what is in use now, see Memory.
	RSSBytes, HeapBytes uint64
}

// The phases of a workload.
const (
	warmingUp = iota
	measuring
	ending
)

// tally is what one client did.
type tally struct {
	commits  atomic.Uint64 // in all phases
	retries  uint64        // while measuring
	measured histogram
}

// run is one run of one workload.
type run struct {
	*Session
	workload Workload
	options  RunOptions
	phase    atomic.Int32
	tallies  []tally
}

// Run warms up, measures and checks one workload. The context is that of every
// transaction: when it ends there is an error and no result. RunOptions.Stop
// ends a run in order.
//
// An error of the check comes with the result.
func (s *Session) Run(ctx context.Context, w Workload, options RunOptions) (Result, error) {
	r := &run{Session: s, workload: w, options: options, tallies: make([]tally, len(s.clients))}
	failed, fail := context.WithCancel(ctx)
	defer fail()
	watch := watchMemory()
	finished := make(chan error, 1)
	go func() {
		finished <- s.Each(func(index int, c *Client) error {
			err := r.repeat(ctx, c, &r.tallies[index])
			if err != nil {
				r.phase.Store(ending)
				fail()
			}
			return err
		})
	}()

	measured, profileErr := r.measure(failed)
	r.phase.Store(ending)
	err := <-finished
	used := watch.stop()
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", w.Name, err)
	}
	if profileErr != nil {
		return Result{}, profileErr
	}
	if ctx.Err() != nil {
		return Result{}, context.Cause(ctx)
	}
	result := summarize(r.tallies, measured)
	result.Memory = used
	result.Checked, err = s.check(ctx, w, r.tallies)
	return result, err
}

// measure waits for the warm-up, switches the phase to measuring for the time
// that is to be measured and returns how long it was.
func (r *run) measure(ctx context.Context) (time.Duration, error) {
	if !r.pause(ctx, seconds(r.settings.WarmUpSeconds), nil) {
		return 0, nil
	}
	if r.options.Profile != "" {
		file, err := os.Create(r.options.Profile)
		if err != nil {
			return 0, err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return 0, err
		}
		defer pprof.StopCPUProfile()
	}
	var ticks <-chan time.Time
	if r.options.Tell != nil {
		ticker := time.NewTicker(r.options.TellEvery)
		defer ticker.Stop()
		ticks = ticker.C
	}
	r.phase.CompareAndSwap(warmingUp, measuring)
	start := time.Now()
	r.pause(ctx, seconds(r.settings.Seconds), r.teller(start, ticks))
	measured := time.Since(start)
	r.phase.Store(ending)
	return measured, nil
}

// telling is the source of ticks and what to do on each.
type telling struct {
	ticks <-chan time.Time
	tell  func()
}

// teller makes ticks call Tell, from the beginning of the measured time on.
func (r *run) teller(start time.Time, ticks <-chan time.Time) *telling {
	last, counted := start, r.commits()
	return &telling{ticks, func() {
		now, commits := time.Now(), r.commits()
		r.options.Tell(Progress{
			Elapsed: now.Sub(start), PerSecond: float64(commits-counted) / now.Sub(last).Seconds(),
			RSSBytes: residentBytes(), HeapBytes: heapBytes(),
		})
		last, counted = now, commits
	}}
}

func (r *run) commits() (n uint64) {
	for i := range r.tallies {
		n += r.tallies[i].commits.Load()
	}
	return n
}

// pause waits for the duration and reports whether nothing ended it before.
func (r *run) pause(ctx context.Context, d time.Duration, t *telling) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	if t == nil {
		t = &telling{}
	}
	for {
		select {
		case <-ctx.Done():
			return false
		case <-r.options.Stop:
			return false
		case <-timer.C:
			return true
		case <-t.ticks:
			t.tell()
		}
	}
}

// repeat runs transactions until the phase is ending. It never abandons one
// (B3).
func (r *run) repeat(ctx context.Context, c *Client, t *tally) error {
	for r.phase.Load() != ending && ctx.Err() == nil {
		start := time.Now()
		retries, err := r.workload.Once(ctx, r.store, c)
		if err != nil {
			return err
		}
		if r.phase.Load() == measuring {
			t.measured.add(time.Since(start))
			t.retries += uint64(retries)
		}
		t.commits.Add(1)
	}
	return nil
}

func summarize(tallies []tally, measured time.Duration) Result {
	var all histogram
	r := Result{Seconds: measured.Seconds()}
	for i := range tallies {
		all.merge(&tallies[i].measured)
		r.Retries += tallies[i].retries
	}
	r.Transactions = all.total
	if measured > 0 {
		r.PerSecond = float64(all.total) / r.Seconds
	}
	r.P50Micros = float64(all.quantile(0.50)) / float64(time.Microsecond)
	r.P99Micros = float64(all.quantile(0.99)) / float64(time.Microsecond)
	return r
}

// seconds converts for package time.
func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
