package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Session is one open store with its clients.
type Session struct {
	store    Store
	settings Settings
	records  *Records
	clients  []*Client
	// hotCommits counts the commits of hot1 since the load.
	hotCommits uint64
}

// Result is what one workload did on one store.
type Result struct {
	// PerSecond are transactions; Transactions and Retries count those of the
	// measured time.
	PerSecond    float64 `json:"perSecond"`
	Transactions uint64  `json:"transactions"`
	Retries      uint64  `json:"retries"`
	Seconds      float64 `json:"seconds"`
	// Quantiles of the time from a transaction's first attempt to its end.
	P50Micros float64 `json:"p50Micros"`
	P99Micros float64 `json:"p99Micros"`
	Memory    Memory  `json:"memory"`
	// Checked is the number of commits that the workload's check found in the
	// store; 0 if the workload has no check.
	Checked uint64 `json:"-"`
}

// RetriesEach is the number of retries per transaction.
func (r *Result) RetriesEach() float64 {
	if r.Transactions == 0 {
		return 0
	}
	return float64(r.Retries) / float64(r.Transactions)
}

// Open opens the driver's store in dir, with as many clients as the settings
// say. An error names the driver and wraps the store's own.
func Open(d Driver, dir string, s Settings) (*Session, error) {
	opened, err := d.Open(dir, s)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", d.Name, err)
	}
	ss := &Session{store: opened, settings: s, records: newRecords(s.Records)}
	for i := range s.Clients {
		ss.clients = append(ss.clients, newClient(ss.records, uint64(i)+1))
	}
	return ss, nil
}

// Store returns the open store.
func (s *Session) Store() Store { return s.store }

// Records returns what Load writes.
func (s *Session) Records() *Records { return s.records }

// Close closes the store.
func (s *Session) Close() error { return s.store.Close() }

// Each runs f once for every client, at the same time, waits for all, and
// returns the first error.
func (s *Session) Each(f func(index int, c *Client) error) error {
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

// Load fills the store and counts all of it as measured. It must come before
// the workloads.
func (s *Session) Load(ctx context.Context) (Result, error) {
	order := rand.New(rand.NewPCG(1, 2)).Perm(s.settings.Records)
	var transactions atomic.Uint64
	watch := watchMemory()
	start := time.Now()
	err := s.Each(func(index int, c *Client) error {
		n, err := load(ctx, s.store, c, index, len(s.clients), order)
		transactions.Add(uint64(n))
		return err
	})
	took := time.Since(start)
	r := Result{Transactions: transactions.Load(), Seconds: took.Seconds(), Memory: watch.stop()}
	r.PerSecond = float64(r.Transactions) / r.Seconds
	return r, err
}

// check runs the workload's own check, if it has one, and returns the number
// of commits that it found.
func (s *Session) check(ctx context.Context, w Workload, tallies []tally) (uint64, error) {
	if w.Check == nil {
		return 0, nil
	}
	for i := range tallies {
		s.hotCommits += tallies[i].commits.Load()
	}
	if err := w.Check(ctx, s.store, s.hotCommits); err != nil {
		return 0, fmt.Errorf("%s: %w", w.Name, err)
	}
	return s.hotCommits, nil
}
