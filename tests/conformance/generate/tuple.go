package generate

import (
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/plinthdb/plinth/kv/tuple"
)

// Tuple returns a program of about so many steps on the tuple layer.
func Tuple(seed uint64, steps int) *Program {
	b := newBuilder(kindTuple, seed, "test")
	t := &tupleBuilder{b}
	ways := []weighted{
		{6, t.pack}, {6, t.unpack}, {4, t.bounds}, {4, t.sort}, {3, t.stamped},
		{2, t.float}, {2, t.double}, {2, t.sub}, {2, t.concat},
	}
	for range steps {
		b.choose(ways)
	}
	b.logStack()
	return &Program{Kind: "tuple", Seed: seed, Threads: []Thread{b.thread}}
}

// tupleBuilder makes steps of tuple programs.
type tupleBuilder struct{ *builder }

// bits returns random bits, often few or many of them set.
func (t *tupleBuilder) bits() uint64 {
	n := t.Uint64() >> t.IntN(64)
	return pick(t.builder, n, n, ^n, 1<<t.IntN(64), 1<<t.IntN(64)-1, 0)
}

func (t *tupleBuilder) integer() any {
	switch t.IntN(4) {
	case 0:
		return int64(t.bits())
	case 1:
		if n := t.bits(); n > math.MaxInt64 {
			return n
		}
		return int64(t.IntN(3) - 1)
	case 2:
		n := new(big.Int).Lsh(new(big.Int).SetUint64(t.bits()|1<<63), uint(1+t.IntN(400)))
		if t.chance(50) {
			n.Neg(n)
		}
		return n
	}
	return -int64(t.bits() >> 1)
}

func (t *tupleBuilder) bytes() []byte {
	b := make([]byte, t.IntN(6))
	for i := range b {
		b[i] = pick[byte](t.builder, 0, 0, 1, 0xff, 0xff, 'x')
	}
	return b
}

func (t *tupleBuilder) text() string {
	return strings.Repeat(pick(t.builder, "", "a", "\x00", "é", "日本", "\U0010ffff", "z\x00"), t.IntN(3))
}

// float32 returns any bits, NaNs and infinities among them.
func (t *tupleBuilder) float32() float32 {
	return math.Float32frombits(pick(t.builder, t.Uint32(), 0, 1<<31, 0x7f800000, 0xff800000, 0x7fc00001, 0xffc00000, 1))
}

func (t *tupleBuilder) float64() float64 {
	return math.Float64frombits(pick(t.builder, t.Uint64(), 0, 1<<63, 0x7ff0<<48, 0xfff0<<48, 0x7ff8<<48|1, 0xfff8<<48, 1))
}

func (t *tupleBuilder) stamp() tuple.Versionstamp {
	s := tuple.Versionstamp{UserVersion: uint16(t.Uint32())}
	for i := range s.TransactionVersion {
		s.TransactionVersion[i] = byte(t.IntN(255))
	}
	return s
}

// element returns a random element; nested ones get less deep.
func (t *tupleBuilder) element(depth int) any {
	switch t.IntN(10) {
	case 0:
		return nil
	case 1:
		return t.bytes()
	case 2:
		return t.text()
	case 3, 4:
		return t.integer()
	case 5:
		return t.float32()
	case 6:
		return t.float64()
	case 7:
		return t.chance(50)
	case 8:
		if t.chance(50) {
			return t.stamp()
		}
		var u tuple.UUID
		copy(u[:], t.bytes())
		return u
	}
	if depth == 0 {
		return tuple.Tuple{}
	}
	return tuple.Tuple(t.elements(depth - 1))
}

func (t *tupleBuilder) elements(depth int) []any {
	list := make([]any, t.IntN(4))
	for i := range list {
		list[i] = t.element(depth)
	}
	return list
}

const tupleDepth = 3

func (t *tupleBuilder) pack() { t.call("TUPLE_PACK", counted(t.elements(tupleDepth)...)...) }

func (t *tupleBuilder) unpack() {
	t.pack()
	t.op("TUPLE_UNPACK")
}

func (t *tupleBuilder) bounds() { t.call("TUPLE_RANGE", counted(t.elements(tupleDepth)...)...) }

func (t *tupleBuilder) sort() {
	n := 1 + t.IntN(5)
	for range n {
		t.pack()
	}
	t.call("TUPLE_SORT", int64(n))
}

// stamped packs a tuple with a random number of incomplete versionstamps.
func (t *tupleBuilder) stamped() {
	list := t.elements(tupleDepth)
	for range pick(t.builder, 0, 1, 1, 1, 2) {
		var one any = tuple.IncompleteVersionstamp(uint16(t.Uint32()))
		if t.chance(40) {
			one = tuple.Tuple{t.text(), one}
		}
		list = slices.Insert(list, t.IntN(len(list)+1), one)
	}
	t.call("TUPLE_PACK_WITH_VERSIONSTAMP", append([]any{t.bytes()}, counted(list...)...)...)
}

func (t *tupleBuilder) float() {
	t.push(t.float32())
	t.op("DECODE_FLOAT")
	t.op("DUP")
	t.op("ENCODE_FLOAT")
}

func (t *tupleBuilder) double() {
	t.push(t.float64())
	t.op("DECODE_DOUBLE")
	t.op("DUP")
	t.op("ENCODE_DOUBLE")
}

func (t *tupleBuilder) sub() { t.call("SUB", t.integer(), t.integer()) }

func (t *tupleBuilder) concat() {
	if t.chance(50) {
		t.call("CONCAT", t.text(), t.text())
		return
	}
	t.call("CONCAT", t.bytes(), t.bytes())
}
