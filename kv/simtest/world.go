package simtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/plinthdb/plinth/internal/sim/disk"
	"github.com/plinthdb/plinth/internal/sim/scenario"
	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/kv"
)

// World is the world of one test.
type World struct {
	setting setting
	options options
	swarm   scenario.Swarm
	world   *world.World
	disk    *disk.Disk
	process *world.Process
	opener  opener
	nemesis *scenario.Nemesis
	remote  remote
	// db is the store for clients on other machines.
	db *kv.Database
	// healLimit is the constant of that name, but in tests.
	healLimit time.Duration
	// fail ends the run; the first error counts.
	fail context.CancelCauseFunc

	// enough asks clients to stop after their step, endWork ends it, endBoots
	// ends the supervisor; each group is waited for.
	enough, endWork, endBoots context.CancelFunc
	work, boots               sync.WaitGroup

	mu struct {
		sync.Mutex
		// running says that clients and checks cannot be declared any more.
		running bool
		clients []*client
		checks  []namedCheck
		// diskFails says that the disk may fail now; incarnations up to
		// lastFaulty may suffer from earlier failures.
		diskFails  bool
		lastFaulty int
	}
}

type namedCheck struct {
	name string
	run  func(ctx context.Context, db *kv.Database) error
}

// DB returns the store as a client on another machine sees it. It outlives
// reboots of the store: calls wait while that is dead.
func (w *World) DB() *kv.Database { return w.db }

// Seed is what decides this run under plinth sim.
func (w *World) Seed() uint64 { return w.setting.seed }

// Simulated reports whether the test runs under plinth sim: in virtual time,
// reproducibly, without a file system.
func (w *World) Simulated() bool { return w.setting.simulated }

// Rand returns a new stream of chance, which depends on the seed and the name
// only. A stream is not safe for concurrent use. The functions of math/rand are
// reproducible under plinth sim too; streams keep one use of chance from
// disturbing another.
func (w *World) Rand(name string) *rand.Rand { return w.world.Rand("user/" + name) }

// Trace adds a line to the trace, which plinth sim prints with --trace, and its
// end when a seed fails. It is part of the hash. Natively it does nothing.
func (w *World) Trace(format string, args ...any) {
	w.world.Trace("test %s", fmt.Sprintf(format, args...))
}

// Client declares a client on another machine. Its steps run from the end of
// the setup on, with pauses in between, until the store has healed. Its database
// is DB.
func (w *World) Client(name string, step Step) { w.declare(name, step, false) }

// Embedded declares code that runs in the process of the store, and dies with
// it. The database of a step is that of the process at that time. See the
// package comment.
func (w *World) Embedded(name string, step Step) { w.declare(name, step, true) }

func (w *World) declare(name string, step Step, embedded bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mustSetUpLocked("client", name)
	w.mu.clients = append(w.mu.clients, &client{
		world: w, name: name, step: step, embedded: embedded,
		rng: w.world.Rand(fmt.Sprintf("client/%d/%s", len(w.mu.clients), name)),
	})
}

// Check declares a check. It runs twice, one after the other with all others in
// the order of their declaration: when the store has healed and the clients have
// stopped, and again after the store was closed and opened. An error fails the
// test.
func (w *World) Check(name string, check func(ctx context.Context, db *kv.Database) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mustSetUpLocked("check", name)
	w.mu.checks = append(w.mu.checks, namedCheck{name, check})
}

func (w *World) mustSetUpLocked(what, name string) {
	if w.mu.running {
		panic(fmt.Sprintf("simtest: %s %q was declared after the function given to Run had returned", what, name))
	}
}

func (w *World) checks() []namedCheck {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.checks
}

// beginFaults says that faults begin.
func (w *World) beginFaults() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.diskFails = w.swarm.DiskMayFail()
}

// endFaults says that faults have ended; incarnations that there were may still
// suffer from them. It reports whether they can.
func (w *World) endFaults() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	suffers := w.mu.diskFails
	if suffers {
		w.mu.lastFaulty = w.process.Boots()
	}
	w.mu.diskFails = false
	return suffers
}

// diskMayFail reports whether the incarnation of that number may meet errors of
// its disk.
func (w *World) diskMayFail(incarnation int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.diskFails || incarnation <= w.mu.lastFaulty
}
