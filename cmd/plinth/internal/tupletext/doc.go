// Package tupletext writes tuples as text that can be entered again.
//
//	("user", 42, b"\x00", nil, true, 1.5, float32(1.5), ("nested", -1),
//	 UUID(123e4567-e89b-12d3-a456-426614174000),
//	 Versionstamp(000000000000000a0000, 7), Versionstamp(incomplete, 0))
//
// A string in quotes is text in UTF-8, one with a b before it is bytes. In both
// \" and \\ stand for a quote and a backslash, and \xNN for a byte. A number
// without point and exponent is an integer, of any length that tuples hold;
// others are floats of 64 bits, and so are Inf, -Inf and NaN. Names may be
// written in capitals or not, null is nil. Blanks between elements mean nothing,
// and a comma may follow the last one.
//
// Invariants:
//
//	X1  Parse(Append(nil, t)) has the encoding of t, for every tuple but those
//	    with a NaN that is not the usual one.
//	X2  OfKey returns a text only if Parse and packing give the key again.
package tupletext
