package tuple

import (
	"fmt"
	"math"
)

// Cut decodes the first element of packed, as Unpack does, and returns what
// follows it. An empty input gives ErrTruncated. Its errors, and those of the
// functions for single types, are *DecodeError; rest is then packed itself.
func Cut(packed []byte) (e Element, rest []byte, err error) {
	d := decoder{in: packed}
	if err = d.expect("an element", 0x00, 0xff); err == nil {
		e, err = d.element()
	}
	return e, d.rest(err), err
}

// CutBytes decodes the byte string at the front of packed, which it copies,
// and returns what follows it.
func CutBytes(packed []byte) (b, rest []byte, err error) {
	d := decoder{in: packed}
	if err = d.expect("a byte string", codeBytes, codeBytes); err == nil {
		b, err = d.byteString()
	}
	return b, d.rest(err), err
}

// CutString decodes the string at the front of packed and returns what follows
// it.
func CutString(packed []byte) (s string, rest []byte, err error) {
	d := decoder{in: packed}
	if err = d.expect("a string", codeString, codeString); err == nil {
		s, err = d.text()
	}
	return s, d.rest(err), err
}

// CutInt decodes the integer at the front of packed and returns what follows
// it. One that does not fit an int64 gives ErrWrongType.
func CutInt(packed []byte) (v int64, rest []byte, err error) {
	d := decoder{in: packed}
	magnitude, negative, err := d.cutMagnitude()
	switch {
	case err != nil:
	case negative && magnitude <= 1<<63:
		v = -int64(magnitude)
	case negative || magnitude > math.MaxInt64:
		err = d.fail(0, fmt.Errorf("%w: the integer does not fit 64 bits with a sign", ErrWrongType))
	default:
		v = int64(magnitude)
	}
	return v, d.rest(err), err
}

// CutUint decodes the integer at the front of packed and returns what follows
// it. One that does not fit a uint64 gives ErrWrongType.
func CutUint(packed []byte) (v uint64, rest []byte, err error) {
	d := decoder{in: packed}
	v, negative, err := d.cutMagnitude()
	if err == nil && negative {
		v, err = 0, d.fail(0, fmt.Errorf("%w: the integer is negative", ErrWrongType))
	}
	return v, d.rest(err), err
}

// cutMagnitude is magnitude for an input that may not hold an integer.
func (d *decoder) cutMagnitude() (v uint64, negative bool, err error) {
	if err := d.expect("an integer of up to eight bytes", codeIntZero-intBytesMax, codeIntZero+intBytesMax); err != nil {
		return 0, false, err
	}
	return d.magnitude()
}

// CutFloat64 decodes the 64-bit float at the front of packed and returns what
// follows it.
func CutFloat64(packed []byte) (v float64, rest []byte, err error) {
	d := decoder{in: packed}
	if err = d.expect("a 64-bit float", codeDouble, codeDouble); err == nil {
		v, err = d.double()
	}
	return v, d.rest(err), err
}

// CutBool decodes the truth value at the front of packed and returns what
// follows it.
func CutBool(packed []byte) (v bool, rest []byte, err error) {
	d := decoder{in: packed}
	if err = d.expect("a truth value", codeFalse, codeTrue); err == nil {
		v = packed[0] == codeTrue
		d.at++
	}
	return v, d.rest(err), err
}

// CutUUID decodes the UUID at the front of packed and returns what follows it.
func CutUUID(packed []byte) (v UUID, rest []byte, err error) {
	d := decoder{in: packed}
	if err = d.expect("a UUID", codeUUID, codeUUID); err == nil {
		v, err = d.uuid()
	}
	return v, d.rest(err), err
}

// CutVersionstamp decodes the Versionstamp at the front of packed and returns
// what follows it.
func CutVersionstamp(packed []byte) (v Versionstamp, rest []byte, err error) {
	d := decoder{in: packed}
	if err = d.expect("a versionstamp", codeVersionstamp, codeVersionstamp); err == nil {
		v, err = d.versionstamp()
	}
	return v, d.rest(err), err
}

// expect returns why the input does not begin with a type code from low to
// high.
func (d *decoder) expect(what string, low, high byte) error {
	if len(d.in) == 0 {
		return &DecodeError{Err: fmt.Errorf("%w: %s is missing", ErrTruncated, what)}
	}
	if code := d.in[0]; code < low || code > high {
		return d.fail(0, fmt.Errorf("%w, which is %s", ErrWrongType, what))
	}
	return nil
}

// rest returns what has not been read, all of it after an error.
func (d *decoder) rest(err error) []byte {
	if err != nil {
		return d.in
	}
	return d.in[d.at:]
}
