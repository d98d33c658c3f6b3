package workload

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"

	"github.com/plinthdb/plinth/internal/sim/oracle"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// apiKeys draws arguments of API calls among few keys that begin with a
// prefix, so that calls meet. The keys are close to one another in all the
// ways that comparisons can get wrong.
type apiKeys struct {
	rng    *rand.Rand
	prefix string
	// between, if set, is called between two rows of an iteration.
	between func()
	// near, if set, draws every other key; it may return "".
	near func() string
}

// keyLetters make up the keys, at most maxKeyLetters of them, behind the
// prefix: 85 keys.
var keyLetters = [...]string{"\x00", "a", "b", "\xff"}

const maxKeyLetters = 3

// key draws a key; it may be the prefix itself.
func (k apiKeys) key() string {
	if k.near != nil && k.rng.IntN(2) == 0 {
		if key := k.near(); key != "" {
			return key
		}
	}
	key := k.prefix
	for range k.rng.IntN(maxKeyLetters + 1) {
		key += keyLetters[k.rng.IntN(len(keyLetters))]
	}
	return key
}

// all is the span of all keys with the prefix.
func (k apiKeys) all() oracle.Span {
	end, _ := kv.Strinc([]byte(k.prefix)) // names of workloads hold no 0xff
	return oracle.Span{Begin: k.prefix, End: string(end)}
}

// span draws a range that is not inverted, but empty now and then.
func (k apiKeys) span() oracle.Span {
	all := k.all()
	begin, end := k.key(), k.key()
	switch k.rng.IntN(8) {
	case 0:
		begin = all.Begin
	case 1:
		end = all.End
	}
	return oracle.Span{Begin: min(begin, end), End: max(begin, end)}
}

// value draws a value: mostly a few letters, sometimes many, so that ranges
// come in several pieces.
func (k apiKeys) value() string {
	size := k.rng.IntN(4)
	if k.rng.IntN(10) == 0 {
		size = k.rng.IntN(600)
	}
	return strings.Repeat(string(rune('x'+k.rng.IntN(3))), size)
}

// selector draws a selector with an offset of at most reach in each direction.
func (k apiKeys) selector(reach int) kv.KeySelector {
	return kv.KeySelector{Key: []byte(k.key()), OrEqual: k.rng.IntN(2) == 0, Offset: k.rng.IntN(2*reach+2) - reach}
}

// limits draws the options of a range read.
func (k apiKeys) limits() kv.RangeOptions {
	return kv.RangeOptions{
		Limit:      [...]int{0, 0, 1, 2, 5, 1 << 30}[k.rng.IntN(6)],
		LimitBytes: [...]int{0, 0, 0, 1, 40, 100, 1 << 30}[k.rng.IntN(7)],
		Reverse:    k.rng.IntN(2) == 0,
	}
}

// plainMutation draws a set, a clear or a clear of a range.
func (k apiKeys) plainMutation() wire.Mutation {
	key := []byte(k.key())
	switch k.rng.IntN(8) {
	case 0:
		return wire.Mutation{Type: wire.ClearRange, Param1: key, Param2: kv.KeyAfter(key)}
	case 1:
		r := k.span().KeyRange()
		return wire.Mutation{Type: wire.ClearRange, Param1: r.Begin, Param2: r.End}
	}
	return wire.Mutation{Type: wire.SetValue, Param1: key, Param2: []byte(k.value())}
}

// atomicMutations are the operations that depend on the old value.
var atomicMutations = [...]kv.MutationType{
	kv.MutationAdd, kv.MutationBitAnd, kv.MutationBitOr, kv.MutationBitXor, kv.MutationAppendIfFits,
	kv.MutationMax, kv.MutationMin, kv.MutationByteMin, kv.MutationByteMax, kv.MutationCompareAndClear,
}

// mutation draws a mutation of any kind. Versionstamped ones want
// pending.askVersion first.
func (k apiKeys) mutation(stamped bool) wire.Mutation {
	key, value := k.key(), k.value()
	switch n := k.rng.IntN(12); {
	case n < 3:
		op := atomicMutations[k.rng.IntN(len(atomicMutations))]
		return wire.Mutation{Type: op, Param1: []byte(key), Param2: []byte(value)}
	case n == 3 && stamped:
		return wire.Mutation{Type: wire.SetVersionstampedValue, Param1: []byte(key), Param2: k.stampedParam(value, 0)}
	case n == 4 && stamped:
		return wire.Mutation{Type: wire.SetVersionstampedKey, Param1: k.stampedParam(key, len(k.prefix)), Param2: []byte(value)}
	}
	return k.plainMutation()
}

// stampedParam returns content with room for a stamp somewhere from least on.
func (k apiKeys) stampedParam(content string, least int) []byte {
	at := least + k.rng.IntN(len(content)-least+1)
	param := content[:at] + strings.Repeat(".", wire.StampBytes) + content[at:]
	return binary.LittleEndian.AppendUint32([]byte(param), uint32(at))
}
