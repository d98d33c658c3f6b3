package workload

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/plinthdb/plinth/kv"
)

// selectorCorrectness is FoundationDB's SelectorCorrectness: it resolves key
// selectors with all offsets over stored rows and over pending writes and
// clears. On either side of the keys that a client changes stand rows that
// nobody does, so that a selector may walk off them.
//
//	K1  A selector names the row that counting rows of the model gives, or
//	    ends outside where the model has no more.
//	K2  At either end of the key space a selector names the row that a range
//	    read at the same version gives in that place; beyond the ends it gives
//	    the empty key and "\xff".
//
// It holds the invariants of a ledger too.
type selectorCorrectness struct {
	ledger *ledger
	calls  int // at most, in a transaction
}

// wallRows is how many rows stand on either side.
const wallRows = 12

func newSelectorCorrectness(rng *rand.Rand) *selectorCorrectness {
	return &selectorCorrectness{ledger: newLedger(walls), calls: 1 + rng.IntN(1<<rng.IntN(5))}
}

// walls are the rows below and above "m/", where a client's changing keys are.
func walls(env *Env, client int) map[string]string {
	rows := make(map[string]string)
	for i := range wallRows {
		rows[fmt.Sprintf("%sl/%02d", dataPrefix(env, client), i)] = ""
		rows[fmt.Sprintf("%sn/%02d", dataPrefix(env, client), i)] = ""
	}
	return rows
}

// Name implements Workload.
func (*selectorCorrectness) Name() string { return "SelectorCorrectness" }

// Setup implements Workload.
func (w *selectorCorrectness) Setup(ctx context.Context, env *Env) error {
	return w.ledger.setup(ctx, env)
}

// Run implements Workload.
func (w *selectorCorrectness) Run(ctx context.Context, env *Env) error {
	return env.Clients(ctx, func(ctx context.Context, c *Client) error {
		_, err := w.ledger.transact(ctx, env, c, w.transaction)
		return err
	})
}

func (w *selectorCorrectness) transaction(p *pending) error {
	rng := p.keys.rng
	inner := apiKeys{rng: rng, prefix: p.keys.prefix + "m/"}
	var later []func() error
	for range 1 + rng.IntN(w.calls) {
		var err error
		switch n := rng.IntN(20); {
		case n < 8:
			p.write(inner.mutation(false))
		case n < 17:
			err = p.readLater("K1", p.keys.keyRead(inner.selector(wallRows)), &later)
		case n == 17:
			err = w.sweep(p, inner)
		case n == 18:
			err = w.ends(p)
		case rng.IntN(4) == 0:
			err = w.far(p, inner)
		}
		if err != nil {
			return err
		}
	}
	return finishAll(later)
}

// sweep resolves selectors with all offsets from one key on.
func (w *selectorCorrectness) sweep(p *pending, inner apiKeys) error {
	s, reader := inner.selector(0), p.reader()
	var later []func() error
	for s.Offset = -wallRows; s.Offset <= wallRows+1; s.Offset++ {
		later = append(later, p.begin("K1", p.keys.keyRead(s), reader, p.rows))
	}
	return finishAll(later)
}

// far resolves a selector that runs off all rows of the store.
func (w *selectorCorrectness) far(p *pending, inner apiKeys) error {
	s, want := inner.selector(0), `"\xff"`
	s.Offset = 1 << 30
	if p.keys.rng.IntN(2) == 0 {
		s.Offset, want = -s.Offset, `""`
	}
	return w.expect(p, s, want)
}

// ends resolves selectors at the ends of the key space, where there are rows
// of all workloads, and compares them with range reads. They are snapshot
// reads, for not to conflict with anybody.
func (w *selectorCorrectness) ends(p *pending) error {
	rng := p.keys.rng
	s := kv.KeySelector{OrEqual: rng.IntN(2) == 0, Offset: 1 + rng.IntN(3)}
	limit, beyond := s.Offset, `"\xff"`
	reverse := rng.IntN(2) == 0
	if reverse {
		s.Key, beyond = []byte("\xff"), `""`
		s.Offset = 1 - s.Offset
	}
	rows, err := p.tx.Snapshot().Range(kv.AllKeys(), kv.RangeOptions{Limit: limit, Reverse: reverse}).Slice()
	if err != nil {
		return err
	}
	want := beyond
	if len(rows) == limit {
		want = fmt.Sprintf("%q", rows[limit-1].Key)
	}
	if err := w.expect(p, s, want); err != nil {
		return err
	}
	// The same key, towards the other side.
	s.Offset, want = -rng.IntN(3), `""`
	if reverse {
		s.Offset, want = 1-s.Offset, `"\xff"`
	}
	return w.expect(p, s, want)
}

// expect resolves a selector, which must give want.
func (w *selectorCorrectness) expect(p *pending, s kv.KeySelector, want string) error {
	key, err := p.tx.Snapshot().GetKey(s).Wait()
	if err != nil {
		return err
	}
	return p.compare("K2", "key "+selectorText(s), fmt.Sprintf("%q", key), want)
}

// Check implements Workload.
func (w *selectorCorrectness) Check(ctx context.Context, env *Env) error {
	return w.ledger.check(ctx, env, nil)
}
