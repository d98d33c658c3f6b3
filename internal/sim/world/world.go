package world

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"

	"github.com/plinthdb/plinth/internal/sim/report"
)

// World is one run.
type World struct {
	seed  uint64
	trace func(line []byte)
	stop  context.CancelCauseFunc

	mu struct {
		sync.Mutex
		violation *report.Violation
		counts    report.Report
	}
}

// New returns a world whose chances all come from seed and whose trace goes to
// trace, line by line; a line is valid during the call only. The context it
// returns ends at the first violation, with that as its cause.
func New(ctx context.Context, seed uint64, trace func(line []byte)) (context.Context, *World) {
	ctx, stop := context.WithCancelCause(ctx)
	return ctx, &World{seed: seed, trace: trace, stop: stop}
}

// Seed is what the run began with.
func (w *World) Seed() uint64 { return w.seed }

// Rand returns a new stream of chance that depends on the seed and the name
// only (W5). A stream is not safe for concurrent use.
func (w *World) Rand(name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(w.seed, h.Sum64()))
}

// Trace adds a line to the trace.
func (w *World) Trace(format string, args ...any) { w.TraceLine(fmt.Appendf(nil, format, args...)) }

// TraceLine adds a line to the trace.
func (w *World) TraceLine(line []byte) { w.trace(line) }

// Violated records that an invariant does not hold, which ends the run, and
// returns the violation as an error. Only the first one counts (W4).
func (w *World) Violated(source, invariant, format string, args ...any) error {
	v := &report.Violation{Source: source, Invariant: invariant, Text: fmt.Sprintf(format, args...)}
	w.mu.Lock()
	first := w.mu.violation == nil
	if first {
		w.mu.violation = v
	}
	w.mu.Unlock()
	if first {
		w.Trace("violation %v", v)
		w.stop(v)
	}
	return v
}

// Violation returns the first violation, or nil.
func (w *World) Violation() *report.Violation {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.violation
}

// Count changes the run's counts.
func (w *World) Count(change func(*report.Report)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.mu.counts)
}

// Report returns the counts and the first violation.
func (w *World) Report() *report.Report {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.mu.counts
	r.Violation = w.mu.violation
	return &r
}
