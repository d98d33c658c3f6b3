package scenario

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/sim/disk"
	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/internal/sim/workload"
	"github.com/plinthdb/plinth/internal/sim/world"
)

const (
	// progressLimit is how long a client may take to commit again once faults
	// have ended: the store must boot, and a transaction may use up its time.
	progressLimit = time.Minute
	// stopLimit is how long workloads may take to end.
	stopLimit = time.Minute
	// commitsLimit is how long a run may go on after its phases until it has
	// Swarm.MinCommits.
	commitsLimit = 8 * time.Minute
)

// RunStore runs the named workloads, those that the seed draws if there are no
// names, on one store in one process.
func RunStore(ctx context.Context, w *world.World, swarm Swarm, driver world.Driver, names []string) error {
	r, err := newStoreRun(w, swarm, driver, names)
	if err != nil {
		return err
	}
	defer Count(w, r.disk)
	for _, phase := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"setup", r.setup}, {"safety", r.safety}, {"liveness", r.liveness}, {"end", r.end},
	} {
		w.Trace("phase %s", phase.name)
		if err := phase.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", phase.name, err)
		}
	}
	return nil
}

// storeRun is one run of RunStore.
type storeRun struct {
	world   *world.World
	swarm   Swarm
	disk    *disk.Disk
	process *world.Process
	// names are the workloads', life is what runs of them.
	names []string
	life  *life
	// damaged gets the error of a store that found damage in its files.
	damaged chan error
	// before are the goroutines that there were before the run.
	before goroutines

	// nemesis is what makes the faults.
	nemesis *Nemesis
	// stopWork ends the workloads, stopBoots the supervisor that boots dead
	// processes; each group is waited for.
	stopWork, stopBoots context.CancelFunc
	work, boots         sync.WaitGroup
}

func newStoreRun(w *world.World, swarm Swarm, driver world.Driver, names []string) (*storeRun, error) {
	if len(names) == 0 {
		names = drawWorkloads(w.Rand("workloads"), workload.Names())
	}
	r := &storeRun{world: w, swarm: swarm, names: names, before: listGoroutines()}
	r.disk = NewDisk(w, swarm)
	r.process = w.NewProcess("p0", r.disk, driver)
	w.Trace("workloads %v", names)
	w.Count(func(r *report.Report) { r.Workloads = names })
	return r, r.beginLife(1)
}

// setup opens the store and writes the first state, before any fault.
func (r *storeRun) setup(ctx context.Context) error {
	if err := r.process.Boot(); err != nil {
		return err
	}
	return r.life.setup(ctx)
}

// safety runs the workloads under faults, on one disk after the other if disks
// are lost.
func (r *storeRun) safety(ctx context.Context) error {
	r.startWork(ctx)
	for left := r.swarm.Safety; ; {
		r.startFaults(ctx)
		began := time.Now()
		lost, err := r.suffer(ctx, left)
		left -= time.Since(began)
		if err != nil {
			return err
		}
		// What liveness promises it promises on a sound disk.
		if !lost && !r.process.Flipped() {
			return nil
		}
		if err := r.nextLife(ctx); err != nil {
			return err
		}
		r.startWork(ctx)
		if left <= 0 {
			return nil
		}
	}
}

// liveness ends the faults; every client must get work done again (E4).
func (r *storeRun) liveness(ctx context.Context) error {
	r.endFaults()
	fault.Disable()
	before := r.commits()
	began := time.Now()
	for {
		late, all := r.awaited(before, time.Since(began))
		if all {
			break
		}
		if late != nil {
			return r.world.Violated("scenario", "E4", "not every client of %s has committed within %v of the end of faults: %v, then %v",
				late.Name(), late.progressLimit(), before, r.commits())
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	if err := sleep(ctx, r.swarm.Liveness-time.Since(began)); err != nil {
		return err
	}
	return r.awaitCommits(ctx)
}

// awaited says whether every client has committed since before, and if not,
// which workload has waited longer than it may.
func (r *storeRun) awaited(before [][]uint64, waited time.Duration) (late *task, all bool) {
	all = true
	for i, commits := range r.commits() {
		if progressed(before[i], commits) {
			continue
		}
		all = false
		if t := &r.life.tasks[i]; waited > t.progressLimit() {
			return t, false
		}
	}
	return nil, all
}

// progressLimit is how long the clients of the workload may take to commit
// again. Those of a throng are so many times less busy, and most of what they
// try is refused.
func (t *task) progressLimit() time.Duration {
	return progressLimit * time.Duration(workload.ThrongOf(t.Workload))
}

// awaitCommits lets the run go on until it has commits enough (S7).
func (r *storeRun) awaitCommits(ctx context.Context) error {
	for began := time.Now(); ; {
		commits := r.world.Report().Commits
		if commits >= r.swarm.MinCommits {
			return nil
		}
		if time.Since(began) > commitsLimit {
			return r.world.Violated("scenario", "S7", "only %d transactions that write were committed, %d must be", commits, r.swarm.MinCommits)
		}
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
	}
}

// commits returns the commits of all clients of all workloads.
func (r *storeRun) commits() (all [][]uint64) {
	for _, t := range r.life.tasks {
		all = append(all, t.env.Commits())
	}
	return all
}

// progressed reports whether every client of a workload has committed since
// before, when some may not have started yet.
func progressed(before, after []uint64) bool {
	for i, commits := range after {
		if commits == 0 || i < len(before) && commits == before[i] {
			return false
		}
	}
	return len(after) > 0
}

// end stops the workloads and checks everything twice: as the store stands,
// and after it was closed and opened again.
func (r *storeRun) end(ctx context.Context) error {
	if err := r.endWork(ctx); err != nil {
		return err
	}
	for again := range 2 {
		if again == 1 {
			if err := r.reopen(); err != nil {
				return err
			}
		}
		if err := r.life.check(ctx); err != nil {
			return err
		}
		seen, err := r.show(ctx)
		if err != nil {
			return fmt.Errorf("reading all rows at the end: %w", err)
		}
		if err := shutdown(ctx, r.world, r.process); err != nil {
			return err
		}
		found, err := r.process.Check(ctx, slices.Collect(maps.Keys(seen.sums))...)
		if err != nil {
			return r.world.Violated("scenario", "S5", "after an orderly end: %v", err)
		}
		if err := r.compare(seen, found); err != nil {
			return err
		}
	}
	if err := await(ctx, r.world, "scenario", "the remains of dead processes", r.process.AwaitBurials); err != nil {
		return err
	}
	return checkGoroutines(ctx, r.world, r.before)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
