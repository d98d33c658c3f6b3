package tuple

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
)

// Unpack decodes a packed tuple. What it returns shares no memory with packed.
// Its errors are *DecodeError.
func Unpack(packed []byte) (Tuple, error) {
	d := decoder{in: packed}
	t := make(Tuple, 0, min(firstElements, len(packed)))
	for d.at < len(d.in) {
		e, err := d.element()
		if err != nil {
			return nil, err
		}
		t = append(t, e)
	}
	return t, nil
}

// firstElements is how many elements Unpack makes room for at first: enough
// for most keys.
const firstElements = 6

// decoder reads elements from in, the next one at at. depth counts the nested
// tuples around it.
type decoder struct {
	in    []byte
	at    int
	depth int
}

func (d *decoder) fail(offset int, err error) error {
	return &DecodeError{Offset: offset, Code: d.in[offset], Err: err}
}

// element reads the element at d.at and moves d.at past it.
func (d *decoder) element() (Element, error) {
	code := d.in[d.at]
	switch {
	case code == codeNull:
		d.at++
		if d.depth > 0 {
			d.at++ // The escape, which nested has seen.
		}
		return nil, nil
	case code == codeBytes:
		return boxed(d.byteString())
	case code == codeString:
		return boxed(d.text())
	case code == codeNested:
		return boxed(d.nested())
	case codeIntZero-intBytesMax <= code && code <= codeIntZero+intBytesMax:
		return d.integer()
	case code == codeNegativeBig, code == codePositiveBig:
		return boxed(d.bigInteger())
	case code == codeFalse, code == codeTrue:
		d.at++
		return code == codeTrue, nil
	}
	return d.fixed(code)
}

// boxed makes an Element of a typed result, nil on an error.
func boxed[T any](v T, err error) (Element, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

// fixed reads an element whose type code says its length.
func (d *decoder) fixed(code byte) (Element, error) {
	switch code {
	case codeFloat:
		b, err := d.take(4)
		if err != nil {
			return nil, err
		}
		u := binary.BigEndian.Uint32(b)
		return math.Float32frombits(u ^ floatFlip32(^u>>31)), nil
	case codeDouble:
		return boxed(d.double())
	case codeUUID:
		return boxed(d.uuid())
	case codeVersionstamp:
		return boxed(d.versionstamp())
	}
	if what := reservedCode(code); what != "" {
		return nil, d.fail(d.at, fmt.Errorf("%w (%s)", ErrReservedCode, what))
	}
	return nil, d.fail(d.at, ErrUnknownCode)
}

func (d *decoder) double() (float64, error) {
	b, err := d.take(8)
	if err != nil {
		return 0, err
	}
	u := binary.BigEndian.Uint64(b)
	return math.Float64frombits(u ^ floatFlip64(^u>>63)), nil
}

func (d *decoder) uuid() (UUID, error) {
	b, err := d.take(len(UUID{}))
	if err != nil {
		return UUID{}, err
	}
	return UUID(b), nil
}

func (d *decoder) versionstamp() (v Versionstamp, err error) {
	n := len(v.TransactionVersion)
	b, err := d.take(n + 2)
	if err != nil {
		return v, err
	}
	copy(v.TransactionVersion[:], b)
	v.UserVersion = binary.BigEndian.Uint16(b[n:])
	return v, nil
}

// take passes over a type code and the n bytes after it, which it returns.
func (d *decoder) take(n int) ([]byte, error) {
	rest := d.in[d.at+1:]
	if len(rest) < n {
		return nil, d.fail(d.at, ErrTruncated)
	}
	d.at += 1 + n
	return rest[:n], nil
}

// escaped passes over a type code, a string and its terminator. It returns the
// string with its zero bytes still escaped, and their number.
func (d *decoder) escaped() (content []byte, zeros int, err error) {
	begin := d.at + 1
	for i := begin; ; i += 2 {
		n := bytes.IndexByte(d.in[i:], terminator)
		if n < 0 {
			return nil, 0, d.fail(d.at, ErrTruncated)
		}
		if i += n; i+1 == len(d.in) || d.in[i+1] != escape {
			d.at = i + 1
			return d.in[begin:i], zeros, nil
		}
		zeros++
	}
}

// unescape appends content to dst, each 0x00 0xff as 0x00.
func unescape(dst, content []byte) []byte {
	for {
		i := bytes.IndexByte(content, terminator)
		if i < 0 {
			return append(dst, content...)
		}
		dst = append(dst, content[:i+1]...)
		content = content[i+2:]
	}
}

func (d *decoder) byteString() ([]byte, error) {
	content, zeros, err := d.escaped()
	if err != nil {
		return nil, err
	}
	return unescape(make([]byte, 0, len(content)-zeros), content), nil
}

func (d *decoder) text() (string, error) {
	content, zeros, err := d.escaped()
	if err != nil {
		return "", err
	}
	if zeros == 0 {
		return string(content), nil
	}
	return string(unescape(make([]byte, 0, len(content)-zeros), content)), nil
}

// nested reads a tuple up to and with its terminator. It is never nil, so that
// an empty nested tuple differs from a null.
func (d *decoder) nested() (Tuple, error) {
	begin := d.at
	if d.depth++; d.depth > MaxDepth {
		return nil, d.fail(begin, ErrTooDeep)
	}
	t := Tuple{}
	for d.at++; d.at < len(d.in); {
		if d.in[d.at] == terminator && (d.at+1 == len(d.in) || d.in[d.at+1] != escape) {
			d.at++
			d.depth--
			return t, nil
		}
		e, err := d.element()
		if err != nil {
			return nil, err
		}
		t = append(t, e)
	}
	return nil, d.fail(begin, ErrTruncated)
}

// integer reads an integer of up to eight bytes: int64 if it fits, uint64 if
// it is above, *big.Int if it is below.
func (d *decoder) integer() (Element, error) {
	v, negative, err := d.magnitude()
	switch {
	case err != nil:
		return nil, err
	case negative && v > 1<<63:
		below := new(big.Int).SetUint64(v)
		return below.Neg(below), nil
	case negative:
		return -int64(v), nil
	case v > math.MaxInt64:
		return v, nil
	}
	return int64(v), nil
}

// magnitude reads an integer of up to eight bytes as its absolute value and
// its sign.
func (d *decoder) magnitude() (v uint64, negative bool, err error) {
	begin := d.at
	n := int(d.in[begin]) - codeIntZero
	if negative = n < 0; negative {
		n = -n
	}
	b, err := d.take(n)
	if err != nil {
		return 0, false, err
	}
	for _, c := range b {
		if negative {
			c = ^c
		}
		v = v<<8 | uint64(c)
	}
	if magnitudeBytes(v) != n {
		return 0, false, d.fail(begin, ErrNotCanonical)
	}
	return v, negative, nil
}

// bigInteger reads an integer of nine to 255 bytes.
func (d *decoder) bigInteger() (*big.Int, error) {
	begin := d.at
	negative := d.in[begin] == codeNegativeBig
	if begin+1 == len(d.in) {
		return nil, d.fail(begin, ErrTruncated)
	}
	n := d.in[begin+1]
	if negative {
		n = ^n
	}
	b, err := d.take(1 + int(n))
	if err != nil {
		return nil, err
	}
	magnitude := bytes.Clone(b[1:])
	if negative {
		for i := range magnitude {
			magnitude[i] = ^magnitude[i]
		}
	}
	if n <= intBytesMax || magnitude[0] == 0 {
		return nil, d.fail(begin, ErrNotCanonical)
	}
	v := new(big.Int).SetBytes(magnitude)
	if negative {
		v.Neg(v)
	}
	return v, nil
}
