package model

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"

	"github.com/plinthdb/plinth/kv/tuple"
	"github.com/plinthdb/plinth/tests/conformance/machine"
)

// Tuples is the tuple encoding as FoundationDB's design document describes it,
// written for being believed. Of kv/tuple it uses only the types of elements.
type Tuples struct {
	// shortPlace: the place of a stamp is two bytes.
	shortPlace bool
}

// The type codes.
const (
	codeNull         = 0x00
	codeBytes        = 0x01
	codeString       = 0x02
	codeNested       = 0x05
	codeZero         = 0x14
	codeBigPositive  = 0x1d
	codeBigNegative  = 0x0b
	codeFloat        = 0x20
	codeDouble       = 0x21
	codeFalse        = 0x26
	codeTrue         = 0x27
	codeUUID         = 0x30
	codeVersionstamp = 0x33
)

var (
	errIncomplete = errors.New("tuple holds an incomplete versionstamp")
	errMalformed  = errors.New("not a packed tuple")
)

// Pack implements machine.Tuples.
func (l Tuples) Pack(t tuple.Tuple) ([]byte, error) {
	if len(l.stamps(t)) > 0 {
		return nil, errIncomplete
	}
	return l.encode(t, false)
}

// Encode is Pack, but takes incomplete versionstamps as they are. Instructions
// hold some.
func (l Tuples) Encode(t tuple.Tuple) ([]byte, error) { return l.encode(t, false) }

func (l Tuples) encode(t tuple.Tuple, nested bool) (out []byte, err error) {
	for _, element := range t {
		one, err := l.element(element, nested)
		if err != nil {
			return nil, err
		}
		out = append(out, one...)
	}
	return out, nil
}

func (l Tuples) element(element any, nested bool) ([]byte, error) {
	switch v := element.(type) {
	case nil:
		if nested {
			return []byte{codeNull, 0xff}, nil
		}
		return []byte{codeNull}, nil
	case []byte:
		return terminated(codeBytes, v), nil
	case string:
		return terminated(codeString, []byte(v)), nil
	case tuple.Tuple:
		inner, err := l.encode(v, true)
		return append(append([]byte{codeNested}, inner...), 0), err
	case int:
		return integer(big.NewInt(int64(v))), nil
	case int64:
		return integer(big.NewInt(v)), nil
	case uint64:
		return integer(new(big.Int).SetUint64(v)), nil
	case *big.Int:
		return integer(v), nil
	case float32:
		return ordered(codeFloat, binary.BigEndian.AppendUint32(nil, math.Float32bits(v))), nil
	case float64:
		return ordered(codeDouble, binary.BigEndian.AppendUint64(nil, math.Float64bits(v))), nil
	case bool:
		if v {
			return []byte{codeTrue}, nil
		}
		return []byte{codeFalse}, nil
	case tuple.UUID:
		return append([]byte{codeUUID}, v[:]...), nil
	case tuple.Versionstamp:
		out := append([]byte{codeVersionstamp}, v.TransactionVersion[:]...)
		return binary.BigEndian.AppendUint16(out, v.UserVersion), nil
	}
	return nil, fmt.Errorf("element of type %T", element)
}

// terminated encodes bytes that may hold zeros.
func terminated(code byte, b []byte) []byte {
	out := append([]byte{code}, bytes.ReplaceAll(b, []byte{0}, []byte{0, 0xff})...)
	return append(out, 0)
}

// integer encodes an integer: its length is in the code, a negative one is the
// complement of its magnitude.
func integer(n *big.Int) []byte {
	magnitude := n.Bytes()
	length := len(magnitude)
	if n.Sign() < 0 {
		for i := range magnitude {
			magnitude[i] = ^magnitude[i]
		}
		if length > 8 {
			return append([]byte{codeBigNegative, ^byte(length)}, magnitude...)
		}
		return append([]byte{byte(codeZero - length)}, magnitude...)
	}
	if length > 8 {
		return append([]byte{codeBigPositive, byte(length)}, magnitude...)
	}
	return append([]byte{byte(codeZero + length)}, magnitude...)
}

// ordered encodes a float: the sign bit is flipped, and all others as well if
// it was set.
func ordered(code byte, bits []byte) []byte {
	if bits[0]&0x80 == 0 {
		bits[0] |= 0x80
		return append([]byte{code}, bits...)
	}
	for i := range bits {
		bits[i] = ^bits[i]
	}
	return append([]byte{code}, bits...)
}

// Unpack implements machine.Tuples.
func (l Tuples) Unpack(packed []byte) (tuple.Tuple, error) {
	t, rest, err := l.decode(packed, false)
	if err == nil && len(rest) > 0 {
		err = errMalformed
	}
	return t, err
}

