package scenario

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plinthdb/plinth/internal/sim/disk"
	"github.com/plinthdb/plinth/internal/sim/workload"
	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// sickStore says that it could not close itself.
type sickStore struct{ world.Store }

func (s sickStore) Close() error { return errors.Join(s.Store.Close(), errSick) }

var errSick = errors.New("as asked for")

// openStore opens a store on the disk of a process.
func openStore(h world.Host) (*kv.Database, world.Store, error) {
	db, store, err := embedded.Open(h.Dir, embedded.WithFS(h.FS))
	if err != nil {
		return nil, nil, err
	}
	return db, store, nil
}

// newBadRun returns a run without workloads whose process has that driver. What
// the driver does not say is as it should be.
func newBadRun(t *testing.T, driver world.Driver) (context.Context, *storeRun) {
	t.Helper()
	if driver.Open == nil {
		driver.Open = openStore
	}
	if driver.Check == nil {
		driver.Check = func(context.Context, world.Host, []kv.Version) (world.States, error) { return world.States{}, nil }
	}
	ctx, w := world.New(t.Context(), 1, func([]byte) {})
	r := &storeRun{world: w, life: &life{shared: &workload.Shared{}}}
	r.disk = disk.New(disk.Config{}, w.Rand("disk"), w.TraceLine)
	r.process = w.NewProcess("p", r.disk, driver)
	_, r.stopWork = context.WithCancel(ctx)
	_, r.stopBoots = context.WithCancel(ctx)
	return ctx, r
}

func TestBadRunsOfAScenarioAreFound(t *testing.T) {
	closed := world.Driver{Open: func(world.Host) (*kv.Database, world.Store, error) { return nil, nil, errSick }}
	damaged := world.Driver{Open: func(world.Host) (*kv.Database, world.Store, error) {
		return nil, nil, kv.ErrFileCorrupt.With("/store/x is corrupt")
	}}
	sick := world.Driver{Open: func(h world.Host) (*kv.Database, world.Store, error) {
		db, store, err := openStore(h)
		return db, sickStore{store}, err
	}}
	unchecked := world.Driver{Check: func(context.Context, world.Host, []kv.Version) (world.States, error) { return world.States{}, errSick }}
	boot := func(t *testing.T, r *storeRun) {
		if err := r.process.Boot(); err != nil {
			t.Fatal(err)
		}
	}
	end := func(t *testing.T, ctx context.Context, r *storeRun) { boot(t, r); _ = r.end(ctx) }
	for _, c := range []struct {
		name, invariant string
		driver          world.Driver
		run             func(t *testing.T, ctx context.Context, r *storeRun)
	}{
		{"the supervisor cannot open the store", "S2", closed, func(_ *testing.T, _ context.Context, r *storeRun) { r.boot(true) }},
		{"the store does not open at the end", "S2", closed, func(_ *testing.T, _ context.Context, r *storeRun) { _ = r.reopen() }},
		{"a sound disk is damaged at the end", "S6", damaged, func(_ *testing.T, _ context.Context, r *storeRun) { _ = r.reopen() }},
		{"the store cannot be closed", "S3", sick, end},
		{"an idle store cannot be closed", "S3", sick, func(t *testing.T, ctx context.Context, r *storeRun) {
			boot(t, r)
			_ = shutdown(ctx, r.world, r.process)
		}},
		{"the directory is wrong at the end", "S5", unchecked, end},
		{"the directory is wrong after a crash", "S5", unchecked, func(_ *testing.T, ctx context.Context, r *storeRun) { r.checkCrashed(ctx) }},
		{"the store does not open and does not say why", "S2", closed, func(_ *testing.T, _ context.Context, r *storeRun) { r.boot(false) }},
		{"the store ends on a sound disk", "S9", world.Driver{}, func(t *testing.T, ctx context.Context, r *storeRun) {
			boot(t, r)
			abandon(t, ctx, r, kv.ErrIO)
			r.judgeDeath()
		}},
		{"the store ends and does not say why", "S9", world.Driver{}, func(t *testing.T, ctx context.Context, r *storeRun) {
			r.life.shared.BeginFaults(true)
			boot(t, r)
			abandon(t, ctx, r, kv.ErrInternal)
			r.judgeDeath()
		}},
		{"the rows are others at the end", "S8", world.Driver{}, end},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, r := newBadRun(t, c.driver)
			c.run(t, ctx, r)
			if v := r.world.Violation(); v == nil || v.Invariant != c.invariant {
				t.Errorf("found %v, want a violation of %s", v, c.invariant)
			}
			r.process.AwaitBurials()
		})
	}
}

