package workload

import (
	"context"
	"math/rand/v2"

	"github.com/plinthdb/plinth/kv"
)

// ryowCorrectness is FoundationDB's RyowCorrectness, read your own writes:
// transactions set, clear, clear ranges, apply atomic operations and write
// versionstamps, and read in between.
//
//	R1  Every read sees what is stored and all own writes that were issued
//	    before it, and no others; of keys that a versionstamped operation may
//	    have written it says that they cannot be read.
//	R2  Without read-your-writes, for all reads or for snapshot reads, they see
//	    what is stored.
//
// It holds the invariants of a ledger too: what is committed is what was read
// pending, with the stamps filled in.
type ryowCorrectness struct {
	ledger *ledger
	calls  int // at most, in a transaction
}

func newRyowCorrectness(rng *rand.Rand) *ryowCorrectness {
	return &ryowCorrectness{ledger: newLedger(withoutRows), calls: 3 + rng.IntN(1<<rng.IntN(6))}
}

// maxStampedRows bounds the rows whose keys hold stamps: they are never
// written again.
const maxStampedRows = 100

// Name implements Workload.
func (*ryowCorrectness) Name() string { return "RyowCorrectness" }

// Setup implements Workload.
func (w *ryowCorrectness) Setup(ctx context.Context, env *Env) error { return w.ledger.setup(ctx, env) }

// Run implements Workload.
func (w *ryowCorrectness) Run(ctx context.Context, env *Env) error {
	return env.Clients(ctx, func(ctx context.Context, c *Client) error {
		_, err := w.ledger.transact(ctx, env, c, func(p *pending) error {
			if p.keys.rng.IntN(4) == 0 {
				return w.withoutOwnWrites(p)
			}
			return w.mixed(p)
		})
		return err
	})
}

// mixed reads in between writes of all kinds.
func (w *ryowCorrectness) mixed(p *pending) error {
	rng := p.keys.rng
	stamped := rng.IntN(2) == 0
	if stamped {
		if err := p.askVersion(); err != nil {
			return err
		}
	}
	if len(p.rows.Values) > maxStampedRows {
		p.clearAll()
	}
	var later []func() error
	for range 1 + rng.IntN(w.calls) {
		if rng.IntN(2) == 0 {
			p.write(p.keys.mutation(stamped))
		} else if err := p.readLater("R1", p.keys.read(p.rows), &later); err != nil {
			return err
		}
	}
	return finishAll(later)
}

// withoutOwnWrites reads past the own writes.
func (w *ryowCorrectness) withoutOwnWrites(p *pending) error {
	rng := p.keys.rng
	option, onlySnapshot := kv.WithReadYourWrites(false), rng.IntN(2) == 0
	if onlySnapshot {
		option = kv.WithSnapshotReadYourWrites(false)
	}
	p.tx.SetOptions(option)
	for range 1 + rng.IntN(w.calls) {
		if rng.IntN(2) == 0 {
			p.write(p.keys.mutation(false))
			continue
		}
		reader, rows := p.reader(), p.base
		if reader == kv.Reader(p.tx) && onlySnapshot {
			rows = p.rows
		}
		if err := p.begin("R2", p.keys.read(rows), reader, rows)(); err != nil {
			return err
		}
	}
	return nil
}

// Check implements Workload.
func (w *ryowCorrectness) Check(ctx context.Context, env *Env) error {
	return w.ledger.check(ctx, env, nil)
}
