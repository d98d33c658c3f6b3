package workload

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/plinthdb/plinth/internal/sim/history"
	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/kv"
)

// registers does what is usually done to test that single keys are
// linearizable: transactions of one operation on one key, which get it, set it,
// clear it, or set it depending on what it holds. porcupine judges the outcome
// by real time alone: a second opinion by a checker that knows nothing of
// versions and is not ours. A search that it cannot end within its limit counts
// as undecided in the report. In every third seed nobody clears, as in
// serializability.
//
//	R1  Each register is linearizable.
//	R2  The history of all of them is strictly serializable in the order of its
//	    versions.
//	R3  The journal holds the stamp that each acknowledged commit returned, and
//	    nothing of transactions that were aborted.
type registers struct {
	keys     int
	clears   bool
	recorder *recorder
}

func newRegisters(rng *rand.Rand) *registers {
	return &registers{keys: 1 + rng.IntN(6), clears: drawClears(rng)}
}

// Name implements Workload.
func (*registers) Name() string { return "Registers" }

const (
	// registersWindow is how many transactions are checked together. What
	// porcupine needs grows fast with the unknown outcomes among them.
	registersWindow = 400
	// registersSteps bounds its search on one key.
	registersSteps = 200_000
)

// Setup implements Workload. All registers are absent at first.
func (r *registers) Setup(_ context.Context, env *Env) error {
	r.recorder = newRecorder(env, registersWindow, "R3", func(h *history.History) error { return r.judge(env, h) })
	return nil
}

func (r *registers) judge(env *Env, h *history.History) error {
	if err := r.recorder.strict("R2", h); err != nil {
		return err
	}
	return r.linearizable(env, h)
}

// linearizable asks porcupine (R1).
func (r *registers) linearizable(env *Env, h *history.History) error {
	verdict, err := history.CheckRegisters(h, registersSteps)
	switch {
	case err != nil:
		return err
	case verdict == history.NotLinearizable:
		return r.recorder.violated(h, "R1", "the history of %d transactions is not linearizable", len(h.Transactions))
	case verdict == history.Undecided:
		env.Trace("porcupine gave up on %d transactions", len(h.Transactions))
		env.world.Count(func(report *report.Report) { report.Undecided++ })
	}
	return nil
}

// Run implements Workload.
func (r *registers) Run(ctx context.Context, _ *Env) error {
	return r.recorder.run(ctx, func(ctx context.Context, c *Client) error {
		return r.recorder.try(ctx, c, func(t *recorded) error { return r.operate(t, c.Rand()) })
	})
}

func (r *registers) operate(t *recorded, rng *rand.Rand) error {
	key, value := fmt.Sprintf("k%d", rng.IntN(r.keys)), fmt.Sprintf("v%d", t.fresh())
	switch kind := rng.IntN(5); {
	case kind <= 1:
		return t.get(false, key)
	case kind == 3 && r.clears:
		t.clear(key)
		return nil
	case kind <= 3:
		t.set(key, value)
		return nil
	}
	// Set it if it is present, and sometimes otherwise.
	if err := t.get(false, key); err != nil {
		return err
	}
	if seen := t.ops[len(t.ops)-1]; !seen.Absent || rng.IntN(2) == 0 {
		t.set(key, value)
	}
	return nil
}

// Check implements Workload.
func (r *registers) Check(ctx context.Context, _ *Env) error {
	return r.recorder.audit(ctx, func(rows []kv.KeyValue) ([]history.Op, error) {
		op := history.Op{Kind: history.ReadRange, Key: "k", End: "l"}
		for _, row := range rows {
			op.Rows = append(op.Rows, history.Row{Key: string(row.Key), Value: string(row.Value)})
		}
		return []history.Op{op}, nil
	})
}
