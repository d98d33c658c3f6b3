package tupletext

import (
	"bytes"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/plinthdb/plinth/kv/tuple"
)

// OfKey returns the text of a key that is the encoding of a tuple of one element
// or more, and whether it is.
func OfKey(key []byte) (text string, ok bool) {
	t, err := tuple.Unpack(key)
	if err != nil || len(t) == 0 {
		return "", false
	}
	out := Append(nil, t)
	again, n, err := Parse(out)
	if err != nil || n != len(out) {
		return "", false
	}
	packed, err := again.Append(nil)
	if err != nil || !bytes.Equal(packed, key) {
		return "", false
	}
	return string(out), true
}

// Append appends the text of a tuple to dst.
func Append(dst []byte, t tuple.Tuple) []byte {
	dst = append(dst, '(')
	for i, e := range t {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = appendElement(dst, e)
	}
	return append(dst, ')')
}

func appendElement(dst []byte, e tuple.Element) []byte {
	switch v := e.(type) {
	case nil:
		return append(dst, "nil"...)
	case string:
		return appendString(dst, v)
	case []byte:
		return appendBytes(append(dst, 'b'), v)
	case bool:
		return strconv.AppendBool(dst, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case uint:
		return strconv.AppendUint(dst, uint64(v), 10)
	case uint64:
		return strconv.AppendUint(dst, v, 10)
	case *big.Int:
		return v.Append(dst, 10)
	case big.Int:
		return v.Append(dst, 10)
	case float64:
		return appendFloat(dst, v, 64)
	case float32:
		return append(appendFloat(append(dst, "float32("...), float64(v), 32), ')')
	case tuple.UUID:
		return append(append(append(dst, "UUID("...), v.String()...), ')')
	case tuple.Versionstamp:
		return append(dst, v.String()...)
	case tuple.Tuple:
		return Append(dst, v)
	}
	return append(dst, '?') // No other type is unpacked; Parse refuses this.
}

// appendString appends text with what cannot be printed as bytes.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i, r := range s {
		size := utf8.RuneLen(r)
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == utf8.RuneError || !unicode.IsPrint(r):
			if r == utf8.RuneError { // That rune itself, or a byte that is no text.
				_, size = utf8.DecodeRuneInString(s[i:])
			}
			for _, c := range []byte(s[i : i+size]) {
				dst = appendHex(dst, c)
			}
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

// appendBytes appends bytes in quotes.
func appendBytes(dst, b []byte) []byte {
	dst = append(dst, '"')
	for _, c := range b {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ' || c >= 0x7f:
			dst = appendHex(dst, c)
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

func appendHex(dst []byte, c byte) []byte {
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'x', digits[c>>4], digits[c&15])
}

// appendFloat appends a float so that it cannot be taken for an integer.
func appendFloat(dst []byte, v float64, bits int) []byte {
	if math.IsInf(v, 1) {
		return append(dst, "Inf"...)
	}
	text := strconv.FormatFloat(v, 'g', -1, bits)
	dst = append(dst, text...)
	if !strings.ContainsAny(text, ".eIN") {
		dst = append(dst, ".0"...)
	}
	return dst
}
