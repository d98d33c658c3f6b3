package workload

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/kv"
)

// Env is the world as one workload sees it.
type Env struct {
	world   *world.World
	process *world.Process
	shared  *Shared
	name    string
	// life numbers the disks of the process from 1: each begins with Setup.
	life    int
	clients int
	pause   time.Duration
	habits  Habits
	// defaults are those of the database.
	defaults Defaults
	// maxWatches is the database's limit, 0 if it is not known.
	maxWatches int

	mu struct {
		sync.Mutex
		running []*Client
	}
}

// Shared is what all workloads on one store know together.
type Shared struct {
	// watching is held for writing by who looks for the limit of watches, for
	// reading by who has some that Watches does not know of.
	watching sync.RWMutex

	mu struct {
		sync.Mutex
		acknowledged kv.Version
		// diskMayFail says that the disk can return errors; after the end of
		// faults only incarnations up to lastFaulty may suffer from earlier ones.
		diskMayFail bool
		lastFaulty  int
	}
}

// BeginFaults says that faults begin, among them errors of the disk or not.
func (s *Shared) BeginFaults(ofDisk bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.diskMayFail = ofDisk
}

// EndFaults says that faults have ended, when the process had booted so many
// times.
func (s *Shared) EndFaults(boots int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.diskMayFail {
		s.mu.lastFaulty = boots
	}
	s.mu.diskMayFail = false
}

// DiskMayFail reports whether the incarnation of that number may meet errors
// of its disk (E3).
func (s *Shared) DiskMayFail(incarnation int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.diskMayFail || incarnation <= s.mu.lastFaulty
}

func (s *Shared) acknowledged() kv.Version {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.acknowledged
}

func (s *Shared) acknowledge(v kv.Version) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.acknowledged = max(s.mu.acknowledged, v)
}

// EnvConfig describes how a workload is driven.
type EnvConfig struct {
	// Name is the workload's; its keys begin with it.
	Name string
	// Life numbers the workload's instances, one for each disk of the process,
	// from 1; 0 counts as 1. A later one has chances of its own.
	Life int
	// Clients is how many clients Env.Clients starts.
	Clients int
	// Pause is the average time between two transactions of a client.
	Pause time.Duration
	// Habits are the same for all workloads.
	Habits Habits
	// Defaults are those of the database.
	Defaults Defaults
	// MaxWatches is the database's limit of outstanding watches, 0 if it is not
	// known.
	MaxWatches int
}

// Habits are what clients of every workload do besides its own.
type Habits struct {
	// Dawdle is the average time that every tenth transaction waits before it
	// commits: it overlaps with more others and may get too old.
	Dawdle time.Duration
	// PadProbability is the chance that a transaction also writes a pad, a
	// large value of PadBytes on average under a prefix of the pads' own.
	PadProbability float64
	PadBytes       int
	// TransactProbability is the chance that a transaction is run by
	// kv.Transact, in the workloads that leave that open.
	TransactProbability float64
	// InStep lets clients begin their transactions at the same moments, so that
	// they meet more often.
	InStep bool
}

// NewEnv returns the environment of one workload on the store of process.
func NewEnv(w *world.World, process *world.Process, shared *Shared, config EnvConfig) *Env {
	return &Env{
		world: w, process: process, shared: shared, name: config.Name, life: config.Life, clients: config.Clients,
		pause: config.Pause, habits: config.Habits, defaults: config.Defaults, maxWatches: config.MaxWatches,
	}
}

// Key returns a key of the workload: its name, a slash, and the formatted
// rest.
func (e *Env) Key(format string, args ...any) []byte {
	return fmt.Appendf(append([]byte(e.name), '/'), format, args...)
}

// Rand returns a stream of chance of the workload's own.
func (e *Env) Rand(name string) *rand.Rand {
	name = e.name + "/" + name
	if e.life > 1 {
		name = fmt.Sprintf("%s/life%d", name, e.life)
	}
	return e.world.Rand(name)
}

// Violated records that an invariant of the workload does not hold.
func (e *Env) Violated(invariant, format string, args ...any) error {
	return e.world.Violated(e.name, invariant, format, args...)
}

// Trace adds a line to the trace.
func (e *Env) Trace(format string, args ...any) {
	e.world.Trace("%s %s", e.name, fmt.Sprintf(format, args...))
}

// Clients runs the workload's clients until ctx ends. Each calls step again
// and again, with pauses; an error of step other than the end of ctx ends all.
func (e *Env) Clients(ctx context.Context, step func(ctx context.Context, c *Client) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	for id := range e.clients {
		c := &Client{env: e, id: id, rng: e.Rand(fmt.Sprint("client", id))}
		e.mu.Lock()
		e.mu.running = append(e.mu.running, c)
		e.mu.Unlock()
		running.Go(func() {
			if err := c.run(ctx, step); err != nil && ctx.Err() == nil {
				cancel(fmt.Errorf("%s: client %d: %w", e.name, id, err))
			}
		})
	}
	running.Wait()
	if err := context.Cause(ctx); err != nil && err != context.Canceled {
		return err
	}
	return nil
}

// Commits returns the commits of each client so far.
func (e *Env) Commits() []uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	counts := make([]uint64, len(e.mu.running))
	for i, c := range e.mu.running {
		counts[i] = c.commits.Load()
	}
	return counts
}

// count counts a transaction that ended with err. The version is 0 if it has
// none.
func (e *Env) count(o Outcome, version kv.Version, err error) {
	e.world.Count(func(r *report.Report) {
		switch {
		case o == Committed && version > 0:
			r.Commits++
		case o == Committed:
			r.ReadOnly++
		case o == Unknown:
			r.Unknown++
		case errors.Is(err, kv.ErrNotCommitted):
			r.Conflicts++
		default:
			r.Aborted++
		}
	})
}

// countRetry counts a run of a transaction after its first.
func (e *Env) countRetry() { e.world.Count(func(r *report.Report) { r.Retries++ }) }

func sortedKeys[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
