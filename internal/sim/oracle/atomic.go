package oracle

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// Evaluate returns what an atomic operation makes of the value that a key has,
// if it is present, and whether the key is present then (O1).
func Evaluate(op kv.MutationType, old string, present bool, operand string) (value string, left bool) {
	if !present {
		old = ""
	}
	switch op {
	case kv.MutationAppendIfFits:
		if len(old)+len(operand) <= wire.MaxValueBytes {
			return old + operand, true
		}
		return old, true
	case kv.MutationCompareAndClear:
		return old, present && old != operand
	case kv.MutationBitAnd, kv.MutationMin, kv.MutationByteMin, kv.MutationByteMax:
		if !present {
			return operand, true
		}
	}
	switch op {
	case kv.MutationByteMin:
		return min(old, operand), true
	case kv.MutationByteMax:
		return max(old, operand), true
	}
	return arithmetic(op, old, operand), true
}

// arithmetic takes both strings for little-endian integers of the operand's
// length, an absent old one for zero.
func arithmetic(op kv.MutationType, old, operand string) string {
	size := len(operand)
	a, b, result := number(old, size), number(operand, size), new(big.Int)
	switch op {
	case kv.MutationAdd:
		result.Add(a, b)
		result.Mod(result, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
	case kv.MutationBitAnd:
		result.And(a, b)
	case kv.MutationBitOr:
		result.Or(a, b)
	case kv.MutationBitXor:
		result.Xor(a, b)
	case kv.MutationMax:
		result = slices.MaxFunc([]*big.Int{a, b}, (*big.Int).Cmp)
	case kv.MutationMin:
		result = slices.MinFunc([]*big.Int{a, b}, (*big.Int).Cmp)
	default:
		panic(fmt.Sprintf("oracle: mutation type %d is not atomic", op))
	}
	digits := result.FillBytes(make([]byte, size))
	slices.Reverse(digits)
	return string(digits)
}

// number reads s, cut or extended to size bytes, as a little-endian integer.
func number(s string, size int) *big.Int {
	digits := []byte(s[:min(len(s), size)])
	slices.Reverse(digits)
	return new(big.Int).SetBytes(digits)
}
