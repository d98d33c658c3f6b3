package tuple

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strings"
)

// AppendNull appends the encoding of nil, as an element that is not inside a
// nested tuple.
func AppendNull(dst []byte) []byte { return append(dst, codeNull) }

// AppendBytes appends the encoding of a byte string.
func AppendBytes(dst, b []byte) []byte {
	dst = append(dst, codeBytes)
	for {
		i := bytes.IndexByte(b, terminator)
		if i < 0 {
			return append(append(dst, b...), terminator)
		}
		dst = append(append(dst, b[:i+1]...), escape)
		b = b[i+1:]
	}
}

// AppendString appends the encoding of a string.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, codeString)
	for {
		i := strings.IndexByte(s, terminator)
		if i < 0 {
			return append(append(dst, s...), terminator)
		}
		dst = append(append(dst, s[:i+1]...), escape)
		s = s[i+1:]
	}
}

// AppendInt appends the encoding of an integer.
func AppendInt(dst []byte, v int64) []byte {
	if v >= 0 {
		return AppendUint(dst, uint64(v))
	}
	magnitude := -uint64(v)
	n := magnitudeBytes(magnitude)
	return appendLow(append(dst, byte(codeIntZero-n)), ^magnitude, n)
}

// AppendUint appends the encoding of an integer.
func AppendUint(dst []byte, v uint64) []byte {
	n := magnitudeBytes(v)
	return appendLow(append(dst, byte(codeIntZero+n)), v, n)
}

// magnitudeBytes is how many bytes v needs, none for zero.
func magnitudeBytes(v uint64) int { return (bits.Len64(v) + 7) / 8 }

// appendLow appends the n low bytes of v, highest first.
func appendLow(dst []byte, v uint64, n int) []byte {
	var b [intBytesMax]byte
	binary.BigEndian.PutUint64(b[:], v)
	return append(dst, b[intBytesMax-n:]...)
}

// AppendBigInt appends the encoding of an integer of any size up to 255 bytes,
// the same as AppendInt's where the value fits one. Its error is
// ErrIntegerTooLarge.
func AppendBigInt(dst []byte, v *big.Int) ([]byte, error) {
	if v.IsInt64() {
		return AppendInt(dst, v.Int64()), nil
	}
	if v.IsUint64() {
		return AppendUint(dst, v.Uint64()), nil
	}
	n := (v.BitLen() + 7) / 8
	if n > bigBytesMax {
		return dst, fmt.Errorf("%w: it has %d", ErrIntegerTooLarge, n)
	}
	var buf [bigBytesMax]byte
	magnitude := v.FillBytes(buf[:n])
	if v.Sign() > 0 {
		if n <= intBytesMax {
			return append(append(dst, byte(codeIntZero+n)), magnitude...), nil
		}
		return append(append(dst, codePositiveBig, byte(n)), magnitude...), nil
	}
	for i := range magnitude {
		magnitude[i] = ^magnitude[i]
	}
	if n <= intBytesMax {
		return append(append(dst, byte(codeIntZero-n)), magnitude...), nil
	}
	return append(append(dst, codeNegativeBig, ^byte(n)), magnitude...), nil
}

// AppendFloat32 appends the encoding of a 32-bit float, to the bit.
func AppendFloat32(dst []byte, v float32) []byte {
	b := math.Float32bits(v)
	return binary.BigEndian.AppendUint32(append(dst, codeFloat), b^floatFlip32(b>>31))
}

// AppendFloat64 appends the encoding of a 64-bit float, to the bit.
func AppendFloat64(dst []byte, v float64) []byte {
	b := math.Float64bits(v)
	return binary.BigEndian.AppendUint64(append(dst, codeDouble), b^floatFlip64(b>>63))
}

// floatFlip32 is what is flipped so that floats sort as unsigned integers: the
// sign of a float that is not negative, all bits of a negative one (sign 1).
func floatFlip32(sign uint32) uint32 { return -sign | 1<<31 }

// floatFlip64 is floatFlip32 for 64 bits.
func floatFlip64(sign uint64) uint64 { return -sign | 1<<63 }

// AppendBool appends the encoding of a truth value.
func AppendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, codeTrue)
	}
	return append(dst, codeFalse)
}

// AppendUUID appends the encoding of a UUID.
func AppendUUID(dst []byte, v UUID) []byte { return append(append(dst, codeUUID), v[:]...) }

// AppendVersionstamp appends the encoding of a Versionstamp, complete or not.
// To commit an incomplete one its place is needed as well: see
// Tuple.PackWithVersionstamp.
func AppendVersionstamp(dst []byte, v Versionstamp) []byte {
	dst = append(append(dst, codeVersionstamp), v.TransactionVersion[:]...)
	return binary.BigEndian.AppendUint16(dst, v.UserVersion)
}
