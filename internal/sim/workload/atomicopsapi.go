package workload

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/plinthdb/plinth/internal/sim/oracle"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// atomicOpsAPI is FoundationDB's AtomicOpsApiCorrectness: each atomic operation
// on absent and empty values and on shorter and longer ones than its operand,
// several in a row in one transaction.
//
//	M1  What a transaction reads of a key with pending operations, by Get and by
//	    Range, by snapshot or not, is what the documentation says that the
//	    operations make of the stored value.
//	M2  Where own writes are not shown a read gives the stored value.
//
// It holds the invariants of a ledger too: after the commit everybody reads
// what was read pending.
type atomicOpsAPI struct {
	ledger *ledger
	keys   int // of each client
	row    int // operations in a row, at most
}

func newAtomicOpsAPI(rng *rand.Rand) *atomicOpsAPI {
	w := &atomicOpsAPI{ledger: newLedger(withoutRows), keys: 1 + rng.IntN(8), row: 1 + rng.IntN(6)}
	w.ledger.alone = true
	return w
}

// Name implements Workload.
func (*atomicOpsAPI) Name() string { return "AtomicOpsApiCorrectness" }

// Setup implements Workload.
func (w *atomicOpsAPI) Setup(ctx context.Context, env *Env) error { return w.ledger.setup(ctx, env) }

// Run implements Workload.
func (w *atomicOpsAPI) Run(ctx context.Context, env *Env) error {
	return env.Clients(ctx, func(ctx context.Context, c *Client) error {
		_, err := w.ledger.transact(ctx, env, c, w.transaction)
		return err
	})
}

func (w *atomicOpsAPI) transaction(p *pending) error {
	rng := p.keys.rng
	if rng.IntN(60) == 0 {
		return w.atTheLimit(p)
	}
	seen, invariant := p.rows, "M1"
	if rng.IntN(8) == 0 {
		p.tx.SetOptions(kv.WithReadYourWrites(false))
		seen, invariant = p.base, "M2"
	}
	for range 1 + rng.IntN(3) {
		key := fmt.Sprintf("%sk%02d", p.keys.prefix, rng.IntN(w.keys))
		if err := w.operate(p, key, seen, invariant); err != nil {
			return err
		}
	}
	s := p.keys.all()
	all := p.keys.rangeRead("range of all", func(*oracle.Rows) (oracle.Span, error) { return s, nil },
		func(r kv.Reader, o kv.RangeOptions) *kv.RangeResult { return r.Range(s.KeyRange(), o) })
	return p.begin(invariant, all, p.reader(), seen)()
}

// operate applies operations to one key, perhaps over a value of its own, and
// reads in between.
func (w *atomicOpsAPI) operate(p *pending, key string, seen *oracle.Rows, invariant string) error {
	rng := p.keys.rng
	switch rng.IntN(6) {
	case 0:
		p.write(wire.Mutation{Type: wire.ClearRange, Param1: []byte(key), Param2: kv.KeyAfter([]byte(key))})
	case 1:
		p.write(wire.Mutation{Type: wire.SetValue, Param1: []byte(key), Param2: drawDigits(rng, rng.IntN(10))})
	}
	for range 1 + rng.IntN(w.row) {
		op := atomicMutations[rng.IntN(len(atomicMutations))]
		p.write(wire.Mutation{Type: op, Param1: []byte(key), Param2: drawOperand(rng, p.rows.Values[key])})
		if rng.IntN(3) > 0 {
			continue
		}
		if err := p.begin(invariant, getRead(key), p.reader(), seen)(); err != nil {
			return err
		}
	}
	return p.begin(invariant, getRead(key), p.reader(), seen)()
}

// drawDigits draws bytes over which sums carry and comparisons decide.
func drawDigits(rng *rand.Rand, size int) []byte {
	digits := make([]byte, size)
	for i := range digits {
		digits[i] = [...]byte{0, 1, 0x7f, 0x80, 0xfe, 0xff}[rng.IntN(6)]
	}
	return digits
}

// drawOperand draws an operand for a value: the same, as long, shorter,
// longer, or empty.
func drawOperand(rng *rand.Rand, value string) []byte {
	const longBytes = 24 // keeps what AppendIfFits makes from growing
	size := min(len(value), longBytes)
	switch rng.IntN(6) {
	case 0:
		return []byte(value)
	case 1:
		return nil
	case 2:
		return drawDigits(rng, rng.IntN(size+1))
	case 3:
		return drawDigits(rng, size+1+rng.IntN(4))
	case 4:
		return drawDigits(rng, 8)
	}
	return drawDigits(rng, size)
}

// atTheLimit appends to a value that is about as long as values may be. Half
// of the time it clears one that was stored.
func (w *atomicOpsAPI) atTheLimit(p *pending) error {
	rng := p.keys.rng
	key := p.keys.prefix + "long"
	if _, present := p.rows.Values[key]; !present {
		size := kv.MaxValueBytes - rng.IntN(4)
		p.write(wire.Mutation{Type: wire.SetValue, Param1: []byte(key), Param2: []byte(strings.Repeat("v", size))})
	} else if rng.IntN(2) == 0 {
		p.write(wire.Mutation{Type: wire.ClearRange, Param1: []byte(key), Param2: kv.KeyAfter([]byte(key))})
	}
	for range 1 + rng.IntN(2) {
		p.write(wire.Mutation{Type: kv.MutationAppendIfFits, Param1: []byte(key), Param2: drawDigits(rng, rng.IntN(4))})
	}
	return p.begin("M1", getRead(key), p.reader(), p.rows)()
}

// Check implements Workload.
func (w *atomicOpsAPI) Check(ctx context.Context, env *Env) error {
	return w.ledger.check(ctx, env, nil)
}
