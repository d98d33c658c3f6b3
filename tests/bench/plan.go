package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/plinthdb/plinth/internal/bench"
)

// plan is what one call of the benchmark does.
type plan struct {
	drivers   []string
	workloads []string
	clients   []int
	rounds    int
	settings  bench.Settings // without Clients
	// dir is where stores are made, profileDir where CPU profiles go if it is
	// not empty.
	dir, profileDir string
}

// run goes through all rounds. Progress is one line per measurement.
func (p *plan) run(ctx context.Context, progress io.Writer) (*report, error) {
	scratch, err := os.MkdirTemp(p.dir, "plinth-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	if p.profileDir != "" {
		if err := os.MkdirAll(p.profileDir, 0o755); err != nil {
			return nil, err
		}
	}
	rep := newReport(p)
	for round := range p.rounds {
		for _, clients := range p.clients {
			if err := rep.Fsync.Measure(scratch); err != nil {
				return nil, err
			}
			r := &roundRun{plan: p, report: rep, progress: progress, round: round, clients: clients}
			if err := r.run(ctx, scratch); err != nil {
				return nil, err
			}
		}
	}
	return rep, nil
}

// roundRun is one round with one number of clients.
type roundRun struct {
	*plan
	report         *report
	progress       io.Writer
	round, clients int
}

func (r *roundRun) run(ctx context.Context, scratch string) (err error) {
	dir, err := os.MkdirTemp(scratch, "round-")
	if err != nil {
		return err
	}
	// Gone before the next round begins, so that the disk stays small.
	defer os.RemoveAll(dir)
	// A failure ends the children that are still up.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	var workers []*worker
	defer func() {
		if err != nil {
			cancel()
		}
		for _, w := range workers {
			if ended := w.end(); err == nil {
				err = ended
			}
		}
	}()
	for _, name := range rotated(r.drivers, r.round) {
		w, err := startWorker(ctx, name)
		if err != nil {
			return err
		}
		workers = append(workers, w)
		if err := r.load(w, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return r.measure(ctx, workers)
}

func (r *roundRun) load(w *worker, dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	settings := r.settings
	settings.Clients = r.clients
	res, err := w.ask(request{Driver: w.name, Dir: dir, Settings: settings})
	if err != nil {
		return err
	}
	r.note(bench.LoadName, w, res)
	return nil
}

// measure lets the stores take turns, workload by workload.
func (r *roundRun) measure(ctx context.Context, workers []*worker) error {
	for i, name := range r.workloads {
		for _, w := range rotated(workers, i) {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			skip, err := cannotRun(w.name, name)
			if err != nil {
				return err
			}
			if skip {
				continue
			}
			res, err := w.ask(request{Workload: name, Profile: r.profile(w.name, name)})
			if err != nil {
				return err
			}
			r.note(name, w, res)
		}
	}
	return nil
}

// cannotRun reports whether the workload needs more than the store promises.
func cannotRun(driverName, workloadName string) (bool, error) {
	d, errD := driverNamed(driverName)
	w, errW := bench.WorkloadNamed(workloadName)
	return w.Isolated && !d.Isolated, errors.Join(errD, errW)
}

func (r *roundRun) profile(driverName, workloadName string) string {
	if r.profileDir == "" {
		return ""
	}
	return filepath.Join(r.profileDir, fmt.Sprintf("%s-%s-%d-round%d.prof", driverName, workloadName, r.clients, r.round+1))
}

func (r *roundRun) note(workloadName string, w *worker, res bench.Result) {
	r.report.add(r.clients, workloadName, w.name, res)
	fmt.Fprintf(r.progress, "round %d/%d  %2d clients  %-8s %-8s %10.0f tx/s  %6.2f retries/tx  p50 %.0f µs  rss %d MiB\n",
		r.round+1, r.rounds, r.clients, workloadName, w.name, res.PerSecond, res.RetriesEach(), res.P50Micros, res.Memory.MaxRSSBytes>>20)
}

// rotated returns a copy of list that begins n places later.
func rotated[T any](list []T, n int) []T {
	n %= len(list)
	return slices.Concat(list[n:], list[:n])
}
