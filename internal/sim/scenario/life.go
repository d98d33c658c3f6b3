package scenario

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/internal/sim/workload"
	"github.com/plinthdb/plinth/internal/sim/world"
)

// auditPause is the average time between two checks of a workload while it
// runs.
const auditPause = 2 * time.Second

// life is what happens on one disk: the workloads, and what they know of the
// store. When the disk is lost the next life begins on an empty one. (In a
// cluster replicas will make up for it, and the life will go on.)
type life struct {
	shared *workload.Shared
	tasks  []task
}

// task is a workload and the world as it sees it.
type task struct {
	workload.Workload
	env *workload.Env
}

// beginLife makes new instances of the workloads.
func (r *storeRun) beginLife(number int) error {
	l := &life{shared: &workload.Shared{}}
	for _, name := range r.names {
		stream := "workload/" + name
		if number > 1 {
			stream = fmt.Sprintf("%s/life%d", stream, number)
		}
		load, err := workload.New(name, r.world.Rand(stream))
		if err != nil {
			return err
		}
		clients, pause := r.swarm.share(len(r.names))
		throng := workload.ThrongOf(load)
		clients, pause = clients*throng, pause*time.Duration(throng)
		env := workload.NewEnv(r.world, r.process, l.shared, workload.EnvConfig{
			Name: name, Life: number, Clients: clients, Habits: r.swarm.Habits, Pause: pause,
			MaxWatches: r.swarm.Sizes.MaxWatches, Defaults: r.swarm.Defaults,
		})
		l.tasks = append(l.tasks, task{load, env})
	}
	r.life = l
	r.damaged = make(chan error, 1) // the supervisor of each life tells once
	return nil
}

func (l *life) setup(ctx context.Context) error {
	for _, t := range l.tasks {
		if err := t.Setup(ctx, t.env); err != nil {
			return fmt.Errorf("%s: %w", t.Name(), err)
		}
	}
	return nil
}

func (l *life) check(ctx context.Context) error {
	for _, t := range l.tasks {
		if err := t.Check(ctx, t.env); err != nil {
			return fmt.Errorf("%s: %w", t.Name(), err)
		}
	}
	return nil
}

// suffer waits until the time is over or the disk is to be lost, by chance or
// because the store found damage.
func (r *storeRun) suffer(ctx context.Context, length time.Duration) (lost bool, err error) {
	over := time.NewTimer(length)
	defer over.Stop()
	var loss <-chan time.Time
	if r.swarm.LostDisks > 0 {
		rng := r.world.Rand(fmt.Sprint("lostdisk", r.world.Report().LostDisks))
		timer := time.NewTimer(time.Duration(rng.ExpFloat64() * float64(r.swarm.LostDisks)))
		defer timer.Stop()
		loss = timer.C
	}
	select {
	case <-over.C:
		return false, nil
	case <-loss:
		return true, nil
	case err := <-r.damaged:
		r.world.Trace("damage found: %v", err)
		return true, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// nextLife ends faults and workloads, looks at the store for the last time,
// loses the disk, and sets up on an empty one.
func (r *storeRun) nextLife(ctx context.Context) error {
	r.endFaults()
	if err := r.endWork(ctx); err != nil {
		return err
	}
	if err := r.lastLook(ctx); err != nil {
		return fmt.Errorf("before the disk was lost: %w", err)
	}
	r.process.LoseDisk()
	if err := r.beginLife(1 + int(r.world.Report().LostDisks)); err != nil {
		return err
	}
	return r.setup(ctx)
}

// lastLook verifies every invariant on a disk that is about to be lost, with a
// new process. It finds the disk healthy, so everything must be right, unless
// bits have gone wrong: then the store may say so (S6).
func (r *storeRun) lastLook(ctx context.Context) error {
	r.process.Kill()
	err := r.reopen()
	if err == nil {
		err = r.life.check(ctx)
	}
	var violation *report.Violation
	switch {
	case err == nil || errors.As(err, &violation) || ctx.Err() != nil:
		return err
	case errors.Is(err, workload.ErrDied):
		// It died of what the check made it read.
		err = r.process.CauseOfDeath()
	}
	if err := r.judgeDamage(err); err != nil {
		return err
	}
	r.world.Trace("damage found by the last look: %v", err)
	r.world.Count(func(r *report.Report) { r.Damaged++ })
	return nil
}

// judgeDamage returns nil if err says that files are damaged as it should be
// said, and if that can be (S6).
func (r *storeRun) judgeDamage(err error) error {
	switch {
	case !world.IsDamage(err):
		return err
	case !r.process.Flipped():
		return r.world.Violated("scenario", "S6", "a store without a wrong bit says that it is damaged: %v", err)
	case !world.NamesFile(err):
		return r.world.Violated("scenario", "S6", "the error does not name what is damaged: %v", err)
	}
	return nil
}

// startFaults lets the faults of the seed begin.
func (r *storeRun) startFaults(ctx context.Context) {
	r.nemesis = &Nemesis{World: r.world, Swarm: r.swarm, Disk: r.disk, Process: r.process}
	r.life.shared.BeginFaults(r.swarm.DiskMayFail())
	r.nemesis.Start(ctx)
}

// endFaults ends the faults, and sees to it that nothing of the disk is
// forgiven any more that happens from now on.
func (r *storeRun) endFaults() {
	r.nemesis.Stop()
	r.life.shared.EndFaults(r.process.Boots())
}

// endWork ends the workloads and the supervisor.
func (r *storeRun) endWork(ctx context.Context) error {
	r.stopWork()
	if err := await(ctx, r.world, "scenario", "the workloads", r.work.Wait); err != nil {
		return err
	}
	r.stopBoots()
	r.boots.Wait()
	return nil
}

// startWork starts every workload, an auditor for each, and the supervisor.
func (r *storeRun) startWork(ctx context.Context) {
	r.startBoots(ctx)
	ctx, r.stopWork = context.WithCancel(ctx)
	for _, t := range r.life.tasks {
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

// await calls wait, which returns when something has ended, and waits for that
// for stopLimit at most (S1).
func await(ctx context.Context, w *world.World, source, what string, wait func()) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		wait()
	}()
	timer := time.NewTimer(stopLimit)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-timer.C:
		return w.Violated(source, "S1", "%s did not end within %v", what, stopLimit)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
