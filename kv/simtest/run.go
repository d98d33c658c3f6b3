package simtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/internal/sim/scenario"
	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/kv"
)

const (
	// healLimit is how long a client may take to finish a step once faults have
	// ended: the store must boot, and a transaction may use up its time.
	healLimit = time.Minute
	// stepLimit is how long a step may take that was under way when clients were
	// asked to stop, endLimit how long one whose context has ended.
	stepLimit = 5 * time.Second
	endLimit  = time.Minute
	// checkLimit is how long all checks may take.
	checkLimit = 5 * time.Minute
	// pollPause is the time between two looks whether something has come about.
	pollPause = 10 * time.Millisecond
	// minBackoff is added to the time until the next boot; it doubles up to
	// maxBackoff while boots fail.
	minBackoff = time.Millisecond
	maxBackoff = 200 * time.Millisecond
)

// newWorld returns the world of a seed, and the context of the run.
func newWorld(ctx context.Context, s setting, o options) (context.Context, *World) {
	w := &World{setting: s, options: o, healLimit: healLimit}
	ctx, w.world = world.New(ctx, s.streamSeed, s.trace)
	ctx, w.fail = context.WithCancelCause(ctx)
	w.swarm = scenario.Draw(w.world.Rand("swarm"))
	o.restrict(&w.swarm)
	if !s.simulated {
		o.goNative(&w.swarm)
		o.restrict(&w.swarm)
	}
	w.disk = scenario.NewDisk(w.world, w.swarm)
	w.opener.world, w.opener.sizes = w.world, w.swarm.Sizes
	w.process = w.world.NewProcess("store", w.disk, w.opener.driver())
	w.nemesis = &scenario.Nemesis{World: w.world, Swarm: w.swarm, Disk: w.disk, Process: w.process}
	w.remote.world, w.remote.mu.rng = w, w.world.Rand("messages")
	w.db = kv.NewDatabase(&w.remote)
	w.world.Trace("seed %d", s.seed)
	w.world.Trace("swarm %+v", w.swarm)
	return ctx, w
}

// run is the whole test.
func (w *World) run(ctx context.Context, define func(ctx context.Context, w *World) error) (err error) {
	// Deferred, since define may end the test by t.FailNow.
	defer func() {
		if closeErr := w.close(); err == nil {
			err = closeErr
		}
	}()
	for _, phase := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"setup", func(ctx context.Context) error { return w.setup(ctx, define) }},
		{"faults", w.suffer}, {"healing", w.heal}, {"end", w.end},
	} {
		w.world.Trace("phase %s", phase.name)
		if err := phase.run(ctx); err != nil {
			if cause := context.Cause(ctx); cause != nil {
				err = cause // what ended the run, not what that ended
			}
			w.world.Trace("failed in phase %s: %v", phase.name, err)
			return fmt.Errorf("%s: %w", phase.name, err)
		}
	}
	return nil
}

// setup opens the store and lets the user declare the test.
func (w *World) setup(ctx context.Context, define func(ctx context.Context, w *World) error) error {
	if err := w.process.Boot(); err != nil {
		return err
	}
	var bootCtx context.Context
	bootCtx, w.endBoots = context.WithCancel(ctx)
	w.boots.Go(func() { w.supervise(bootCtx) })
	if err := define(ctx, w); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.running = true
	return nil
}

// supervise boots the store whenever its process is dead. Without faults that
// must succeed.
func (w *World) supervise(ctx context.Context) {
	rng, backoff := w.world.Rand("supervisor"), minBackoff
	for w.process.WaitDead(ctx) == nil {
		downtime := time.Duration(rng.Float64() * float64(w.swarm.Downtime))
		if sleep(ctx, downtime+backoff) != nil {
			return
		}
		healthy := !w.diskMayFail(w.process.Boots() + 1)
		err := w.process.Boot()
		if err != nil && healthy && !errors.Is(err, world.ErrKilled) {
			_ = w.world.Violated("simtest", "T6", "the store does not open on a healthy disk: %v", err)
		}
		backoff = min(2*backoff, maxBackoff)
		if err == nil {
			backoff = minBackoff
		}
	}
}

// suffer lets the clients work under faults.
func (w *World) suffer(ctx context.Context) error {
	workCtx, endWork := context.WithCancel(ctx)
	enoughCtx, enough := context.WithCancel(workCtx)
	w.endWork, w.enough = endWork, enough
	clients := w.clients()
	pause := w.pause(len(clients))
	for _, c := range clients {
		w.work.Go(func() { c.run(workCtx, enoughCtx, pause) })
	}
	w.beginFaults()
	fault.Enable(fault.Config{Seed: w.setting.streamSeed, ArmProbability: w.swarm.ArmProbability, FireProbability: w.swarm.FireProbability})
	w.remote.setLoss(w.drawLoss())
	w.nemesis.Start(ctx)
	err := sleep(ctx, w.length())
	w.nemesis.Stop()
	w.remote.setLoss(0)
	fault.Disable()
	if w.endFaults() {
		// What earlier failures of the disk have left in its memory must not come
		// out later.
		w.process.Kill()
	}
	return err
}

