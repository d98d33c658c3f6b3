package typed

import (
	"fmt"
	"math"
	"time"

	"github.com/plinthdb/plinth/kv/tuple"
)

// KeyCodec writes keys as elements of a tuple and reads them back. Those of
// this package cover Go's basic types and compose; write one for other types by
// composing or wrapping them. A codec must be safe for concurrent use.
type KeyCodec[K any] interface {
	// Elements is the number of tuple elements of every key.
	Elements() int
	// AppendKey appends the encoding of the first n elements of key, at most
	// Elements of them, to dst. On an error dst is of no use any more.
	AppendKey(dst []byte, key K, n int) ([]byte, error)
	// CutKey decodes all elements of a key at the front of packed, of which the
	// key must keep no part, and returns what follows them.
	CutKey(packed []byte) (key K, rest []byte, err error)
}

// StringKey is for strings, which sort by their bytes.
func StringKey[K ~string]() KeyCodec[K] { return stringKey[K]{} }

type stringKey[K ~string] struct{}

func (stringKey[K]) Elements() int { return 1 }

func (stringKey[K]) AppendKey(dst []byte, key K, n int) ([]byte, error) {
	if n == 0 {
		return dst, nil
	}
	return tuple.AppendString(dst, string(key)), nil
}

func (stringKey[K]) CutKey(packed []byte) (K, []byte, error) {
	s, rest, err := tuple.CutString(packed)
	return K(s), rest, err
}

// BytesKey is for byte strings.
func BytesKey[K ~[]byte]() KeyCodec[K] { return bytesKey[K]{} }

type bytesKey[K ~[]byte] struct{}

func (bytesKey[K]) Elements() int { return 1 }

func (bytesKey[K]) AppendKey(dst []byte, key K, n int) ([]byte, error) {
	if n == 0 {
		return dst, nil
	}
	return tuple.AppendBytes(dst, key), nil
}

func (bytesKey[K]) CutKey(packed []byte) (K, []byte, error) {
	return tuple.CutBytes(packed)
}

// IntKey is for integers with a sign.
func IntKey[K ~int | ~int8 | ~int16 | ~int32 | ~int64]() KeyCodec[K] { return intKey[K]{} }

type intKey[K ~int | ~int8 | ~int16 | ~int32 | ~int64] struct{}

func (intKey[K]) Elements() int { return 1 }

func (intKey[K]) AppendKey(dst []byte, key K, n int) ([]byte, error) {
	if n == 0 {
		return dst, nil
	}
	return tuple.AppendInt(dst, int64(key)), nil
}

func (intKey[K]) CutKey(packed []byte) (K, []byte, error) {
	v, rest, err := tuple.CutInt(packed)
	if err == nil && int64(K(v)) != v {
		return 0, packed, fmt.Errorf("%w %T: %d", ErrOutOfRange, K(0), v)
	}
	return K(v), rest, err
}

// UintKey is for integers without a sign.
func UintKey[K ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64]() KeyCodec[K] { return uintKey[K]{} }

type uintKey[K ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64] struct{}

func (uintKey[K]) Elements() int { return 1 }

func (uintKey[K]) AppendKey(dst []byte, key K, n int) ([]byte, error) {
	if n == 0 {
		return dst, nil
	}
	return tuple.AppendUint(dst, uint64(key)), nil
}

func (uintKey[K]) CutKey(packed []byte) (K, []byte, error) {
	v, rest, err := tuple.CutUint(packed)
	if err == nil && uint64(K(v)) != v {
		return 0, packed, fmt.Errorf("%w %T: %d", ErrOutOfRange, K(0), v)
	}
	return K(v), rest, err
}

// simpleKey is a codec of one element made of two functions.
type simpleKey[K any] struct {
	add func(dst []byte, key K) ([]byte, error)
	cut func(packed []byte) (K, []byte, error)
}

func (simpleKey[K]) Elements() int { return 1 }

func (c simpleKey[K]) AppendKey(dst []byte, key K, n int) ([]byte, error) {
	if n == 0 {
		return dst, nil
	}
	return c.add(dst, key)
}

func (c simpleKey[K]) CutKey(packed []byte) (K, []byte, error) { return c.cut(packed) }

// Float64Key is for floats, in the IEEE 754 total order: -0 before +0, NaNs at
// both ends.
func Float64Key() KeyCodec[float64] {
	return simpleKey[float64]{
		add: func(dst []byte, key float64) ([]byte, error) { return tuple.AppendFloat64(dst, key), nil },
		cut: tuple.CutFloat64,
	}
}

// BoolKey is for truth values, false first.
func BoolKey() KeyCodec[bool] {
	return simpleKey[bool]{
		add: func(dst []byte, key bool) ([]byte, error) { return tuple.AppendBool(dst, key), nil },
		cut: tuple.CutBool,
	}
}

// UUIDKey is for UUIDs.
func UUIDKey() KeyCodec[tuple.UUID] {
	return simpleKey[tuple.UUID]{
		add: func(dst []byte, key tuple.UUID) ([]byte, error) { return tuple.AppendUUID(dst, key), nil },
		cut: tuple.CutUUID,
	}
}

// VersionstampKey is for complete versionstamps, such as those of rows that
// were written with kv.Transaction.SetVersionstampedKey. Writing an incomplete
// one is an error that wraps tuple.ErrIncomplete.
func VersionstampKey() KeyCodec[tuple.Versionstamp] {
	return simpleKey[tuple.Versionstamp]{
		add: func(dst []byte, key tuple.Versionstamp) ([]byte, error) {
			if key.IsIncomplete() {
				return dst, tuple.ErrIncomplete
			}
			return tuple.AppendVersionstamp(dst, key), nil
		},
		cut: tuple.CutVersionstamp,
	}
}

// TimeKey is for moments, as an integer of nanoseconds since 1970: those from
// 1678 to 2262, others are ErrOutOfRange. What is read back is the same moment
// in UTC, without a monotonic clock reading.
func TimeKey() KeyCodec[time.Time] {
	first, last := time.Unix(0, math.MinInt64), time.Unix(0, math.MaxInt64)
	return simpleKey[time.Time]{
		add: func(dst []byte, key time.Time) ([]byte, error) {
			if key.Before(first) || key.After(last) {
				return dst, fmt.Errorf("%w: nanoseconds since 1970 of %v", ErrOutOfRange, key)
			}
			return tuple.AppendInt(dst, key.UnixNano()), nil
		},
		cut: func(packed []byte) (time.Time, []byte, error) {
			v, rest, err := tuple.CutInt(packed)
			if err != nil {
				return time.Time{}, rest, err
			}
			return time.Unix(0, v).UTC(), rest, nil
		},
	}
}
