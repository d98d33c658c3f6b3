package workload

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// unreadable is FoundationDB's Unreadable: transactions write versionstamps
// into keys and values, set and clear keys among them, and read around all that
// before they commit, mostly at the edges of what cannot be read.
//
//	U1  A get, a range or a selector that comes to a key that a versionstamped
//	    operation of its transaction may have written fails with
//	    accessed_unreadable, in a snapshot too. A range that reaches its limit
//	    before, in its direction, does not.
//	U2  Nothing else is unreadable. To set or clear such a key makes it readable
//	    again, an atomic operation on it does not.
//	U3  What can be read is what is stored, with the own writes.
//	U4  With bypass_unreadable a versionstamped operation is a set with the
//	    bytes that were given in place of the stamp; without it again, U1 holds
//	    again.
//	U5  Reads that do not see own writes, and those of another transaction before
//	    the commit, find what is stored.
//	U6  A watch on a key that cannot be read fails with accessed_unreadable, and
//	    its transaction is committed.
//
// A read that failed harms nothing: the transaction goes on and is committed.
// After that everything can be read: the invariants of a ledger hold too.
type unreadable struct {
	ledger *ledger
	calls  int // at most, in a transaction
}

// maxUnreadableRows bounds the rows of a client, whose keys are seldom written
// again.
const maxUnreadableRows = 40

func newUnreadable(rng *rand.Rand) *unreadable {
	return &unreadable{ledger: newLedger(withoutRows), calls: 3 + rng.IntN(1<<rng.IntN(5))}
}

// Name implements Workload.
func (*unreadable) Name() string { return "Unreadable" }

// Setup implements Workload.
func (w *unreadable) Setup(ctx context.Context, env *Env) error { return w.ledger.setup(ctx, env) }

// Run implements Workload.
func (w *unreadable) Run(ctx context.Context, env *Env) error {
	return env.Clients(ctx, func(ctx context.Context, c *Client) error {
		var watch *kv.Watch
		mayWatch := c.Rand().IntN(4) == 0 && env.shared.watching.TryRLock()
		if mayWatch {
			defer env.shared.watching.RUnlock()
		}
		outcome, err := w.ledger.transact(ctx, env, c, func(p *pending) (err error) {
			if c.Rand().IntN(8) == 0 {
				if err := w.unasked(p); err != nil {
					return err
				}
			}
			watch, err = w.transaction(p, mayWatch)
			return err
		})
		if watch == nil {
			return err
		}
		defer watch.Cancel()
		if err != nil || outcome != Committed {
			return err
		}
		return checkWatch(c, watch)
	})
}

// transaction writes and reads. It returns a watch on a key that cannot be
// read, or nil.
func (w *unreadable) transaction(p *pending, mayWatch bool) (watch *kv.Watch, err error) {
	if err := p.askVersion(); err != nil {
		return nil, err
	}
	rng, s := p.keys.rng, newStampScene(p)
	if rng.IntN(8) == 0 {
		s.seeNothing()
	}
	if len(p.rows.Values) > maxUnreadableRows {
		s.clearAll()
	}
	var later []func() error
	for range 1 + rng.IntN(w.calls) {
		switch n := rng.IntN(24); {
		case n < 10:
			s.write(s.mutation())
		case n == 10:
			s.bypass(!s.bypassed)
		case n == 11:
			s.snapshotsSeeOwn(!s.snapshotsOwn)
		case n == 12:
			if err := s.another(); err != nil {
				return watch, err
			}
		case n == 13 && mayWatch && watch == nil:
			watch = s.watch()
		default:
			finish := s.read()
			if rng.IntN(2) == 0 {
				later = append(later, finish)
			} else if err := finish(); err != nil {
				return watch, err
			}
		}
	}
	return watch, finishAll(later)
}

// unasked writes a versionstamped key in a transaction that does not know its
// read version: then the key may get any stamp. The transaction is not
// committed.
func (w *unreadable) unasked(p *pending) error {
	return p.client.beside(func(tx *kv.Transaction) error {
		aside := *p
		aside.tx, aside.rows, aside.list = tx, p.rows.Clone(), nil
		s := newStampScene(&aside)
		m := wire.Mutation{Type: wire.SetVersionstampedKey, Param2: []byte("v")}
		m.Param1 = aside.keys.stampedParam(aside.keys.key(), len(aside.keys.prefix))
		s.write(m)
		// The first read of all comes before the read version.
		if err := s.begin(getRead(aside.rows.Unreadable[0].Begin), tx)(); err != nil {
			return err
		}
		for range 1 + p.keys.rng.IntN(4) {
			if err := s.read()(); err != nil {
				return err
			}
		}
		return nil
	})
}

// checkWatch checks a watch whose transaction was committed (U6).
func checkWatch(c *Client, watch *kv.Watch) error {
	err := watch.Wait(c.inc.Context())
	if errors.Is(err, kv.ErrAccessedUnreadable) || errors.Is(err, kv.ErrTooManyWatches) {
		return nil
	}
	if c.inc.Dead() {
		return nil
	}
	return c.Violated("U6", "client %d: a watch on a key that could not be read ended with %v", c.ID(), err)
}

// Check implements Workload.
func (w *unreadable) Check(ctx context.Context, env *Env) error {
	return w.ledger.check(ctx, env, nil)
}
