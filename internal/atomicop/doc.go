// Package atomicop evaluates atomic mutations: given the value that a key has
// and an operand, it says what the key holds afterwards.
//
// The storage server evaluates with it when it applies a version, the client
// when it shows a transaction its own pending writes. Both must agree to the
// last bit, which is why the evaluation is here once. The semantics are those
// documented for FoundationDB's mutation types at API version 510 and later.
//
// Invariants:
//
//	A1  Apply is pure: the same arguments give the same result, and neither
//	    old nor operand is ever written.
//	A2  The result of AddValue, BitAnd, BitOr, BitXor, Max and Min has the
//	    operand's length.
//	A3  The result is never longer than the longer of old, operand and
//	    wire.MaxValueBytes.
package atomicop
