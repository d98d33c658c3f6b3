// Package tuple turns tuples of values into keys that sort as the tuples do.
//
// It has the API of FoundationDB's Go binding and its encoding, by way of
// Plinth's own package kv/tuple. An element of a Tuple may be
//
//	nil
//	[]byte, or any fdb.KeyConvertible, which is encoded as the bytes of its key
//	string
//	int, int64, uint, uint64, *big.Int, big.Int
//	float32, float64
//	bool
//	UUID
//	Versionstamp
//	Tuple
//
// Unpack gives []byte, string, int64, uint64 for what exceeds an int64,
// *big.Int for what exceeds both, and the other types as they were.
//
// Pack panics for any other element, as the binding does. Decoding never
// panics. Two things are stricter than in the binding: an integer that takes
// more bytes than it needs, which no binding writes, is refused, and so is a
// type code that none of them writes.
package tuple
