package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"
)

// session is one store with its clients, over one round.
type session struct {
	store    store
	settings settings
	records  *records
	clients  []*client
	// hotCommits counts the commits of hot1 since the load.
	hotCommits uint64
}

// result is what one workload did on one store in one round.
type result struct {
	// PerSecond are transactions; Transactions and Retries count those of the
	// measured time.
	PerSecond    float64 `json:"perSecond"`
	Transactions uint64  `json:"transactions"`
	Retries      uint64  `json:"retries"`
	Seconds      float64 `json:"seconds"`
	// Quantiles of the time from a transaction's first attempt to its end.
	P50Micros float64 `json:"p50Micros"`
	P99Micros float64 `json:"p99Micros"`
	Memory    memory  `json:"memory"`
}

func openSession(d driver, dir string, s settings) (*session, error) {
	opened, err := d.open(dir, s)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", d.name, err)
	}
	ss := &session{store: opened, settings: s, records: makeRecords(s.Records)}
	for i := range s.Clients {
		ss.clients = append(ss.clients, newClient(ss.records, uint64(i)+1))
	}
	return ss, nil
}

// each runs f once for every client, at the same time, and returns the first
// error.
func (s *session) each(f func(index int, c *client) error) error {
	var group sync.WaitGroup
	errs := make(chan error, len(s.clients))
	for i, c := range s.clients {
		group.Go(func() { errs <- f(i, c) })
	}
	group.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// load fills the store and counts all of it as measured.
func (s *session) load(ctx context.Context) (result, error) {
	order := rand.New(rand.NewPCG(1, 2)).Perm(s.settings.Records)
	var transactions atomic.Uint64
	watch := watchMemory()
	start := time.Now()
	err := s.each(func(index int, c *client) error {
		n, err := load(ctx, s.store, c, index, len(s.clients), order)
		transactions.Add(uint64(n))
		return err
	})
	took := time.Since(start)
	r := result{Transactions: transactions.Load(), Seconds: took.Seconds(), Memory: watch.stop()}
	r.PerSecond = float64(r.Transactions) / r.Seconds
	return r, err
}

// The phases of a workload.
const (
	warmingUp = iota
	measuring
	ending
)

// tally is what one client did.
type tally struct {
	commits  uint64 // in all phases
	retries  uint64 // while measuring
	measured histogram
}

// run warms up, measures and checks one workload. A profile is written to the
// named file unless it is empty.
func (s *session) run(ctx context.Context, w workload, profile string) (result, error) {
	var phase atomic.Int32
	tallies := make([]tally, len(s.clients))
	failed, fail := context.WithCancel(ctx)
	defer fail()
	watch := watchMemory()
	finished := make(chan error, 1)
	go func() {
		finished <- s.each(func(index int, c *client) error {
			err := repeat(ctx, s.store, w, c, &phase, &tallies[index])
			if err != nil {
				phase.Store(ending)
				fail()
			}
			return err
		})
	}()

	pause(failed, seconds(s.settings.WarmUpSeconds))
	measured, profileErr := s.measure(failed, &phase, profile)
	phase.Store(ending)
	err := <-finished
	used := watch.stop()
	if err != nil {
		return result{}, fmt.Errorf("%s: %w", w.name, err)
	}
	if profileErr != nil {
		return result{}, profileErr
	}
	if ctx.Err() != nil {
		return result{}, context.Cause(ctx)
	}
	r := summarize(tallies, measured)
	r.Memory = used
	return r, s.check(ctx, w, tallies)
}

// measure switches the phase to measuring for the time that is to be measured
// and returns how long it was.
func (s *session) measure(ctx context.Context, phase *atomic.Int32, profile string) (time.Duration, error) {
	if profile != "" {
		file, err := os.Create(profile)
		if err != nil {
			return 0, err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return 0, err
		}
		defer pprof.StopCPUProfile()
	}
	phase.CompareAndSwap(warmingUp, measuring)
	start := time.Now()
	pause(ctx, seconds(s.settings.Seconds))
	measured := time.Since(start)
	phase.Store(ending)
	return measured, nil
}

// pause waits for the duration or the context, whichever ends first.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// repeat runs transactions until the phase is ending. It never abandons one,
// so that commits are known exactly.
func repeat(ctx context.Context, s store, w workload, c *client, phase *atomic.Int32, t *tally) error {
	for phase.Load() != ending && ctx.Err() == nil {
		start := time.Now()
		retries, err := w.once(ctx, s, c)
		if err != nil {
			return err
		}
		t.commits++
		if phase.Load() == measuring {
			t.measured.add(time.Since(start))
			t.retries += uint64(retries)
		}
	}
	return nil
}

func summarize(tallies []tally, measured time.Duration) result {
	var all histogram
	r := result{Seconds: measured.Seconds()}
	for i := range tallies {
		all.merge(&tallies[i].measured)
		r.Retries += tallies[i].retries
	}
	r.Transactions = all.total
	r.PerSecond = float64(all.total) / r.Seconds
	r.P50Micros = float64(all.quantile(0.50)) / float64(time.Microsecond)
	r.P99Micros = float64(all.quantile(0.99)) / float64(time.Microsecond)
	return r
}

// check runs the workload's own check, if it has one.
func (s *session) check(ctx context.Context, w workload, tallies []tally) error {
	if w.check == nil {
		return nil
	}
	for i := range tallies {
		s.hotCommits += tallies[i].commits
	}
	if err := w.check(ctx, s.store, s.clients[0], s.hotCommits); err != nil {
		return fmt.Errorf("%s: %w", w.name, err)
	}
	return nil
}
