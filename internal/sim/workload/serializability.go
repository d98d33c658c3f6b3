package workload

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/plinthdb/plinth/internal/sim/history"
	"github.com/plinthdb/plinth/kv"
)

// serializability is FoundationDB's Serializability: transactions of random
// reads, range reads, sets and clears on few keys, some of the reads snapshot
// reads. FoundationDB compares two runs; here the history of all transactions
// is recorded and checked (internal/sim/history). In every third seed nobody
// clears, so that the history can be exported for Elle.
//
//	Z1  The history is strictly serializable in the order of its versions:
//	    committed transactions as a whole, and what snapshot reads and aborted
//	    transactions saw as snapshots.
//	Z2  The journal holds the stamp that each acknowledged commit returned, and
//	    nothing of transactions that were aborted.
type serializability struct {
	keys, maxOps int
	clears       bool
	recorder     *recorder
}

func newSerializability(rng *rand.Rand) *serializability {
	return &serializability{keys: 2 + rng.IntN(1<<(1+rng.IntN(5))), maxOps: 1 + rng.IntN(8), clears: drawClears(rng)}
}

// drawClears draws whether the transactions of a workload clear keys.
func drawClears(rng *rand.Rand) bool { return rng.IntN(3) > 0 }

// Name implements Workload.
func (*serializability) Name() string { return "Serializability" }

// serializabilityWindow is how many transactions are checked together.
const serializabilityWindow = 2000

// Setup implements Workload. All keys are absent at first.
func (z *serializability) Setup(_ context.Context, env *Env) error {
	z.recorder = newRecorder(env, serializabilityWindow, "Z2", func(h *history.History) error { return z.recorder.strict("Z1", h) })
	return nil
}

// Run implements Workload.
func (z *serializability) Run(ctx context.Context, _ *Env) error {
	return z.recorder.run(ctx, func(ctx context.Context, c *Client) error {
		return z.recorder.try(ctx, c, func(t *recorded) error {
			for range 1 + c.Rand().IntN(z.maxOps) {
				if err := z.operate(t, c.Rand()); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func (z *serializability) name(rng *rand.Rand) string { return fmt.Sprintf("k%02d", rng.IntN(z.keys)) }

// span returns a random range that is not inverted and may be empty.
func (z *serializability) span(rng *rand.Rand) (begin, end string) {
	begin, end = z.name(rng), fmt.Sprintf("k%02d", rng.IntN(z.keys+1))
	return min(begin, end), max(begin, end)
}

func (z *serializability) operate(t *recorded, rng *rand.Rand) error {
	snapshot := rng.IntN(5) == 0
	kind := rng.IntN(8)
	if kind == 7 && !z.clears {
		kind = rng.IntN(7)
	}
	switch kind {
	case 0, 1:
		return t.get(snapshot, z.name(rng))
	case 2:
		return t.get(snapshot, z.name(rng), z.name(rng), z.name(rng))
	case 3, 4:
		begin, end := z.span(rng)
		return t.getRange(snapshot, begin, end, kv.RangeOptions{Limit: rng.IntN(4), Reverse: rng.IntN(2) == 0})
	case 5, 6:
		t.set(z.name(rng), fmt.Sprintf("v%d", t.fresh()))
	default:
		if rng.IntN(2) == 0 {
			t.clear(z.name(rng))
			return nil
		}
		begin, end := z.span(rng)
		t.clearRange(begin, end)
	}
	return nil
}

// Check implements Workload.
func (z *serializability) Check(ctx context.Context, _ *Env) error {
	return z.recorder.audit(ctx, func(rows []kv.KeyValue) ([]history.Op, error) {
		op := history.Op{Kind: history.ReadRange, Key: "k", End: "l"}
		for _, row := range rows {
			op.Rows = append(op.Rows, history.Row{Key: string(row.Key), Value: string(row.Value)})
		}
		return []history.Op{op}, nil
	})
}
