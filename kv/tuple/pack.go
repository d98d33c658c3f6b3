package tuple

import (
	"fmt"
	"math/big"
)

// packing says how elements are written. The zero value writes the elements of
// an outermost tuple that must be complete.
type packing struct {
	depth int
	// stamps, if not nil, allows incomplete versionstamps and notes where they
	// are written.
	stamps *stampPlaces
}

// stampPlaces counts the incomplete versionstamps and keeps the place of the
// last, an index into the packed bytes.
type stampPlaces struct {
	count, last int
}

// appendElements appends the elements of t. Its errors are *EncodeError.
func appendElements(dst []byte, t Tuple, p packing) ([]byte, error) {
	for i, e := range t {
		var err error
		if dst, err = appendElement(dst, e, p); err != nil {
			return dst, atIndex(err, i, e)
		}
	}
	return dst, nil
}

// atIndex adds the index of the failing element to the front of its path.
func atIndex(err error, index int, e Element) error {
	inner, ok := err.(*EncodeError)
	if !ok {
		return &EncodeError{Path: []int{index}, Element: e, Err: err}
	}
	if len(inner.Path) <= pathShown {
		inner.Path = append([]int{index}, inner.Path...)
	} else { // What is deeper is not shown: a path of 50,000 would be built in quadratic time.
		copy(inner.Path[1:], inner.Path)
		inner.Path[0] = index
	}
	return inner
}

func appendElement(dst []byte, e Element, p packing) ([]byte, error) {
	switch v := e.(type) {
	case nil:
		if dst = append(dst, codeNull); p.depth > 0 {
			dst = append(dst, escape)
		}
	case []byte:
		dst = AppendBytes(dst, v)
	case string:
		dst = AppendString(dst, v)
	case Tuple:
		return appendNested(dst, v, p)
	case int:
		dst = AppendInt(dst, int64(v))
	case int64:
		dst = AppendInt(dst, v)
	case uint64:
		dst = AppendUint(dst, v)
	case float32:
		dst = AppendFloat32(dst, v)
	case float64:
		dst = AppendFloat64(dst, v)
	case bool:
		dst = AppendBool(dst, v)
	case UUID:
		dst = AppendUUID(dst, v)
	case Versionstamp:
		return appendStamp(dst, v, p)
	default:
		return appendRareInteger(dst, e)
	}
	return dst, nil
}

func appendNested(dst []byte, t Tuple, p packing) ([]byte, error) {
	if p.depth++; p.depth > MaxDepth {
		return dst, ErrTooDeep
	}
	dst, err := appendElements(append(dst, codeNested), t, p)
	return append(dst, terminator), err
}

func appendStamp(dst []byte, v Versionstamp, p packing) ([]byte, error) {
	if v.IsIncomplete() {
		if p.stamps == nil {
			return dst, ErrIncomplete
		}
		p.stamps.count++
		p.stamps.last = len(dst) + 1
	}
	return AppendVersionstamp(dst, v), nil
}

// appendRareInteger takes the integer types that are seldom elements, to keep
// appendElement's switch short.
func appendRareInteger(dst []byte, e Element) ([]byte, error) {
	switch v := e.(type) {
	case int8:
		return AppendInt(dst, int64(v)), nil
	case int16:
		return AppendInt(dst, int64(v)), nil
	case int32:
		return AppendInt(dst, int64(v)), nil
	case uint:
		return AppendUint(dst, uint64(v)), nil
	case uint8:
		return AppendUint(dst, uint64(v)), nil
	case uint16:
		return AppendUint(dst, uint64(v)), nil
	case uint32:
		return AppendUint(dst, uint64(v)), nil
	case big.Int:
		return AppendBigInt(dst, &v)
	case *big.Int:
		if v == nil {
			return dst, fmt.Errorf("%w: nil *big.Int", ErrUnsupportedType)
		}
		return AppendBigInt(dst, v)
	}
	return dst, ErrUnsupportedType
}
