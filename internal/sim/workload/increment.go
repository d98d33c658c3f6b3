package workload

import (
	"context"
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"sync"

	"github.com/plinthdb/plinth/kv"
)

// increment is FoundationDB's Increment: a transaction adds one to a random
// key of the first half and one to a random key of the second half, by atomic
// operations, without reading anything. Here a share of them, drawn for each
// seed, reads both keys and writes them instead, and a share is run by Transact:
// that is where few keys are hot and where something could be applied twice.
//
//	I1  The sums of the two halves are equal at every version.
//	I2  The sum is at least the number of transactions acknowledged before the
//	    read, and at most that of those not known to be aborted after it: each
//	    took effect exactly once, or at most once if its outcome stayed unknown.
//	I3  The same holds for each key.
type increment struct {
	throng
	keys  int     // of one half
	reads float64 // the part of the transactions that read

	mu struct {
		sync.Mutex
		tally
	}
}

// tally counts transactions, in all and by the names of the keys that they add
// to.
type tally struct {
	low, high           uint64
	lowByKey, highByKey map[string]uint64
}

func newIncrement(rng *rand.Rand) *increment {
	n := &increment{throng: drawThrong(rng), keys: 1 + rng.IntN(1<<rng.IntN(7)), reads: [...]float64{0, 0.5, 1}[rng.IntN(3)]}
	n.mu.tally = tally{lowByKey: make(map[string]uint64), highByKey: make(map[string]uint64)}
	return n
}

// Name implements Workload.
func (*increment) Name() string { return "Increment" }

// Setup implements Workload. An absent key counts as zero.
func (*increment) Setup(context.Context, *Env) error { return nil }

// Run implements Workload.
func (n *increment) Run(ctx context.Context, env *Env) error {
	return env.Clients(ctx, func(ctx context.Context, c *Client) error {
		keys := [2][]byte{env.Key("a%04d", c.Rand().IntN(n.keys)), env.Key("b%04d", c.Rand().IntN(n.keys))}
		reads := c.Rand().Float64() < n.reads
		n.begin(keys)
		outcome, err := c.Do(ctx, func(tx *kv.Transaction) error {
			if reads {
				return addByReading(c, tx, keys)
			}
			for _, key := range keys {
				tx.Add(key, encodeNumber(1))
			}
			return nil
		})
		n.end(keys, outcome)
		return err
	})
}

// addByReading adds one to keys without an atomic operation.
func addByReading(c *Client, tx *kv.Transaction, keys [2][]byte) error {
	for _, key := range keys {
		value, err := tx.Get(key).Wait()
		if err != nil {
			return err
		}
		if value != nil && len(value) != 8 {
			return c.Violated("I1", "key %q holds %d bytes, not 8", key, len(value))
		}
		tx.Set(key, encodeNumber(decodeCounter(value)+1))
	}
	return nil
}

// begin counts a transaction that may take effect from now on.
func (n *increment) begin(keys [2][]byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.high++
	for _, key := range keys {
		n.mu.highByKey[string(key)]++
	}
}

// end counts what became of it.
func (n *increment) end(keys [2][]byte, outcome Outcome) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch outcome {
	case Committed:
		n.mu.low++
		for _, key := range keys {
			n.mu.lowByKey[string(key)]++
		}
	case Aborted:
		n.mu.high--
		for _, key := range keys {
			n.mu.highByKey[string(key)]--
		}
	}
}

// bounds returns a copy of the counts.
func (n *increment) bounds() tally {
	n.mu.Lock()
	defer n.mu.Unlock()
	t := n.mu.tally
	t.lowByKey, t.highByKey = maps.Clone(t.lowByKey), maps.Clone(t.highByKey)
	return t
}

// Check implements Workload.
func (n *increment) Check(ctx context.Context, env *Env) error {
	before := n.bounds()
	rows, version, err := env.ReadAll(ctx)
	if err != nil {
		return err
	}
	after := n.bounds()
	var first, second uint64
	counts := make(map[string]uint64)
	for _, row := range rows {
		if len(row.Value) != 8 {
			return env.Violated("I1", "key %q holds %d bytes, not 8", row.Key, len(row.Value))
		}
		count := binary.LittleEndian.Uint64(row.Value)
		counts[string(row.Key)] = count
		if row.Key[len("Increment/")] == 'a' {
			first += count
		} else {
			second += count
		}
	}
	if first != second {
		return env.Violated("I1", "at version %d the first half sums up to %d, the second to %d", version, first, second)
	}
	if first < before.low || first > after.high {
		return env.Violated("I2", "at version %d the sum is %d; %d were acknowledged before, %d are not known to be aborted",
			version, first, before.low, after.high)
	}
	return n.checkKeys(env, version, counts, &before, &after)
}

// checkKeys compares each key with what was added to it (I3).
func (n *increment) checkKeys(env *Env, version kv.Version, counts map[string]uint64, before, after *tally) error {
	for _, key := range sortedKeys(after.highByKey) {
		if count := counts[key]; count < before.lowByKey[key] || count > after.highByKey[key] {
			return env.Violated("I3", "at version %d key %q holds %d; %d were acknowledged before, %d are not known to be aborted",
				version, key, count, before.lowByKey[key], after.highByKey[key])
		}
		delete(counts, key)
	}
	for _, key := range sortedKeys(counts) {
		return env.Violated("I3", "at version %d key %q holds %d, nobody has added to it", version, key, counts[key])
	}
	return nil
}
