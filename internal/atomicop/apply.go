package atomicop

import (
	"bytes"
	"fmt"

	"github.com/plinthdb/plinth/internal/wire"
)

// Apply returns what a key holds after an atomic mutation of type typ with the
// given operand. old is the key's value and oldPresent whether it has one; old
// is ignored if it has none. present is false if the key ends up absent, which
// only CompareAndClear can bring about.
//
// The result may share memory with old or operand (rule W1 of package wire
// covers it). A present result is never nil.
//
// Apply panics if typ.IsAtomic() is false: sets, clears and versionstamped
// mutations do not depend on the old value and never come here.
func Apply(typ wire.MutationType, old []byte, oldPresent bool, operand []byte) (result []byte, present bool) {
	if !oldPresent {
		old = nil
	}
	switch typ {
	case wire.AddValue:
		result = add(old, operand)
	case wire.BitAnd:
		result = bitAnd(old, oldPresent, operand)
	case wire.BitOr:
		result = bitOr(old, operand)
	case wire.BitXor:
		result = bitXor(old, operand)
	case wire.AppendIfFits:
		result = appendIfFits(old, operand)
	case wire.Max:
		result = numericMax(old, operand)
	case wire.Min:
		result = numericMin(old, oldPresent, operand)
	case wire.ByteMin:
		result = byteMin(old, oldPresent, operand)
	case wire.ByteMax:
		result = byteMax(old, oldPresent, operand)
	case wire.CompareAndClear:
		if !oldPresent || bytes.Equal(old, operand) {
			return nil, false
		}
		result = old
	default:
		panic(fmt.Sprintf("atomicop: mutation type %d is not atomic", typ))
	}
	if result == nil {
		result = []byte{}
	}
	return result, true
}

// appendIfFits keeps the old value when both together exceed the value limit.
func appendIfFits(old, operand []byte) []byte {
	switch {
	case len(old) == 0:
		return operand
	case len(operand) == 0 || len(old)+len(operand) > wire.MaxValueBytes:
		return old
	}
	sum := make([]byte, 0, len(old)+len(operand))
	return append(append(sum, old...), operand...)
}

// byteMin is the lexicographically smaller one; an absent key takes the
// operand.
func byteMin(old []byte, oldPresent bool, operand []byte) []byte {
	if oldPresent && bytes.Compare(old, operand) < 0 {
		return old
	}
	return operand
}

// byteMax is the lexicographically greater one; an absent key takes the
// operand.
func byteMax(old []byte, oldPresent bool, operand []byte) []byte {
	if oldPresent && bytes.Compare(old, operand) > 0 {
		return old
	}
	return operand
}
