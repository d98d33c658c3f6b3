// Package tuple encodes tuples of values as keys that sort as the tuples do.
//
// A [Tuple] packs into a byte string whose order under bytes.Compare is the
// order of the tuples, element by element. Keys made this way can be read
// back, ranged over by prefix and shared between programs: the encoding is
// byte for byte that of FoundationDB's tuple layer (its design document
// design/tuple.md lists the type codes), so keys written by any of its
// language bindings are read here and the other way round.
//
//	key := tuple.Tuple{"user", 42, "mail"}.Pack()
//	t, err := tuple.Unpack(key)
//	id, err := tuple.At[int](t, 1)
//
// What an element may be, and what Unpack returns for it:
//
//	nil                            nil
//	[]byte                         []byte, a copy
//	string                         string; any bytes, UTF-8 is not checked
//	int … int64, uint … uint64     int64 if it fits, else uint64
//	*big.Int, big.Int              int64 or uint64 if it fits, else *big.Int
//	float32                        float32, to the bit (also -0 and NaN)
//	float64                        float64, to the bit
//	bool                           bool
//	UUID                           UUID
//	Versionstamp                   Versionstamp
//	Tuple                          Tuple
//
// Elements of different types sort by type, in this order: nil, []byte,
// string, Tuple, all integers, float32, float64, bool, UUID, Versionstamp.
// Strings sort by their bytes, floats by the IEEE 754 total order (the
// negative NaNs first, -0 before +0, the positive NaNs last).
//
// Packing a tuple with an element of another type is a mistake in the program:
// [Tuple.Pack] panics with an *[EncodeError]. [Tuple.Append] and
// [Tuple.PackWithVersionstamp] return that error instead. Unpacking deals with
// foreign bytes and only ever returns errors, each a *[DecodeError] that names
// the offset.
//
// A loop that makes many keys of one shape can do without the Tuple: append
// the elements to a buffer one by one with [AppendString], [AppendInt] and
// their kind, and take them off again with [CutString], [CutInt] and theirs.
//
// Invariants, for complete tuples (those without an incomplete Versionstamp):
//
//	T1  bytes.Compare(a.Pack(), b.Pack()) == Compare(a, b).
//	T2  If Unpack(key) gives t, then t.Pack() is key: one tuple, one key.
//	    Integers written with more bytes than they need are therefore refused,
//	    with ErrNotCanonical; no binding writes them.
//	T3  The encoding of a ++ b is that of a followed by that of b, and every
//	    packed tuple that begins with the elements of a, and has more, lies
//	    in a.Range().
//	T4  Unpack returns for any input whatever, without a panic, in memory
//	    linear in the input's length.
package tuple