// TestRunsThatWaitInVainAreFound are in bubbles, where waiting takes no time.
func TestRunsThatWaitInVainAreFound(t *testing.T) {
	for _, c := range []struct {
		name, invariant string
		run             func(ctx context.Context, r *storeRun) error
	}{
		{"workloads that do not end", "S1", func(ctx context.Context, r *storeRun) error {
			return await(ctx, r.world, "scenario", "the workloads", func() { <-ctx.Done() })
		}},
		{"a client that never commits again", "E4", func(ctx context.Context, r *storeRun) error {
			r.nemesis = &Nemesis{World: r.world, Disk: r.disk, Process: r.process}
			r.nemesis.Start(ctx)
			// Beside it a throng, which gets more time, and this one no more for that.
			r.life.tasks = []task{r.idleTask(t, "Cycle"), r.idleTask(t, "Registers")}
			err := r.liveness(ctx)
			if err == nil || !strings.Contains(err.Error(), "Registers") {
				t.Errorf("found %v, want one of Registers", err)
			}
			return err
		}},
		{"too few commits", "S7", func(ctx context.Context, r *storeRun) error {
			r.swarm.MinCommits = 1
			return r.awaitCommits(ctx)
		}},
		{"a goroutine that is left", "S4", func(ctx context.Context, r *storeRun) error {
			before := listGoroutines()
			go func() { <-ctx.Done() }()
			return checkGoroutines(ctx, r.world, before)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, r := newBadRun(t, world.Driver{})
				_ = c.run(ctx, r)
				if v := r.world.Violation(); v == nil || v.Invariant != c.invariant {
					t.Errorf("found %v, want a violation of %s", v, c.invariant)
				}
			})
		})
	}
}

// abandon lets the process die of err.
func abandon(t *testing.T, ctx context.Context, r *storeRun, err error) {
	t.Helper()
	inc, waited := r.process.Wait(ctx)
	if waited != nil {
		t.Fatal(waited)
	}
	inc.Abandon(err)
}

func TestAStoreMayEndBecauseOfItsDisk(t *testing.T) {
	ctx, r := newBadRun(t, world.Driver{})
	r.life.shared.BeginFaults(true)
	for _, cause := range []error{kv.ErrIO, kv.ErrDiskFull, world.ErrKilled} {
		if err := r.process.Boot(); err != nil {
			t.Fatal(err)
		}
		abandon(t, ctx, r, cause)
		if r.judgeDeath(); r.world.Violation() != nil {
			t.Errorf("%v: %v", cause, r.world.Violation())
		}
	}
	r.process.AwaitBurials()
}

// Found by seed 139 at 80cee57: one of 52 clients of Cycle, a throng of four, had
// not committed within the minute that clients get who are busier.
func TestClientsOfAThrongGetTheirTime(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	seen := make(map[int]bool)
	for range 100 {
		load, err := workload.New("Cycle", rng)
		if err != nil {
			t.Fatal(err)
		}
		throng := workload.ThrongOf(load)
		seen[throng] = true
		crowded := task{Workload: load}
		if got := crowded.progressLimit(); got != time.Duration(throng)*progressLimit {
			t.Fatalf("a throng of %d gets %v", throng, got)
		}
	}
	if len(seen) < 2 {
		t.Error("all throngs have one size")
	}
}

// idleTask is a workload whose clients never begin, a throng if that can be.
func (r *storeRun) idleTask(t *testing.T, name string) task {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		load, err := workload.New(name, rng)
		if err != nil {
			t.Fatal(err)
		}
		if name != "Cycle" || workload.ThrongOf(load) > 1 {
			return task{load, workload.NewEnv(r.world, r.process, r.life.shared, workload.EnvConfig{Clients: 1})}
		}
	}
	t.Fatal("no throng of Cycle was drawn")
	return task{}
}
