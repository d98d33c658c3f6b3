package rowjson

import (
	"bytes"
	"encoding/base64"
	"unicode"
	"unicode/utf8"

	"github.com/plinthdb/plinth/kv"
)

// Base64Suffix ends the names of members that hold bytes in base64.
const Base64Suffix = "_base64"

// Style says how bytes are written.
type Style int

const (
	// Readable writes text where that is possible, base64 elsewhere.
	Readable Style = iota
	// Base64 writes base64 throughout, so that all rows have the same members.
	Base64
)

// AppendRow appends a row as an object, without a line end, to dst.
func AppendRow(dst []byte, row kv.KeyValue, style Style) []byte {
	dst = AppendMember(append(dst, '{'), "key", row.Key, style)
	dst = AppendMember(append(dst, ','), "value", row.Value, style)
	return append(dst, '}')
}

// AppendMember appends a member of an object that holds bytes: name and value
// with a colon between. name must need no escape.
func AppendMember(dst []byte, name string, b []byte, style Style) []byte {
	dst = append(append(dst, '"'), name...)
	if style == Readable && isText(b) {
		dst = appendText(append(dst, `":"`...), b)
		return append(dst, '"')
	}
	dst = append(append(dst, Base64Suffix...), `":"`...)
	return append(base64.StdEncoding.AppendEncode(dst, b), '"')
}

// isText reports whether bytes are written as text.
func isText(b []byte) bool {
	for i := 0; i < len(b); {
		if c := b[i]; c < utf8.RuneSelf {
			if (c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f {
				return false
			}
			i++
			continue
		}
		r, width := utf8.DecodeRune(b[i:])
		if (r == utf8.RuneError && width == 1) || unicode.IsControl(r) {
			return false
		}
		i += width
	}
	return true
}

// appendText appends text as the inside of a JSON string.
func appendText(dst, text []byte) []byte {
	for len(text) > 0 {
		n := bytes.IndexAny(text, "\"\\\t\n\r")
		if n < 0 {
			return append(dst, text...)
		}
		dst = append(append(dst, text[:n]...), '\\')
		switch c := text[n]; c {
		case '\t':
			dst = append(dst, 't')
		case '\n':
			dst = append(dst, 'n')
		case '\r':
			dst = append(dst, 'r')
		default:
			dst = append(dst, c)
		}
		text = text[n+1:]
	}
	return dst
}