// decode decodes elements up to the end, or of a nested tuple.
func (l Tuples) decode(b []byte, nested bool) (t tuple.Tuple, rest []byte, err error) {
	for len(b) > 0 {
		if nested && b[0] == 0 {
			if len(b) < 2 || b[1] != 0xff {
				return t, b[1:], nil
			}
			t, b = append(t, nil), b[2:]
			continue
		}
		var element any
		if element, b, err = l.decodeOne(b); err != nil {
			return nil, nil, err
		}
		t = append(t, element)
	}
	if nested {
		return nil, nil, errMalformed
	}
	return t, nil, nil
}

func (l Tuples) decodeOne(b []byte) (element any, rest []byte, err error) {
	code, b := b[0], b[1:]
	take := func(n int) []byte {
		if err != nil || len(b) < n {
			err = errMalformed
			return make([]byte, n)
		}
		out := clone(b[:n])
		b = b[n:]
		return out
	}
	switch {
	case code == codeNull:
		element = nil
	case code == codeBytes || code == codeString:
		var content []byte
		if content, b, err = unterminated(b); code == codeBytes {
			element = content
		} else {
			element = string(content)
		}
	case code == codeNested:
		element, b, err = l.decode(b, true)
	case code == codeBigNegative:
		element = decodeInteger(take(int(^take(1)[0])), true)
	case code == codeBigPositive:
		element = decodeInteger(take(int(take(1)[0])), false)
	case code > codeBigNegative && code < codeZero:
		element = decodeInteger(take(int(codeZero-code)), true)
	case code >= codeZero && code < codeBigPositive:
		element = decodeInteger(take(int(code-codeZero)), false)
	case code == codeFloat:
		element = math.Float32frombits(binary.BigEndian.Uint32(unordered(take(4))))
	case code == codeDouble:
		element = math.Float64frombits(binary.BigEndian.Uint64(unordered(take(8))))
	case code == codeFalse || code == codeTrue:
		element = code == codeTrue
	case code == codeUUID:
		element = tuple.UUID(take(16))
	case code == codeVersionstamp:
		element = tuple.Versionstamp{TransactionVersion: [10]byte(take(10)), UserVersion: binary.BigEndian.Uint16(take(2))}
	default:
		err = errMalformed
	}
	return element, b, err
}

func unterminated(b []byte) (content, rest []byte, err error) {
	content = []byte{}
	for i := 0; i < len(b); i++ {
		if b[i] != 0 {
			content = append(content, b[i])
			continue
		}
		if i+1 == len(b) || b[i+1] != 0xff {
			return content, b[i+1:], nil
		}
		content = append(content, 0)
		i++
	}
	return nil, nil, errMalformed
}

func decodeInteger(magnitude []byte, negative bool) any {
	if negative {
		for i := range magnitude {
			magnitude[i] = ^magnitude[i]
		}
	}
	n := new(big.Int).SetBytes(magnitude)
	if negative {
		n.Neg(n)
	}
	switch {
	case n.IsInt64():
		return n.Int64()
	case n.IsUint64():
		return n.Uint64()
	}
	return n
}

func unordered(bits []byte) []byte {
	if bits[0]&0x80 != 0 {
		bits[0] &^= 0x80
		return bits
	}
	for i := range bits {
		bits[i] = ^bits[i]
	}
	return bits
}

// stamps returns the places of incomplete versionstamps in the encoding of t.
func (l Tuples) stamps(t tuple.Tuple) (places []int) { return l.stampsFrom(t, false, 0) }

func (l Tuples) stampsFrom(t tuple.Tuple, nested bool, at int) (places []int) {
	for _, element := range t {
		switch v := element.(type) {
		case tuple.Tuple:
			places = append(places, l.stampsFrom(v, true, at+1)...)
		case tuple.Versionstamp:
			if v.TransactionVersion == [10]byte(bytes.Repeat([]byte{0xff}, 10)) {
				places = append(places, at+1)
			}
		}
		one, _ := l.element(element, nested)
		at += len(one)
	}
	return places
}

// PackWithVersionstamp implements machine.Tuples.
func (l Tuples) PackWithVersionstamp(prefix []byte, t tuple.Tuple) ([]byte, error) {
	places := l.stamps(t)
	switch {
	case len(places) == 0:
		return nil, machine.ErrNoStamp
	case len(places) > 1:
		return nil, machine.ErrManyStamps
	}
	packed, err := l.encode(t, false)
	out := append(clone(prefix), packed...)
	if l.shortPlace {
		return binary.LittleEndian.AppendUint16(out, uint16(len(prefix)+places[0])), err
	}
	return binary.LittleEndian.AppendUint32(out, uint32(len(prefix)+places[0])), err
}

// Range implements machine.Tuples.
func (l Tuples) Range(t tuple.Tuple) (begin, end []byte, err error) {
	packed, err := l.Pack(t)
	return append(clone(packed), 0), append(clone(packed), 0xff), err
}

// Compare implements machine.Tuples, by the encodings.
func (l Tuples) Compare(a, b tuple.Tuple) int {
	x, _ := l.encode(a, false)
	y, _ := l.encode(b, false)
	return bytes.Compare(x, y)
}
