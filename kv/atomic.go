package kv

import "github.com/plinthdb/plinth/internal/wire"

// MutationType names an atomic operation, or a plain one in a Mutation.
type MutationType = wire.MutationType

// The atomic operations, with FoundationDB's numbers.
const (
	MutationAdd                    = wire.AddValue
	MutationBitAnd                 = wire.BitAnd
	MutationBitOr                  = wire.BitOr
	MutationBitXor                 = wire.BitXor
	MutationAppendIfFits           = wire.AppendIfFits
	MutationMax                    = wire.Max
	MutationMin                    = wire.Min
	MutationSetVersionstampedKey   = wire.SetVersionstampedKey
	MutationSetVersionstampedValue = wire.SetVersionstampedValue
	MutationByteMin                = wire.ByteMin
	MutationByteMax                = wire.ByteMax
	MutationCompareAndClear        = wire.CompareAndClear
)

// What else a Mutation can be.
const (
	MutationSet        = wire.SetValue
	MutationClearRange = wire.ClearRange
)

// Add adds operand to the value, both as little-endian integers. The result
// has the operand's length: the value is cut or padded with zeros to it. An
// absent key counts as zero.
func (tx *Transaction) Add(key, operand []byte) { tx.Atomic(MutationAdd, key, operand) }

// BitAnd stores value AND operand, in the operand's length; an absent key gets
// the operand.
func (tx *Transaction) BitAnd(key, operand []byte) { tx.Atomic(MutationBitAnd, key, operand) }

// BitOr stores value OR operand, in the operand's length; an absent key counts
// as zeros.
func (tx *Transaction) BitOr(key, operand []byte) { tx.Atomic(MutationBitOr, key, operand) }

// BitXor stores value XOR operand, in the operand's length; an absent key
// counts as zeros.
func (tx *Transaction) BitXor(key, operand []byte) { tx.Atomic(MutationBitXor, key, operand) }

// AppendIfFits appends operand to the value, unless the result would exceed
// MaxValueBytes: then the value stays as it is. An absent key gets the operand.
func (tx *Transaction) AppendIfFits(key, operand []byte) {
	tx.Atomic(MutationAppendIfFits, key, operand)
}

// Max stores the greater of value and operand as little-endian unsigned
// integers, in the operand's length; an absent key gets the operand.
func (tx *Transaction) Max(key, operand []byte) { tx.Atomic(MutationMax, key, operand) }

// Min stores the lesser of value and operand as little-endian unsigned
// integers, in the operand's length; an absent key gets the operand.
func (tx *Transaction) Min(key, operand []byte) { tx.Atomic(MutationMin, key, operand) }

// ByteMin stores whichever of value and operand sorts first; an absent key
// gets the operand.
func (tx *Transaction) ByteMin(key, operand []byte) { tx.Atomic(MutationByteMin, key, operand) }

// ByteMax stores whichever of value and operand sorts last; an absent key gets
// the operand.
func (tx *Transaction) ByteMax(key, operand []byte) { tx.Atomic(MutationByteMax, key, operand) }

// CompareAndClear removes the key if its value equals operand.
func (tx *Transaction) CompareAndClear(key, operand []byte) {
	tx.Atomic(MutationCompareAndClear, key, operand)
}
