package workload

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"sync"

	"github.com/plinthdb/plinth/kv"
)

// increment is FoundationDB's Increment: a transaction adds one to a random
// key of the first half and one to a random key of the second half, by atomic
// operations, without reading anything.
//
//	I1  The sums of the two halves are equal at every version.
//	I2  The sum is at least the number of transactions acknowledged before the
//	    read, and at most that of those not known to be aborted after it.
type increment struct {
	keys int // of one half

	mu struct {
		sync.Mutex
		started, aborted, acknowledged uint64
	}
}

func newIncrement(rng *rand.Rand) *increment { return &increment{keys: 1 + rng.IntN(1<<rng.IntN(7))} }

// Name implements Workload.
func (*increment) Name() string { return "Increment" }

// Setup implements Workload. An absent key counts as zero.
func (*increment) Setup(context.Context, *Env) error { return nil }

// Run implements Workload.
func (n *increment) Run(ctx context.Context, env *Env) error {
	one := binary.LittleEndian.AppendUint64(nil, 1)
	return env.Clients(ctx, func(ctx context.Context, c *Client) error {
		a, b := c.Rand().IntN(n.keys), c.Rand().IntN(n.keys)
		n.count(func() { n.mu.started++ })
		outcome, err := c.Try(ctx, func(tx *kv.Transaction) error {
			tx.Add(env.Key("a%04d", a), one)
			tx.Add(env.Key("b%04d", b), one)
			return nil
		})
		n.count(func() {
			switch outcome {
			case Committed:
				n.mu.acknowledged++
			case Aborted:
				n.mu.aborted++
			}
		})
		return err
	})
}

func (n *increment) count(change func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change()
}

func (n *increment) bounds() (low, high uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.mu.acknowledged, n.mu.started - n.mu.aborted
}

// Check implements Workload.
func (n *increment) Check(ctx context.Context, env *Env) error {
	low, _ := n.bounds()
	rows, version, err := env.ReadAll(ctx)
	if err != nil {
		return err
	}
	_, high := n.bounds()
	var first, second uint64
	for _, row := range rows {
		if len(row.Value) != 8 {
			return env.Violated("I1", "key %q holds %d bytes, not 8", row.Key, len(row.Value))
		}
		count := binary.LittleEndian.Uint64(row.Value)
		if row.Key[len("Increment/")] == 'a' {
			first += count
		} else {
			second += count
		}
	}
	if first != second {
		return env.Violated("I1", "at version %d the first half sums up to %d, the second to %d", version, first, second)
	}
	if first < low || first > high {
		return env.Violated("I2", "at version %d the sum is %d; %d were acknowledged before, %d are not known to be aborted", version, first, low, high)
	}
	return nil
}
