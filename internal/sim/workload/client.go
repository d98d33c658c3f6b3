package workload

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/kv"
)

// Outcome is what is known of a transaction when it is over.
type Outcome uint8

// The outcomes, see the package comment.
const (
	Committed Outcome = iota
	Aborted
	Unknown
)

// String names the outcome.
func (o Outcome) String() string { return [...]string{"committed", "aborted", "unknown"}[o] }

// Client is one client of a workload. It does one thing at a time.
type Client struct {
	env     *Env
	id      int
	rng     *rand.Rand
	commits atomic.Uint64
	tries   uint64
	last    kv.Version // of the last commit
	failure error      // of the last transaction, nil if it was Committed
	inc     *world.Incarnation
	began   time.Time // of the last transaction
}

// ID numbers the clients of a workload from 0.
func (c *Client) ID() int { return c.id }

// Rand is the client's own stream of chance.
func (c *Client) Rand() *rand.Rand { return c.rng }

func (c *Client) run(ctx context.Context, step func(context.Context, *Client) error) error {
	for ctx.Err() == nil {
		if err := step(ctx, c); err != nil {
			return err
		}
		c.sleep(ctx, c.pause())
	}
	return nil
}

// pause draws how long to wait before the next transaction.
func (c *Client) pause() time.Duration {
	d := time.Duration(c.rng.ExpFloat64() * float64(c.env.pause))
	if step := c.env.pause / 2; c.env.habits.InStep && step > 0 {
		now := time.Now().Add(d)
		d += now.Truncate(step).Add(step).Sub(now)
	}
	return d
}

func (c *Client) sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Try runs f in one transaction, without retries, and commits it. It waits for
// a living process first. The error is nil whatever the outcome, except when
// ctx has ended before the transaction began or an invariant is violated.
func (c *Client) Try(ctx context.Context, f func(tx *kv.Transaction) error) (Outcome, error) {
	attempt, err := c.attempt(ctx)
	if err != nil {
		return Aborted, err
	}
	inc := attempt.inc
	// The clients are part of the process: they die with it. They do not die
	// with the workload, so that what is under way gets its outcome.
	txCtx, cancel := context.WithTimeout(inc.Context(), tryLimit)
	defer cancel()
	tx := inc.DB().Begin(txCtx, attempt.start()...)
	defer tx.Cancel()
	committing, err := attempt.run(tx, f)
	outcome := attempt.conclude("try", committing, err)
	return outcome, attempt.verdict(outcome, err)
}

// attempt begins a transaction of the client, as soon as a process lives.
func (c *Client) attempt(ctx context.Context) (*attempt, error) {
	inc, err := c.env.process.Wait(ctx)
	if err != nil {
		return nil, err
	}
	c.tries++
	c.inc, c.began = inc, time.Now()
	return &attempt{client: c, inc: inc, floor: c.env.shared.acknowledged()}, nil
}

// conclude traces, counts and returns what became of a transaction that ended
// with err; how says in which way it was run.
func (a *attempt) conclude(how string, committing bool, err error) Outcome {
	c := a.client
	outcome := a.classify(committing, err)
	c.env.Trace("c%d %s %d %v v%d: %v", c.id, how, c.tries, outcome, a.committed, err)
	c.env.count(outcome, a.committed, err)
	c.failure = err
	if outcome == Committed {
		c.commits.Add(1)
		c.last = a.committed
		c.env.shared.acknowledge(a.committed)
	}
	return outcome
}

// tryLimit is how long a transaction may take in all.
const tryLimit = 20 * time.Second

type attempt struct {
	client          *Client
	inc             *world.Incarnation
	floor           kv.Version
	read, committed kv.Version
	violation       error
	runs            int  // so far, if Transact runs it
	limited         bool // its retries are
}

// run does the transaction and reports whether it got as far as Commit.
func (a *attempt) run(tx *kv.Transaction, f func(tx *kv.Transaction) error) (committing bool, err error) {
	if err := a.prepare(tx, f); err != nil {
		return false, err
	}
	if err := tx.Commit(); err != nil {
		return true, err
	}
	return true, a.note(tx)
}

// look looks at the read version of half of the transactions (E1); the others
// leave the choice of it to the client library.
func (a *attempt) look(tx *kv.Transaction) (err error) {
	a.read = 0
	if a.client.rng.IntN(2) > 0 {
		return nil
	}
	if a.read, err = tx.ReadVersion(); err != nil {
		return err
	}
	if a.read < a.floor && !a.inc.Dead() {
		a.violation = a.client.env.Violated("E1", "read version %d is below %d, which was acknowledged before", a.read, a.floor)
	}
	return nil
}

// note notes the version of a commit (E2), 0 if it wrote nothing.
func (a *attempt) note(tx *kv.Transaction) (err error) {
	a.committed, err = tx.CommittedVersion()
	if errors.Is(err, kv.ErrNoCommitVersion) {
		return nil
	}
	if err == nil && a.committed <= a.read && !a.inc.Dead() {
		a.violation = a.client.env.Violated("E2", "commit version %d is not above read version %d", a.committed, a.read)
	}
	return err
}

func (a *attempt) classify(committing bool, err error) Outcome {
	switch {
	case !committing:
		return Aborted
	case a.inc.Dead():
		return Unknown
	case err == nil:
		return Committed
	case kv.MaybeCommitted(err):
		return Unknown
	}
	return Aborted
}

// verdict returns a violation if err is not one that a living process may
// return (E3), and lets a process die whose disk failed.
func (a *attempt) verdict(outcome Outcome, err error) error {
	switch {
	case a.violation != nil:
		return a.violation
	case err == nil, a.inc.Dead(), kv.Retryable(err), errors.Is(err, context.DeadlineExceeded):
		return nil
	case a.client.env.defaults.Timeout > 0 && errors.Is(err, kv.ErrTransactionTimedOut),
		a.client.env.defaults.SizeLimitBytes > 0 && errors.Is(err, kv.ErrTransactionTooLarge):
		return nil
	case world.IsDamage(err) && a.client.env.process.Flipped():
		if !world.NamesFile(err) {
			return a.client.env.Violated("E6", "the error does not name what is damaged: %v", err)
		}
		a.inc.Abandon(err)
		return nil
	case errors.Is(err, kv.ErrIO), errors.Is(err, kv.ErrDiskFull), errors.Is(err, kv.ErrDatabaseClosed):
		if a.client.env.shared.DiskMayFail(a.inc.Number()) {
			a.inc.Abandon(err)
			return nil
		}
	}
	return a.client.env.Violated("E3", "client %d: a living process returned %v (%v)", a.client.id, err, outcome)
}

// LastCommit is the version of the last transaction that was Committed.
func (c *Client) LastCommit() kv.Version { return c.last }

// Violated records that an invariant does not hold in what the transaction
// read, unless the process has died meanwhile (W1 of the world).
func (c *Client) Violated(invariant, format string, args ...any) error {
	if c.inc.Dead() {
		return c.inc.Death()
	}
	return c.env.Violated(invariant, format, args...)
}
