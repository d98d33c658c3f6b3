package workload

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/kv"
)

// writeDuringRead is FoundationDB's WriteDuringRead: several goroutines use one
// transaction at the same time. Reads are outstanding while writes go on, while
// the transaction is reset, and while it commits.
//
//	D1  A read sees what was written before it was issued and nothing of what
//	    was written afterwards, however late its outcome is asked for.
//	D2  A read that is outstanding at a reset or at the end of the transaction
//	    gives that too, or an error that says so. No other read gives that error.
//
// It holds the invariants of a ledger too: what is committed is what was
// written since the last reset.
type writeDuringRead struct {
	ledger  *ledger
	workers int
	calls   int // of each worker, at most
	// pause is the average time between two calls.
	pause time.Duration
}

func newWriteDuringRead(rng *rand.Rand) *writeDuringRead {
	return &writeDuringRead{
		ledger: newLedger(withoutRows), workers: 1 + rng.IntN(4), calls: 1 + rng.IntN(1<<rng.IntN(5)),
		pause: time.Duration(rng.IntN(300)) * time.Microsecond,
	}
}

// Name implements Workload.
func (*writeDuringRead) Name() string { return "WriteDuringRead" }

// Setup implements Workload.
func (w *writeDuringRead) Setup(ctx context.Context, env *Env) error { return w.ledger.setup(ctx, env) }

// Run implements Workload.
func (w *writeDuringRead) Run(ctx context.Context, env *Env) error {
	return env.Clients(ctx, func(ctx context.Context, c *Client) error {
		var crowd crowd
		_, err := w.ledger.transact(ctx, env, c, func(p *pending) error {
			defer crowd.ends.Add(1)
			if p.keys.rng.IntN(4) == 0 {
				if err := w.use(p, &crowd, false); err != nil {
					return err
				}
				crowd.ends.Add(1)
				p.reset()
			}
			return w.use(p, &crowd, true)
		})
		// The transaction has ended; so do the reads that outlived it.
		crowd.late.Wait()
		return errors.Join(err, crowd.violation())
	})
}

// crowd are the goroutines that use one transaction.
type crowd struct {
	// issue is held while a call is issued and the model brought up to date:
	// the order of calls is that of its holders.
	issue sync.Mutex
	late  sync.WaitGroup
	// ends counts resets, and the end of the transaction, as soon as they begin.
	ends atomic.Int32

	mu struct {
		sync.Mutex
		violated error
	}
}

func (c *crowd) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.violated = errors.Join(c.mu.violated, err)
}

func (c *crowd) violation() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.violated
}

// use lets workers use the transaction, and returns when all calls are issued
// that they make; some reads may still be outstanding.
func (w *writeDuringRead) use(p *pending, crowd *crowd, stamped bool) error {
	stamped = stamped && p.keys.rng.IntN(2) == 0
	if stamped {
		if err := p.askVersion(); err != nil {
			return err
		}
	}
	if len(p.rows.Values) > maxStampedRows {
		p.clearAll()
	}
	errs := make([]error, w.workers)
	var workers sync.WaitGroup
	for i := range w.workers {
		keys := w.forkKeys(p, p.keys)
		workers.Go(func() { errs[i] = w.work(p, crowd, keys, stamped) })
	}
	workers.Wait()
	return errors.Join(errs...)
}

// forkKeys returns keys with a stream of chance of their own, for another
// goroutine.
func (w *writeDuringRead) forkKeys(p *pending, keys apiKeys) apiKeys {
	rng := rand.New(rand.NewPCG(keys.rng.Uint64(), keys.rng.Uint64()))
	return apiKeys{rng: rng, prefix: keys.prefix, between: func() { w.rest(p, rng) }}
}

// rest lets time pass, now and then.
func (w *writeDuringRead) rest(p *pending, rng *rand.Rand) {
	if w.pause > 0 && rng.IntN(3) == 0 {
		p.client.sleep(p.client.inc.Context(), time.Duration(rng.ExpFloat64()*float64(w.pause)))
	}
}

// work is one worker: it issues calls, waits for some of the reads, and leaves
// the others to goroutines that may outlive the attempt.
func (w *writeDuringRead) work(p *pending, crowd *crowd, keys apiKeys, stamped bool) error {
	for range 1 + keys.rng.IntN(w.calls) {
		finish := w.call(p, crowd, keys, stamped)
		switch {
		case finish == nil:
		case keys.rng.IntN(3) > 0:
			if err := finish(); err != nil {
				return err
			}
		default:
			ends := crowd.ends.Load() // the same as when the read was issued
			crowd.late.Go(func() { crowd.fail(w.finishLate(p, crowd, ends, finish)) })
		}
		keys.between()
	}
	return nil
}

// call issues a random call, and returns what finishes it if it is a read.
func (w *writeDuringRead) call(p *pending, crowd *crowd, keys apiKeys, stamped bool) (finish func() error) {
	crowd.issue.Lock()
	defer crowd.issue.Unlock()
	if keys.rng.IntN(2) == 0 {
		p.write(keys.mutation(stamped))
		return nil
	}
	reader := kv.Reader(p.tx)
	if keys.rng.IntN(2) == 0 {
		reader = p.tx.Snapshot()
	}
	return p.begin("D1", w.forkKeys(p, keys).read(p.rows), reader, p.rows)
}

// finishLate finishes a read that may be outstanding at a reset or the commit.
// So many of those had begun when it was issued.
func (w *writeDuringRead) finishLate(p *pending, crowd *crowd, ends int32, finish func() error) error {
	err := finish()
	var violation *report.Violation
	switch {
	case errors.As(err, &violation):
		return err
	case errors.Is(err, kv.ErrUsedDuringCommit), errors.Is(err, kv.ErrTransactionCancelled):
		if crowd.ends.Load() == ends && !errors.Is(err, context.DeadlineExceeded) && !p.client.inc.Dead() {
			return p.env.Violated("D2", "client %d: a read of transaction %d, which goes on, failed: %v", p.client.ID(), p.number, err)
		}
		return nil
	}
	late := attempt{client: p.client, inc: p.client.inc}
	return late.verdict(Aborted, err)
}

// Check implements Workload.
func (w *writeDuringRead) Check(ctx context.Context, env *Env) error {
	return w.ledger.check(ctx, env, nil)
}
