package typed

import (
	"encoding"
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// Codec writes values as bytes and reads them back. It must be safe for
// concurrent use.
type Codec[V any] interface {
	// AppendValue appends the encoding of value to dst. On an error dst is of
	// no use any more.
	AppendValue(dst []byte, value V) ([]byte, error)
	// DecodeValue decodes b, which the value may keep.
	DecodeValue(b []byte) (V, error)
}

// CodecOf makes a Codec of two functions.
func CodecOf[V any](add func(dst []byte, value V) ([]byte, error), decode func(b []byte) (V, error)) Codec[V] {
	return codecOf[V]{add, decode}
}

type codecOf[V any] struct {
	add    func(dst []byte, value V) ([]byte, error)
	decode func(b []byte) (V, error)
}

func (c codecOf[V]) AppendValue(dst []byte, value V) ([]byte, error) { return c.add(dst, value) }
func (c codecOf[V]) DecodeValue(b []byte) (V, error)                 { return c.decode(b) }

// JSON writes values as encoding/json does. It is the most forgiving choice:
// fields can be added and removed later.
func JSON[V any]() Codec[V] {
	return CodecOf(
		func(dst []byte, value V) ([]byte, error) {
			text, err := json.Marshal(value)
			return append(dst, text...), err
		},
		func(b []byte) (value V, err error) {
			err = json.Unmarshal(b, &value)
			return value, err
		})
}

// binaryValue is a pointer to V that writes and reads itself.
type binaryValue[V any] interface {
	*V
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

// Binary is for types with MarshalBinary and UnmarshalBinary, on the value or
// its pointer: typed.Binary[netip.Addr](). AppendBinary is used if it is there.
func Binary[V any, P binaryValue[V]]() Codec[V] {
	return CodecOf(
		func(dst []byte, value V) ([]byte, error) {
			p := P(&value)
			if appender, ok := any(p).(encoding.BinaryAppender); ok {
				return appender.AppendBinary(dst)
			}
			b, err := p.MarshalBinary()
			return append(dst, b...), err
		},
		func(b []byte) (value V, err error) {
			err = P(&value).UnmarshalBinary(b)
			return value, err
		})
}

// String stores strings as they are.
func String[V ~string]() Codec[V] { return stringValue[V]{} }

type stringValue[V ~string] struct{}

func (stringValue[V]) AppendValue(dst []byte, value V) ([]byte, error) {
	return append(dst, value...), nil
}

func (stringValue[V]) DecodeValue(b []byte) (V, error) { return V(b), nil }

// Bytes stores byte strings as they are. A nil slice reads back as an empty
// one.
func Bytes[V ~[]byte]() Codec[V] { return bytesValue[V]{} }

type bytesValue[V ~[]byte] struct{}

func (bytesValue[V]) AppendValue(dst []byte, value V) ([]byte, error) {
	return append(dst, value...), nil
}

func (bytesValue[V]) DecodeValue(b []byte) (V, error) { return b, nil }

// Int64 stores integers in eight bytes, little-endian, as the atomic operation
// Add wants them.
func Int64[V ~int64]() Codec[V] { return int64Value[V]{} }

type int64Value[V ~int64] struct{}

func (int64Value[V]) AppendValue(dst []byte, value V) ([]byte, error) {
	return binary.LittleEndian.AppendUint64(dst, uint64(value)), nil
}

func (int64Value[V]) DecodeValue(b []byte) (V, error) {
	if len(b) != 8 {
		return 0, fmt.Errorf("%w: %d bytes instead of 8", ErrLength, len(b))
	}
	return V(binary.LittleEndian.Uint64(b)), nil
}

// TupleValue stores values as tuples, by the codec of a key: small, and
// readable from other languages.
func TupleValue[V any](codec KeyCodec[V]) Codec[V] { return tupleValue[V]{codec} }

type tupleValue[V any] struct{ codec KeyCodec[V] }

func (c tupleValue[V]) AppendValue(dst []byte, value V) ([]byte, error) {
	return c.codec.AppendKey(dst, value, c.codec.Elements())
}

func (c tupleValue[V]) DecodeValue(b []byte) (V, error) {
	value, rest, err := c.codec.CutKey(b)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%w: %d of them", ErrLeftover, len(rest))
	}
	return value, err
}

// None is for maps whose keys say everything: sets.
func None() Codec[struct{}] {
	return CodecOf(
		func(dst []byte, _ struct{}) ([]byte, error) { return dst, nil },
		func(b []byte) (none struct{}, err error) {
			if len(b) > 0 {
				err = fmt.Errorf("%w: %d bytes instead of none", ErrLength, len(b))
			}
			return none, err
		})
}
