package workload

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/plinthdb/plinth/kv"
)

// automaticIdempotency is FoundationDB's AutomaticIdempotency: clients run
// operations exactly once, by Transact or in loops of their own, while answers
// of commits are lost, requests arrive after their client has given up, and
// processes die. An operation adds a row under its versionstamp to a log, and
// one to a counter, by reading it or blindly; half of the operations read. What
// would apply one a second time is never in the operation itself.
//
//	Y1  An operation that was reported as done before the log was read is in it
//	    exactly once, written by the run whose result was returned.
//	Y2  No operation is in the log twice; none is in it that was reported as not
//	    done, nor by a run that no client made.
//	Y3  The stamp in the log is the one that the operation was told, and its
//	    version the commit's.
//	Y4  The counters add up to the rows of the log, at every version.
//	Y5  An outcome stays unknown only if the process has died, the operation had
//	    a time-out, something other than a retryable error kept the client from
//	    finding out, or the id has expired.
type automaticIdempotency struct {
	counters int

	mu struct {
		sync.Mutex
		operations []*idempotentOperation
	}
}

// idempotentOperation is what is known of an operation. Its number is its place
// in the list, from 0. It is guarded by the workload's mutex.
type idempotentOperation struct {
	runs    uint32
	outcome Outcome // Unknown until it is over
	result  uint32  // the run whose result was returned
	stamp   kv.Stamp
}

func newAutomaticIdempotency(rng *rand.Rand) *automaticIdempotency {
	return &automaticIdempotency{counters: 1 + rng.IntN(1<<rng.IntN(5))}
}

// Name implements Workload.
func (*automaticIdempotency) Name() string { return "AutomaticIdempotency" }

// Setup implements Workload. There are no rows at first.
func (*automaticIdempotency) Setup(context.Context, *Env) error { return nil }

// Run implements Workload.
func (y *automaticIdempotency) Run(ctx context.Context, env *Env) error {
	return env.Clients(ctx, y.operate)
}

// operate runs one operation.
func (y *automaticIdempotency) operate(ctx context.Context, c *Client) error {
	o := &idempotentOperation{outcome: Unknown}
	y.mu.Lock()
	number := len(y.mu.operations)
	y.mu.operations = append(y.mu.operations, o)
	y.mu.Unlock()
	counter, reads := c.env.Key("counter/%02d", c.rng.IntN(y.counters)), c.rng.IntN(2) == 0
	var result uint32
	var stamp kv.Future[kv.Stamp]
	outcome, err := c.once(ctx, func(tx *kv.Transaction) error {
		y.mu.Lock()
		o.runs++
		result = o.runs
		y.mu.Unlock()
		stamp = tx.Versionstamp()
		entry := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(nil, uint64(number)), result)
		tx.SetVersionstampedKey(stampedKey(c.env.Key("log/")), entry)
		if !reads {
			tx.Add(counter, encodeNumber(1))
			return nil
		}
		value, err := tx.Get(counter).Wait()
		if err != nil {
			return err
		}
		tx.Set(counter, encodeNumber(decodeCounter(value)+1))
		return nil
	})
	y.mu.Lock()
	defer y.mu.Unlock()
	o.outcome, o.result = outcome, result
	if outcome != Committed || err != nil {
		return err
	}
	if o.stamp, err = stamp.Wait(); err == nil && binary.BigEndian.Uint64(o.stamp[:8]) != uint64(c.last) {
		return c.Violated("Y3", "operation %d was told stamp %x and version %d", number, o.stamp, c.last)
	}
	return err
}

// decodeCounter returns the number in a counter; an absent one is 0.
func decodeCounter(value []byte) uint64 {
	if len(value) != 8 {
		return 0
	}
	return binary.LittleEndian.Uint64(value)
}