func (w *World) length() time.Duration {
	if w.setting.simulated {
		return w.options.simulated
	}
	return w.options.native
}

// pause is how long each of so many clients pauses on average: the seed says how
// many steps a second all of them take together.
func (w *World) pause(clients int) time.Duration {
	if !w.setting.simulated {
		return nativePause
	}
	return time.Duration(float64(clients) / w.swarm.Rate * float64(time.Second))
}

// drawLoss draws how likely messages are lost: not at all for every other seed.
func (w *World) drawLoss() float64 {
	rng := w.world.Rand("loss")
	if !w.setting.simulated || !w.options.allows(LostMessage) || rng.IntN(2) == 0 {
		return 0
	}
	return minLoss + rng.Float64()*rng.Float64()*(maxLoss-minLoss)
}

func (w *World) clients() []*client {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.clients
}

// heal waits until every client has finished a step, and stops them.
func (w *World) heal(ctx context.Context) error {
	limit, cancel := context.WithTimeoutCause(ctx, w.healLimit, errNotHealed)
	defer cancel()
	for _, c := range w.clients() {
		for before := c.steps.Load(); c.steps.Load() == before; {
			if err := sleep(limit, pollPause); errors.Is(err, errNotHealed) {
				return fmt.Errorf("client %q: %w within %v of the end of faults", c.name, err, w.healLimit)
			} else if err != nil {
				return err
			}
		}
	}
	w.enough()
	if within(stepLimit, w.work.Wait) {
		return nil
	}
	w.endWork()
	if !within(endLimit, w.work.Wait) {
		return fmt.Errorf("a client's step did not end within %v of the end of its context", endLimit)
	}
	return context.Cause(ctx)
}

var errNotHealed = errors.New("no step got through")

// end checks everything twice: as the store stands, and after it was closed and
// opened again.
func (w *World) end(ctx context.Context) error {
	if _, err := w.process.Wait(ctx); err != nil {
		return err
	}
	w.endBoots()
	w.boots.Wait()
	for again := range 2 {
		if again == 1 {
			if err := w.process.Boot(); err != nil {
				return err
			}
		}
		if err := w.check(ctx, again == 1); err != nil {
			return err
		}
		if err := w.process.Shutdown(ctx); err != nil {
			return err
		}
		if _, err := w.process.Check(ctx); err != nil {
			return w.world.Violated("simtest", "T6", "after an orderly end: %v", err)
		}
	}
	return context.Cause(ctx)
}

// check runs the checks.
func (w *World) check(ctx context.Context, again bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, checkLimit, fmt.Errorf("the checks did not end within %v", checkLimit))
	defer cancel()
	when := ""
	if again {
		when = ", after the store was closed and opened again"
	}
	for _, c := range w.checks() {
		err := c.run(ctx, w.db)
		w.world.Trace("check %s: %v", c.name, err)
		if err != nil {
			return fmt.Errorf("check %q%s: %w", c.name, when, err)
		}
	}
	return nil
}

// close ends whatever still goes on (T4), and returns what has gone wrong by
// then with what ends.
func (w *World) close() error {
	w.fail(errOver)
	w.process.Kill()
	if !within(endLimit, func() {
		w.work.Wait()
		w.boots.Wait()
		// The supervisor may have booted it once more.
		w.process.Kill()
		w.process.AwaitBurials()
	}) {
		_ = w.world.Violated("simtest", "T4", "the clients or the store did not end within %v", endLimit)
	}
	scenario.Count(w.world, w.disk)
	if err := w.db.Close(); err != nil {
		return err
	}
	if v := w.world.Violation(); v != nil {
		return v
	}
	return nil
}

var errOver = errors.New("the run is over")

// within reports whether f, which runs on if not, returned within limit.
func within(limit time.Duration, f func()) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// finding returns what the host is told: err, or that the test has failed by
// itself.
func (w *World) finding(name string, err error, failed bool) *report.Report {
	r := w.world.Report()
	r.FaultSites = nil // they are Plinth's own affair
	switch {
	case r.Violation != nil:
	case err != nil:
		r.Violation = &report.Violation{Source: name, Text: err.Error()}
	case failed:
		r.Violation = &report.Violation{Source: name, Text: "the test failed"}
	}
	return r
}
