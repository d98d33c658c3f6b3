package workload

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/plinthdb/plinth/kv"
)

// fuzzAPI is FoundationDB's FuzzApiCorrectness: calls with random arguments,
// of which many are not valid.
//
//	F1  Each invalid call, and each call on a transaction that has ended, gives
//	    exactly the documented error.
//	F2  After an invalid write all reads of the transaction and its commit give
//	    the error of the first one, and nothing of it is ever found.
//	F3  An invalid read fails alone: what else the transaction does is not
//	    affected.
//	F4  A reset makes a transaction usable again, unless it was cancelled, and
//	    what was outstanding fails.
//	F5  Arguments just within the limits are accepted.
//
// It holds the invariants of a ledger too.
type fuzzAPI struct {
	ledger *ledger
	calls  int // of a kind in a transaction, at most
}

func newFuzzAPI(rng *rand.Rand) *fuzzAPI {
	return &fuzzAPI{ledger: newLedger(withoutRows), calls: 1 + rng.IntN(6)}
}

// Name implements Workload.
func (*fuzzAPI) Name() string { return "FuzzApiCorrectness" }

// Setup implements Workload.
func (w *fuzzAPI) Setup(ctx context.Context, env *Env) error { return w.ledger.setup(ctx, env) }

// Run implements Workload.
func (w *fuzzAPI) Run(ctx context.Context, env *Env) error {
	return env.Clients(ctx, func(ctx context.Context, c *Client) error {
		_, err := w.ledger.transact(ctx, env, c, w.transaction)
		return err
	})
}

// transaction misuses the API in some way and then commits something valid.
func (w *fuzzAPI) transaction(p *pending) error {
	var err error
	switch p.keys.rng.IntN(4) {
	case 0, 1:
		err = w.poison(p)
	case 2:
		err = w.misread(p)
	case 3:
		err = w.misuseAnother(p)
	}
	if err != nil {
		return err
	}
	return w.calm(p)
}

// calm does what is valid, up to the limits.
func (w *fuzzAPI) calm(p *pending) error {
	for range p.keys.rng.IntN(w.calls) {
		p.write(p.keys.plainMutation())
	}
	if p.keys.rng.IntN(100) == 0 {
		for _, m := range p.keys.extremes() {
			p.write(m)
		}
	}
	return p.begin("F5", p.keys.read(p.rows), p.reader(), p.rows)()
}

// poison makes an invalid write among valid ones, sees that it spoils the
// transaction, and resets it.
func (w *fuzzAPI) poison(p *pending) error {
	if p.keys.rng.IntN(2) == 0 { // else SetReadVersion may come in time
		if err := p.askVersion(); err != nil {
			return err
		}
	}
	w.scribble(p)
	before := w.outstanding(p)
	first := p.keys.invalidWrite(p.version > 0)
	first.do(p.tx)
	w.scribble(p)
	if p.keys.rng.IntN(3) == 0 {
		p.keys.invalidWrite(p.version > 0).do(p.tx) // only the first counts
	}
	for _, call := range append(before, w.outstanding(p)...) {
		if err := p.exactly("F2", call.name+" after "+first.name, call.wait(), first.want); err != nil {
			return err
		}
	}
	_, versionErr := p.tx.ReadVersion()
	if err := p.exactly("F2", "ReadVersion after "+first.name, versionErr, first.want); err != nil {
		return err
	}
	if err := p.exactly("F2", "Commit after "+first.name, p.tx.Commit(), first.want); err != nil {
		return err
	}
	_, versionErr = p.tx.CommittedVersion()
	if err := p.exactly("F1", "CommittedVersion without commit", versionErr, kv.ErrNoCommitVersion); err != nil {
		return err
	}
	return w.reset(p)
}

// scribble makes valid writes that must never be found.
func (w *fuzzAPI) scribble(p *pending) {
	for range p.keys.rng.IntN(w.calls) {
		issueMutation(p.tx, p.keys.plainMutation())
	}
}

// call is one under way of which only the error counts.
type call struct {
	name string
	wait func() error
}

// outstanding issues one read of each kind. None is of own writes alone, or
// empty: its outcome would be there at once.
func (w *fuzzAPI) outstanding(p *pending) []call {
	r, s := p.reader(), p.keys.all().KeyRange()
	begin, end := p.keys.selector(reach), p.keys.selector(reach)
	begin.Offset = 2
	get := r.Get(markerKey(p.env, p.client.ID()))
	key := r.GetKey(p.keys.selector(reach))
	rows := r.Range(s, p.keys.limits())
	selected := r.RangeSelectors(begin, end, p.keys.limits())
	return []call{
		{"Get", func() error { _, err := get.Wait(); return err }},
		{"GetKey", func() error { _, err := key.Wait(); return err }},
		{"Range.Slice", func() error { _, err := rows.Slice(); return err }},
		{"Range.All", func() error { _, err := p.keys.take(rows, -1); return err }},
		{"RangeSelectors", func() error { _, err := selected.Slice(); return err }},
	}
}

// reset resets the transaction, then once more with reads outstanding, which
// must fail.
func (w *fuzzAPI) reset(p *pending) error {
	p.reset()
	w.scribble(p)
	before := w.outstanding(p)
	p.reset()
	for _, call := range before {
		if err := p.exactly("F4", call.name+" over a reset", call.wait(), kv.ErrTransactionCancelled); err != nil {
			return err
		}
	}
	return nil
}

// misread makes invalid reads among valid calls.
func (w *fuzzAPI) misread(p *pending) error {
	rng := p.keys.rng
	for range 1 + rng.IntN(w.calls) {
		p.write(p.keys.plainMutation())
		bad := p.keys.invalidRead()
		if err := p.exactly("F1", bad.name, bad.do(p.reader()), bad.want); err != nil {
			return err
		}
		if err := p.begin("F3", p.keys.read(p.rows), p.reader(), p.rows)(); err != nil {
			return err
		}
	}
	return nil
}

// exactly checks the error of a call that needs no store to refuse.
func (p *pending) exactly(invariant, call string, got, want error) error {
	if errors.Is(got, want) {
		return nil
	}
	return p.client.Violated(invariant, "client %d: %s in transaction %d gave error %v, want %v", p.client.ID(), call, p.number, got, want)
}

// scratchKey is a key that transactions set that no ledger knows of: it is
// absent or holds goodScratch.
func scratchKey(env *Env, client int) []byte { return env.Key("scratch/%02d", client) }

const goodScratch = "written once"

// isScratch accepts the rows that misused transactions wrote while they might.
func isScratch(env *Env) func(row kv.KeyValue) bool {
	return func(row kv.KeyValue) bool {
		r := kv.PrefixRange(env.Key("scratch/"))
		return r.Contains(row.Key) && string(row.Value) == goodScratch
	}
}

// Check implements Workload.
func (w *fuzzAPI) Check(ctx context.Context, env *Env) error {
	return w.ledger.check(ctx, env, isScratch(env))
}
