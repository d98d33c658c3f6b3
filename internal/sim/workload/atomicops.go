package workload

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"

	"github.com/plinthdb/plinth/kv"
)

// atomicOps is FoundationDB's AtomicOps: a transaction applies an atomic
// operation to the value of a group and writes the same operation to the
// group's log, without reading anything. Here the key of the log entry holds
// the versionstamp, so that the log is in commit order and operations of all
// kinds can be mixed.
//
//	A1  At every version the value of a group is what its log gives.
//	A2  A log holds what was acknowledged before the read once, what has an
//	    unknown outcome at most once, and nothing that was aborted.
//	A3  The stamp in a log key is that of the version the commit returned.
type atomicOps struct {
	groups int

	mu struct {
		sync.Mutex
		next    uint64
		aborted map[uint64]bool
		// acknowledged maps a transaction to its commit version.
		acknowledged map[uint64]kv.Version
	}
}

func newAtomicOps(rng *rand.Rand) *atomicOps {
	a := &atomicOps{groups: 1 + rng.IntN(8)}
	a.mu.aborted = make(map[uint64]bool)
	a.mu.acknowledged = make(map[uint64]kv.Version)
	return a
}

// operation is one entry of a log.
type operation struct {
	id      uint64
	op      kv.MutationType
	operand []byte
}

func (o operation) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, o.id)
	return append(append(b, byte(o.op)), o.operand...)
}

func decodeOperation(value []byte) (operation, error) {
	if len(value) < 9 {
		return operation{}, fmt.Errorf("a log entry holds %d bytes, less than 9", len(value))
	}
	return operation{id: binary.BigEndian.Uint64(value), op: kv.MutationType(value[8]), operand: value[9:]}, nil
}

// draw returns a random operation for the group. Every fourth group holds a
// string that grows, the others an integer of eight bytes.
func (a *atomicOps) draw(rng *rand.Rand, group int) operation {
	if group%4 == 3 {
		return operation{op: kv.MutationAppendIfFits, operand: fmt.Appendf(nil, "%x", rng.IntN(256))}
	}
	ops := [...]kv.MutationType{
		kv.MutationAdd, kv.MutationBitAnd, kv.MutationBitOr, kv.MutationBitXor, kv.MutationMax,
		kv.MutationMin, kv.MutationByteMin, kv.MutationByteMax, kv.MutationCompareAndClear,
	}
	// Small operands, so that CompareAndClear often finds its value.
	operand := binary.LittleEndian.AppendUint64(nil, rng.Uint64N(1<<rng.IntN(5)))
	return operation{op: ops[rng.IntN(len(ops))], operand: operand}
}

// Name implements Workload.
func (*atomicOps) Name() string { return "AtomicOps" }

// Setup implements Workload. All logs are empty at first, all values absent.
func (*atomicOps) Setup(context.Context, *Env) error { return nil }

// Run implements Workload.
func (a *atomicOps) Run(ctx context.Context, env *Env) error {
	return env.Clients(ctx, func(ctx context.Context, c *Client) error {
		group := c.Rand().IntN(a.groups)
		o := a.draw(c.Rand(), group)
		o.id = a.newID()
		var version kv.Version
		outcome, err := c.TryAlone(ctx, func(tx *kv.Transaction) error {
			tx.Atomic(o.op, env.Key("value/%02d", group), o.operand)
			tx.SetVersionstampedKey(stampedKey(env.Key("log/%02d/", group)), o.encode())
			return nil
		})
		if outcome == Committed {
			version = c.LastCommit()
		}
		a.finish(o.id, outcome, version)
		return err
	})
}

// stampedKey appends the place for a stamp, and where it is.
func stampedKey(prefix []byte) []byte {
	at := uint32(len(prefix))
	key := append(prefix, make([]byte, len(kv.Stamp{}))...)
	return binary.LittleEndian.AppendUint32(key, at)
}

func (a *atomicOps) newID() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mu.next++
	return a.mu.next
}

func (a *atomicOps) finish(id uint64, outcome Outcome, version kv.Version) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch outcome {
	case Committed:
		a.mu.acknowledged[id] = version
	case Aborted:
		a.mu.aborted[id] = true
	}
}

// known returns copies of what is known of the transactions' outcomes.
func (a *atomicOps) known() (acknowledged map[uint64]kv.Version, aborted map[uint64]bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.mu.acknowledged), maps.Clone(a.mu.aborted)
}

// Check implements Workload.
func (a *atomicOps) Check(ctx context.Context, env *Env) error {
	before, _ := a.known()
	rows, version, err := env.ReadAll(ctx)
	if err != nil {
		return err
	}
	after, aborted := a.known()
	values := make(map[string][]byte)
	logged := make(map[string][]byte)
	seen := make(map[uint64]bool)
	for _, row := range rows {
		rest := row.Key[len("AtomicOps/"):]
		if group, isValue := bytes.CutPrefix(rest, []byte("value/")); isValue {
			values[string(group)] = row.Value
			continue
		}
		group, stamp := string(rest[len("log/"):len("log/00")]), rest[len("log/00/"):]
		o, err := decodeOperation(row.Value)
		switch acknowledged, ok := after[o.id]; {
		case err != nil:
			return env.Violated("A1", "at version %d: %v", version, err)
		case seen[o.id]:
			return env.Violated("A2", "at version %d transaction %d is in the log twice", version, o.id)
		case aborted[o.id]:
			return env.Violated("A2", "at version %d the log holds transaction %d, which was aborted", version, o.id)
		case ok && stampVersion(stamp) != acknowledged:
			return env.Violated("A3", "transaction %d has stamp %x, its commit returned version %d", o.id, stamp, acknowledged)
		}
		seen[o.id] = true
		logged[group] = apply(logged[group], o)
	}
	for _, id := range sortedIDs(before) {
		if !seen[id] {
			return env.Violated("A2", "at version %d the log lacks transaction %d, acknowledged at version %d", version, id, before[id])
		}
	}
	for _, group := range sortedKeys(union(values, logged)) {
		if got, ok := values[group]; !bytes.Equal(got, logged[group]) || ok != (logged[group] != nil) {
			return env.Violated("A1", "at version %d group %s is %x (present: %v), its log gives %x", version, group, got, ok, logged[group])
		}
	}
	return nil
}

func union[V any](a, b map[string]V) map[string]V {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

func stampVersion(stamp []byte) kv.Version { return kv.Version(binary.BigEndian.Uint64(stamp)) }
