package tuple

import (
	"bytes"
	"cmp"
	"math"
	"math/big"
	"strings"
)

// Compare returns the order of two tuples: -1 if a sorts before b, 0 if they
// have the same encoding, +1 otherwise (T1). It panics with an *EncodeError
// where Pack would, except that incomplete Versionstamps are allowed.
func Compare(a, b Tuple) int {
	for i := range min(len(a), len(b)) {
		if c := compareElements(a, b, i); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

// compareElements compares the i-th elements.
func compareElements(a, b Tuple, i int) int {
	x, y := normal(a, i), normal(b, i)
	if c := cmp.Compare(rank(x), rank(y)); c != 0 {
		return c
	}
	switch x := x.(type) {
	case []byte:
		return bytes.Compare(x, y.([]byte))
	case string:
		return strings.Compare(x, y.(string))
	case Tuple:
		return Compare(x, y.(Tuple))
	case float32:
		return cmp.Compare(sortable32(x), sortable32(y.(float32)))
	case float64:
		return cmp.Compare(sortable64(x), sortable64(y.(float64)))
	case UUID:
		other := y.(UUID)
		return bytes.Compare(x[:], other[:])
	case Versionstamp:
		return compareStamps(x, y.(Versionstamp))
	case int64, uint64, *big.Int:
		return compareIntegers(x, y)
	}
	return 0 // Null, false and true have nothing but their rank.
}

func compareStamps(x, y Versionstamp) int {
	if c := bytes.Compare(x.TransactionVersion[:], y.TransactionVersion[:]); c != 0 {
		return c
	}
	return cmp.Compare(x.UserVersion, y.UserVersion)
}

// sortable32 maps floats to integers of the same order.
func sortable32(v float32) uint32 {
	b := math.Float32bits(v)
	return b ^ floatFlip32(b>>31)
}

// sortable64 maps floats to integers of the same order.
func sortable64(v float64) uint64 {
	b := math.Float64bits(v)
	return b ^ floatFlip64(b>>63)
}

// compareIntegers compares normal integers of any of their three types.
func compareIntegers(x, y Element) int {
	if i, ok := x.(int64); ok {
		if j, ok := y.(int64); ok {
			return cmp.Compare(i, j)
		}
	}
	return toBig(x).Cmp(toBig(y))
}

// toBig returns a normal integer as a *big.Int.
func toBig(e Element) *big.Int {
	switch v := e.(type) {
	case int64:
		return big.NewInt(v)
	case uint64:
		return new(big.Int).SetUint64(v)
	}
	return e.(*big.Int)
}

// rank is the place of a normal element's type among the types; the integers
// share one.
func rank(e Element) byte {
	switch v := e.(type) {
	case nil:
		return codeNull
	case []byte:
		return codeBytes
	case string:
		return codeString
	case Tuple:
		return codeNested
	case float32:
		return codeFloat
	case float64:
		return codeDouble
	case UUID:
		return codeUUID
	case Versionstamp:
		return codeVersionstamp
	case bool:
		if v {
			return codeTrue
		}
		return codeFalse
	}
	return codeIntZero
}

// normal returns the i-th element as Unpack would return it, as far as integer
// types go. It panics if the element has no encoding.
func normal(t Tuple, i int) Element {
	e, err := normalized(t[i])
	if err != nil {
		panic(atIndex(err, i, t[i]))
	}
	return e
}

// normalized turns every integer type into int64, uint64 or *big.Int and
// leaves the other types alone. Its errors are ErrUnsupportedType and
// ErrIntegerTooLarge.
func normalized(e Element) (Element, error) {
	switch v := e.(type) {
	case nil, []byte, string, Tuple, int64, float32, float64, bool, UUID, Versionstamp:
		return e, nil
	case int:
		return int64(v), nil
	case uint64:
		if v <= math.MaxInt64 {
			return int64(v), nil
		}
		return v, nil
	}
	// The rare types take the way through their encoding.
	packed, err := appendRareInteger(nil, e)
	if err != nil {
		return nil, err
	}
	d := decoder{in: packed}
	return d.element()
}
