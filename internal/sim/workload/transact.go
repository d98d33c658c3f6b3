package workload

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/plinthdb/plinth/kv"
)

// throng is part of a workload that wants so many times the clients that it would
// have, each of them so many times less busy: they contend for its keys, above
// all if they begin in step.
type throng int

func drawThrong(rng *rand.Rand) throng { return 1 << rng.IntN(4) }

func (n throng) size() int { return int(n) }

// ThrongOf returns how many times the clients a workload wants.
func ThrongOf(w Workload) int {
	if c, ok := w.(interface{ size() int }); ok {
		return c.size()
	}
	return 1
}

// Do runs f in one transaction: by Transact for the share of transactions that
// the seed draws, otherwise by Try. f must bear to run several times.
func (c *Client) Do(ctx context.Context, f func(tx *kv.Transaction) error) (Outcome, error) {
	if c.rng.Float64() >= c.env.habits.TransactProbability {
		return c.Try(ctx, f)
	}
	return c.Transact(ctx, f)
}

// Transact runs f by kv.Transact, with its retries, its queues for hot keys and
// its promise that what is acknowledged was applied exactly once: every run of
// f but the last is known not to have been committed. Otherwise it is like Try.
func (c *Client) Transact(ctx context.Context, f func(tx *kv.Transaction) error) (Outcome, error) {
	return c.settled(ctx, "transact", "E8", f, transact, (*attempt).limits)
}

// runner runs f in a transaction of db until it is known what became of it.
type runner func(ctx context.Context, db *kv.Database, f func(tx *kv.Transaction) error, options []kv.TransactionOption) error

// transact is the runner that kv has.
func transact(ctx context.Context, db *kv.Database, f func(tx *kv.Transaction) error, options []kv.TransactionOption) error {
	_, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (struct{}, error) { return struct{}{}, f(tx) }, options...)
	return err
}

// settled runs f by run, with the options that are drawn once a process lives.
// how is for the trace, and invariant says that the outcome is known.
func (c *Client) settled(ctx context.Context, how, invariant string, f func(tx *kv.Transaction) error,
	run runner, options func(*attempt) []kv.TransactionOption) (Outcome, error) {
	a, err := c.attempt(ctx)
	if err != nil {
		return Aborted, err
	}
	txCtx, cancel := context.WithTimeout(a.inc.Context(), tryLimit)
	defer cancel()
	var tx *kv.Transaction
	err = run(txCtx, a.inc.DB(), func(t *kv.Transaction) error {
		tx = t
		return a.again(t, f)
	}, append(a.start(), options(a)...))
	if err == nil {
		err = a.note(tx)
	}
	outcome := a.conclude(how, true, err)
	return outcome, a.judgeOnce(txCtx, outcome, invariant, err)
}

// start returns how the transaction is to start, by how many its client has run:
// at another priority than the default one, or with tags. That matters while the
// store is loaded or a fault site has it look so. The next transaction of the
// client starts otherwise, so what holds one back does not stop the client.
func (a *attempt) start() []kv.TransactionOption {
	switch a.client.tries % 8 {
	case 3:
		return []kv.TransactionOption{kv.WithPriority(kv.PriorityBatch)}
	case 5:
		return []kv.TransactionOption{kv.WithPriority(kv.PriorityImmediate)}
	case 7:
		return []kv.TransactionOption{kv.WithPriority(kv.PriorityBatch), kv.WithTag("sim")}
	}
	return nil
}

// limits draws limits for one transaction, none for most.
func (a *attempt) limits() []kv.TransactionOption {
	rng := a.client.rng
	switch rng.IntN(32) {
	case 0:
		return []kv.TransactionOption{kv.WithTimeout(time.Duration(1 + rng.Int64N(int64(time.Second))))}
	case 1, 2:
		a.limited = true
		return []kv.TransactionOption{kv.WithRetryLimit(rng.IntN(3))}
	case 3:
		return []kv.TransactionOption{kv.WithMaxRetryDelay(time.Duration(rng.Int64N(int64(100 * time.Millisecond))))}
	}
	return nil
}

// again runs a transaction once more: it must see what was acknowledged before
// this run began.
func (a *attempt) again(tx *kv.Transaction, f func(tx *kv.Transaction) error) error {
	c := a.client
	if a.runs++; a.runs > 1 {
		c.began, a.floor = time.Now(), c.env.shared.acknowledged()
		c.env.countRetry()
	}
	return a.prepare(tx, f)
}

// prepare does what a transaction does before its commit.
func (a *attempt) prepare(tx *kv.Transaction, f func(tx *kv.Transaction) error) error {
	c := a.client
	if err := a.look(tx); err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return err
	}
	if c.rng.Float64() < c.env.habits.PadProbability {
		if err := a.pad(tx); err != nil {
			return err
		}
	}
	if dawdle := c.env.habits.Dawdle; dawdle > 0 && c.rng.IntN(10) == 0 {
		c.sleep(a.inc.Context(), time.Duration(c.rng.ExpFloat64()*float64(dawdle)))
	}
	return nil
}

// judgeOnce returns a violation if a transaction whose unknown outcomes are
// found out has one without a cause, which breaks invariant, or ended with an
// error that no transaction may have.
func (a *attempt) judgeOnce(ctx context.Context, outcome Outcome, invariant string, err error) error {
	c := a.client
	switch {
	case a.inc.Dead() || a.violation != nil:
	case errors.Is(err, kv.ErrTransactionTimedOut), errors.Is(err, kv.ErrCommitResultExpired):
		return nil
	case outcome == Unknown && ctx.Err() == nil && !explained(err, a.limited || c.env.defaults.RetryLimit > 0):
		return c.env.Violated(invariant, "client %d: the outcome stays unknown: %v", c.id, err)
	}
	return a.verdict(outcome, err)
}

// explained reports whether an unknown outcome has a cause after which nobody
// can find out; if retries are limited, that may be any that can pass.
func explained(err error, limited bool) bool {
	var unknown *kv.Error
	if !errors.As(err, &unknown) {
		return false
	}
	cause := unknown.Unwrap()
	return cause != nil && (limited || !kv.Retryable(cause))
}