// once runs f in a transaction until it is known what became of it, in one of
// the ways that there are.
func (c *Client) once(ctx context.Context, f func(tx *kv.Transaction) error) (Outcome, error) {
	run := transact
	if c.rng.IntN(2) == 0 {
		run = loop
	}
	return c.settled(ctx, "once", "Y5", f, run, (*attempt).onceOptions)
}

// onceOptions draws the options of an operation.
func (a *attempt) onceOptions() (options []kv.TransactionOption) {
	c := a.client
	if c.rng.IntN(4) == 0 {
		id := make([]byte, 16+c.rng.IntN(240))
		for i := range id {
			id[i] = byte(c.rng.Uint32())
		}
		options = append(options, kv.WithIdempotencyID(id))
	}
	if c.rng.IntN(8) == 0 {
		options = append(options, kv.WithTimeout(time.Duration(1+c.rng.Int64N(int64(time.Second)))))
	}
	return options
}

// loop is the runner of a loop of retries by hand.
func loop(ctx context.Context, db *kv.Database, run func(tx *kv.Transaction) error, options []kv.TransactionOption) error {
	tx := db.Begin(ctx, append(options, kv.WithExactlyOnce(true))...)
	defer tx.Cancel()
	for {
		err := run(tx)
		if err == nil {
			err = tx.Commit()
		}
		if err == nil {
			return nil
		}
		if err := tx.OnError(err); err != nil {
			return err
		}
	}
}

// known returns what is known of each operation now.
func (y *automaticIdempotency) known() []idempotentOperation {
	y.mu.Lock()
	defer y.mu.Unlock()
	known := make([]idempotentOperation, len(y.mu.operations))
	for i, o := range y.mu.operations {
		known[i] = *o
	}
	return known
}

// Check implements Workload.
func (y *automaticIdempotency) Check(ctx context.Context, env *Env) error {
	before := y.known()
	rows, version, err := env.ReadAll(ctx)
	if err != nil {
		return err
	}
	after := y.known()
	found := make([]bool, len(after))
	var entries, counted uint64
	for _, row := range rows {
		stamp, inLog := bytes.CutPrefix(row.Key, env.Key("log/"))
		if !inLog {
			counted += decodeCounter(row.Value)
			continue
		}
		entries++
		if len(row.Value) != 12 || len(stamp) != len(kv.Stamp{}) {
			return env.Violated("Y2", "at version %d row %q holds %x", version, row.Key, row.Value)
		}
		number, run := binary.BigEndian.Uint64(row.Value), binary.BigEndian.Uint32(row.Value[8:])
		if number >= uint64(len(after)) || run < 1 || run > after[number].runs {
			return env.Violated("Y2", "at version %d the log has run %d of operation %d, which nobody made", version, run, number)
		}
		if found[number] {
			return env.Violated("Y2", "at version %d operation %d is in the log twice", version, number)
		}
		found[number] = true
		if err := env.checkOperation(number, run, kv.Stamp(stamp), &after[number]); err != nil {
			return err
		}
	}
	for number, o := range before {
		if o.outcome == Committed && !found[number] {
			return env.Violated("Y1", "at version %d operation %d, done with stamp %x, is not in the log", version, number, o.stamp)
		}
	}
	if entries != counted {
		return env.Violated("Y4", "at version %d the log has %d rows, the counters add up to %d", version, entries, counted)
	}
	return nil
}

// checkOperation compares a row of the log with what its client was told.
func (e *Env) checkOperation(number uint64, run uint32, stamp kv.Stamp, o *idempotentOperation) error {
	switch o.outcome {
	case Aborted:
		return e.Violated("Y2", "operation %d is in the log, its client was told that it is not", number)
	case Committed:
		if run != o.result {
			return e.Violated("Y1", "operation %d returned the result of run %d, run %d is in the log", number, o.result, run)
		}
		if stamp != o.stamp {
			return e.Violated("Y3", "operation %d is in the log with stamp %x, its client was told %x", number, stamp, o.stamp)
		}
	}
	return nil
}
