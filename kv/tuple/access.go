package tuple

import (
	"fmt"
	"math/big"
)

// Value is what At can return an element as.
type Value interface {
	int | int64 | uint64 | *big.Int | []byte | string | float32 | float64 | bool | UUID | Versionstamp | Tuple
}

// At returns the i-th element of t as a T. An integer of any type becomes the
// integer type asked for if its value fits; nothing else is converted. The
// error is an *ElementError that says what is there instead.
//
//	id, err := tuple.At[int64](t, 2)
func At[T Value](t Tuple, i int) (T, error) {
	var out T
	if i < 0 || i >= len(t) {
		return out, &ElementError{Index: i, Len: len(t), Want: typeName(out)}
	}
	if v, ok := t[i].(T); ok {
		return v, nil
	}
	if ok, reason := toInteger(&out, t[i]); !ok {
		var zero T
		return zero, &ElementError{Index: i, Len: len(t), Want: typeName(out), Got: typeName(t[i]), Reason: reason}
	}
	return out, nil
}

// IsNull reports whether t has an i-th element and it is nil.
func IsNull(t Tuple, i int) bool { return 0 <= i && i < len(t) && t[i] == nil }

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "nil"
	case []byte:
		return "[]byte"
	}
	return fmt.Sprintf("%T", v)
}

// toInteger stores e in the integer variable that out points to. It fails if
// out or e is no integer or, with a reason, if the value does not fit.
func toInteger(out any, e Element) (ok bool, reason string) {
	n, err := normalized(e)
	if err != nil {
		return false, ""
	}
	switch n.(type) {
	case int64, uint64, *big.Int:
	default:
		return false, ""
	}
	const outOfRange = "its value is out of range"
	switch out := out.(type) {
	case *int64:
		if *out, ok = n.(int64); !ok {
			return false, outOfRange
		}
	case *int:
		v, fits := n.(int64)
		if *out = int(v); !fits || int64(*out) != v {
			return false, outOfRange
		}
	case *uint64:
		v := toBig(n)
		if *out = v.Uint64(); !v.IsUint64() {
			return false, outOfRange
		}
	case **big.Int:
		*out = new(big.Int).Set(toBig(n))
	default:
		return false, ""
	}
	return true, ""
}
