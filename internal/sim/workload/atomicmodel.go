package workload

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"

	"github.com/plinthdb/plinth/kv"
)

// apply is what FoundationDB's documentation says that o does to value, which
// is nil if the key is absent. It is written apart from the product's own
// evaluation on purpose, for the operands that the workload uses: integers of
// eight bytes, and strings that stay below the limit for values.
func apply(value []byte, o operation) []byte {
	switch o.op {
	case kv.MutationAppendIfFits:
		return append(bytes.Clone(value), o.operand...)
	case kv.MutationCompareAndClear:
		if bytes.Equal(value, o.operand) {
			return nil
		}
		return value
	}
	if value == nil {
		return applyToAbsent(o)
	}
	a, b := binary.LittleEndian.Uint64(value), binary.LittleEndian.Uint64(o.operand)
	switch o.op {
	case kv.MutationAdd:
		a += b
	case kv.MutationBitAnd:
		a &= b
	case kv.MutationBitOr:
		a |= b
	case kv.MutationBitXor:
		a ^= b
	case kv.MutationMax:
		a = max(a, b)
	case kv.MutationMin:
		a = min(a, b)
	case kv.MutationByteMin:
		return slices.MinFunc([][]byte{value, o.operand}, bytes.Compare)
	case kv.MutationByteMax:
		return slices.MaxFunc([][]byte{value, o.operand}, bytes.Compare)
	}
	return binary.LittleEndian.AppendUint64(nil, a)
}

// applyToAbsent returns the operand: the operations that take an absent value
// for zero (Add, BitOr, BitXor, Max) give it too, and those that do not (And,
// Min, ByteMin, ByteMax) are defined to.
func applyToAbsent(o operation) []byte { return o.operand }

func sortedIDs(m map[uint64]kv.Version) []uint64 { return slices.Sorted(maps.Keys(m)) }
