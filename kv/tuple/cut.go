package tuple

import (
	"fmt"
	"math"
)

// Cut decodes the first element of packed, as Unpack does, and returns what
// follows it. An empty input gives ErrTruncated. Its errors, and those of the
// functions for single types, are *DecodeError; rest is then packed itself.
func Cut(packed []byte) (e Element, rest []byte, err error) {
	return cut(packed, "an element", func(byte) bool { return true }, (*decoder).element)
}

// CutBytes decodes the byte string at the front of packed, which it copies,
// and returns what follows it.
func CutBytes(packed []byte) (b, rest []byte, err error) {
	return cut(packed, "a byte string", is(codeBytes), (*decoder).byteString)
}

// CutString decodes the string at the front of packed and returns what follows
// it.
func CutString(packed []byte) (s string, rest []byte, err error) {
	return cut(packed, "a string", is(codeString), (*decoder).text)
}

// CutInt decodes the integer at the front of packed and returns what follows
// it. One that does not fit an int64 gives ErrWrongType.
func CutInt(packed []byte) (v int64, rest []byte, err error) {
	return cut(packed, "an integer", isInteger, func(d *decoder) (int64, error) {
		begin := d.at
		v, negative, err := d.magnitude()
		switch {
		case err != nil:
			return 0, err
		case negative && v <= 1<<63:
			return -int64(v), nil
		case negative || v > math.MaxInt64:
			return 0, d.fail(begin, fmt.Errorf("%w: the integer does not fit 64 bits with a sign", ErrWrongType))
		}
		return int64(v), nil
	})
}

// CutUint decodes the integer at the front of packed and returns what follows
// it. One that does not fit a uint64 gives ErrWrongType.
func CutUint(packed []byte) (v uint64, rest []byte, err error) {
	return cut(packed, "an integer", isInteger, func(d *decoder) (uint64, error) {
		begin := d.at
		v, negative, err := d.magnitude()
		if err == nil && negative {
			err = d.fail(begin, fmt.Errorf("%w: the integer is negative", ErrWrongType))
		}
		return v, err
	})
}

// CutFloat64 decodes the 64-bit float at the front of packed and returns what
// follows it.
func CutFloat64(packed []byte) (v float64, rest []byte, err error) {
	return cut(packed, "a 64-bit float", is(codeDouble), fixedAs[float64])
}

// CutBool decodes the truth value at the front of packed and returns what
// follows it.
func CutBool(packed []byte) (v bool, rest []byte, err error) {
	either := func(code byte) bool { return code == codeFalse || code == codeTrue }
	return cut(packed, "a truth value", either, func(d *decoder) (bool, error) {
		d.at++
		return d.in[d.at-1] == codeTrue, nil
	})
}

// CutUUID decodes the UUID at the front of packed and returns what follows it.
func CutUUID(packed []byte) (v UUID, rest []byte, err error) {
	return cut(packed, "a UUID", is(codeUUID), func(d *decoder) (UUID, error) {
		b, err := d.take(len(UUID{}))
		if err != nil {
			return UUID{}, err
		}
		return UUID(b), nil
	})
}

// CutVersionstamp decodes the Versionstamp at the front of packed and returns
// what follows it.
func CutVersionstamp(packed []byte) (v Versionstamp, rest []byte, err error) {
	return cut(packed, "a versionstamp", is(codeVersionstamp), fixedAs[Versionstamp])
}

// cut reads one element with read, provided that its type code is wanted.
func cut[T any](packed []byte, what string, wanted func(code byte) bool, read func(*decoder) (T, error)) (v T, rest []byte, err error) {
	if len(packed) == 0 {
		return v, packed, &DecodeError{Err: fmt.Errorf("%w: %s is missing", ErrTruncated, what)}
	}
	d := decoder{in: packed}
	if !wanted(packed[0]) {
		return v, packed, d.fail(0, fmt.Errorf("%w, which is %s", ErrWrongType, what))
	}
	if v, err = read(&d); err != nil {
		return v, packed, err
	}
	return v, packed[d.at:], nil
}

// is returns the function that wants one type code.
func is(code byte) func(byte) bool { return func(c byte) bool { return c == code } }

func isInteger(code byte) bool {
	return codeIntZero-intBytesMax <= code && code <= codeIntZero+intBytesMax
}

// fixedAs reads an element of fixed length, of the type that its code says.
func fixedAs[T any](d *decoder) (v T, err error) {
	e, err := d.fixed(d.in[d.at])
	if err == nil {
		v = e.(T)
	}
	return v, err
}
