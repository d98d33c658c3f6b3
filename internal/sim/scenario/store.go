package scenario

import (
	"context"
	"errors"
	"fmt"
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
	// auditPause is the average time between two checks of a workload while
	// it runs.
	auditPause = 2 * time.Second
	// checkProbability is the chance that a dead store is checked before it is
	// opened again.
	checkProbability = 0.3
)

// RunStore runs the named workloads, all of them if there are no names, on one
// store in one process.
func RunStore(ctx context.Context, w *world.World, swarm Swarm, driver world.Driver, names []string) error {
	r, err := newStoreRun(w, swarm, driver, names)
	if err != nil {
		return err
	}
	defer count(w, r.disk)
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

// task is a workload and the world as it sees it.
type task struct {
	workload.Workload
	env *workload.Env
}

// storeRun is one run of RunStore.
type storeRun struct {
	world   *world.World
	swarm   Swarm
	disk    *disk.Disk
	process *world.Process
	shared  *workload.Shared
	tasks   []task
	// before are the goroutines that there were before the run.
	before goroutines

	// stopWork ends the workloads, stopFaults the faults, stopBoots the
	// supervisor that boots dead processes; each group is waited for.
	stopWork, stopFaults, stopBoots context.CancelFunc
	work, faults, boots             sync.WaitGroup
}

func newStoreRun(w *world.World, swarm Swarm, driver world.Driver, names []string) (*storeRun, error) {
	if len(names) == 0 {
		names = workload.Names()
	}
	r := &storeRun{world: w, swarm: swarm, shared: &workload.Shared{}, before: listGoroutines()}
	r.disk = newDisk(w, swarm)
	r.process = w.NewProcess("p0", r.disk, driver)
	for _, name := range names {
		load, err := workload.New(name, w.Rand("workload/"+name))
		if err != nil {
			return nil, err
		}
		env := workload.NewEnv(w, r.process, r.shared, workload.EnvConfig{
			Name: name, Clients: swarm.Clients, Habits: swarm.Habits,
			Pause: time.Duration(float64(swarm.Clients) / swarm.Rate * float64(time.Second)),
		})
		r.tasks = append(r.tasks, task{load, env})
	}
	w.Count(func(r *report.Report) { r.Workloads = names })
	return r, nil
}

// setup opens the store and writes the first state, before any fault.
func (r *storeRun) setup(ctx context.Context) error {
	if err := r.process.Boot(); err != nil {
		return err
	}
	for _, t := range r.tasks {
		if err := t.Setup(ctx, t.env); err != nil {
			return fmt.Errorf("%s: %w", t.Name(), err)
		}
	}
	return nil
}

// safety runs the workloads under faults.
func (r *storeRun) safety(ctx context.Context) error {
	r.startWork(ctx)
	r.startBoots(ctx)
	r.startFaults(ctx)
	return sleep(ctx, r.swarm.Safety)
}

// liveness ends the faults; every client must get work done again (E4).
func (r *storeRun) liveness(ctx context.Context) error {
	r.stopFaults()
	r.faults.Wait()
	fault.Disable()
	r.disk.SetFaults(disk.Faults{})
	r.shared.EndFaults(r.process.Boots())
	before := r.commits()
	began := time.Now()
	for !progressed(before, r.commits()) {
		if time.Since(began) > progressLimit {
			return r.world.Violated("scenario", "E4", "not every client has committed within %v of the end of faults: %v, then %v",
				progressLimit, before, r.commits())
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return sleep(ctx, r.swarm.Liveness-time.Since(began))
}

// commits returns the commits of all clients of all workloads.
func (r *storeRun) commits() (all [][]uint64) {
	for _, t := range r.tasks {
		all = append(all, t.env.Commits())
	}
	return all
}

func progressed(before, after [][]uint64) bool {
	for i := range after {
		for j := range after[i] {
			if j >= len(before[i]) || after[i][j] == before[i][j] {
				return false
			}
		}
	}
	return true
}

// end stops the workloads and checks everything twice: as the store stands,
// and after it was closed and opened again.
func (r *storeRun) end(ctx context.Context) error {
	r.stopWork()
	if err := r.await(ctx, &r.work, "the workloads"); err != nil {
		return err
	}
	r.stopBoots()
	r.boots.Wait()
	for again := range 2 {
		if again == 1 {
			if err := r.process.Boot(); err != nil {
				return err
			}
		}
		for _, t := range r.tasks {
			if err := t.Check(ctx, t.env); err != nil {
				return fmt.Errorf("%s: %w", t.Name(), err)
			}
		}
		if err := r.process.Shutdown(ctx); err != nil {
			return err
		}
		if err := r.process.Check(ctx); err != nil {
			return r.world.Violated("scenario", "S5", "after an orderly end: %v", err)
		}
	}
	if err := r.await(ctx, nil, "the remains of dead processes"); err != nil {
		return err
	}
	return checkGoroutines(ctx, r.world, r.before)
}

// await waits for a group, or for the burials if it is nil, for stopLimit at
// most (S1).
func (r *storeRun) await(ctx context.Context, group *sync.WaitGroup, what string) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if group == nil {
			r.process.AwaitBurials()
			return
		}
		group.Wait()
	}()
	timer := time.NewTimer(stopLimit)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-timer.C:
		return r.world.Violated("scenario", "S1", "%s did not end within %v", what, stopLimit)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// startWork starts every workload, and an auditor for each.
func (r *storeRun) startWork(ctx context.Context) {
	ctx, r.stopWork = context.WithCancel(ctx)
	for _, t := range r.tasks {
		r.work.Go(func() {
			if err := t.Run(ctx, t.env); err != nil && ctx.Err() == nil {
				_ = r.world.Violated(t.Name(), "error", "%v", err)
			}
		})
		r.work.Go(func() { r.audit(ctx, t) })
	}
}

// audit checks a workload again and again while it runs. A check can fail
// because of faults; what it must not do is find a violation, and that has
// been recorded where it was found.
func (r *storeRun) audit(ctx context.Context, t task) {
	rng := t.env.Rand("audit")
	for sleep(ctx, time.Duration(rng.ExpFloat64()*float64(auditPause))) == nil {
		err := t.Check(ctx, t.env)
		r.world.Trace("%s audit: %v", t.Name(), err)
	}
}

// startBoots starts the supervisor, which boots the process whenever it is
// dead. Once faults have ended the first attempt must succeed (S2).
func (r *storeRun) startBoots(ctx context.Context) {
	ctx, r.stopBoots = context.WithCancel(ctx)
	rng := r.world.Rand("supervisor")
	r.boots.Go(func() {
		for r.process.WaitDead(ctx) == nil {
			downtime := time.Duration(rng.Float64() * float64(r.swarm.Downtime))
			if sleep(ctx, downtime) != nil {
				return
			}
			healthy := !r.shared.DiskMayFail(r.process.Boots() + 1)
			if healthy && rng.Float64() < checkProbability {
				if err := r.process.Check(ctx); err != nil && ctx.Err() == nil {
					_ = r.world.Violated("scenario", "S5", "after a crash: %v", err)
				}
			}
			err := r.process.Boot()
			if err != nil && healthy && !errors.Is(err, world.ErrKilled) {
				_ = r.world.Violated("scenario", "S2", "the store does not open on a healthy disk: %v", err)
			}
		}
	})
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
