package workload

import (
	"context"
	"math/rand/v2"
)

// apiCorrectness is FoundationDB's ApiCorrectness: clients call the API at
// random, each on keys of its own, and compare every answer with a model of
// what they have committed.
//
//	P1  Every read (Get, GetKey, Range and RangeSelectors, in both directions,
//	    with limits of rows and bytes, snapshot or not, waited for at once or
//	    later, to the end or not) gives what the model gives for the
//	    transactions committed before, and own writes.
//
// It holds the invariants of a ledger too.
type apiCorrectness struct {
	ledger *ledger
	calls  int // at most, in a transaction
}

func newAPICorrectness(rng *rand.Rand) *apiCorrectness {
	return &apiCorrectness{ledger: newLedger(withoutRows), calls: 1 + rng.IntN(1<<rng.IntN(5))}
}

// Name implements Workload.
func (*apiCorrectness) Name() string { return "ApiCorrectness" }

// Setup implements Workload.
func (w *apiCorrectness) Setup(ctx context.Context, env *Env) error { return w.ledger.setup(ctx, env) }

// Run implements Workload.
func (w *apiCorrectness) Run(ctx context.Context, env *Env) error {
	return env.Clients(ctx, func(ctx context.Context, c *Client) error {
		_, err := w.ledger.transact(ctx, env, c, w.transaction)
		return err
	})
}

// transaction is mostly reads of what was committed before.
func (w *apiCorrectness) transaction(p *pending) error {
	rng := p.keys.rng
	p.readOnly = rng.IntN(5) == 0
	writes := !p.readOnly && rng.IntN(4) > 0
	var later []func() error
	for range 1 + rng.IntN(w.calls) {
		if writes && rng.IntN(3) == 0 {
			p.write(p.keys.plainMutation())
			continue
		}
		if err := p.readLater("P1", p.keys.read(p.rows), &later); err != nil {
			return err
		}
	}
	return finishAll(later)
}

// Check implements Workload.
func (w *apiCorrectness) Check(ctx context.Context, env *Env) error {
	return w.ledger.check(ctx, env, nil)
}
