package world

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
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
		// histories are asked for what the report at the end shows.
		histories map[string]func() (json.RawMessage, error)
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

// Record has FinalReport ask history for what was recorded under name. A later
// call with the same name takes the place of an earlier one.
func (w *World) Record(name string, history func() (json.RawMessage, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.histories == nil {
		w.mu.histories = make(map[string]func() (json.RawMessage, error))
	}
	w.mu.histories[name] = history
}

// FinalReport is Report for the end of a run, with the histories that were
// recorded: all of them, or that of the violation's source alone if there is
// one.
func (w *World) FinalReport() *report.Report {
	r := w.Report()
	w.mu.Lock()
	histories := maps.Clone(w.mu.histories)
	w.mu.Unlock()
	if r.Violation != nil && histories[r.Violation.Source] != nil {
		maps.DeleteFunc(histories, func(name string, _ func() (json.RawMessage, error)) bool { return name != r.Violation.Source })
	}
	for _, name := range slices.Sorted(maps.Keys(histories)) {
		data, err := histories[name]()
		if err != nil {
			w.Trace("the history of %s is lost: %v", name, err)
			continue
		}
		if r.Histories == nil {
			r.Histories = make(map[string]json.RawMessage)
		}
		r.Histories[name] = data
	}
	return r
}
