package escape

import (
	"bytes"
	"fmt"
)

// Error says where and why text cannot be read.
type Error struct {
	// Column is the place of the first wrong byte, counted from 1.
	Column int
	// Reason says what is wrong and what to write instead.
	Reason string
}

// Error returns the reason and the column.
func (e *Error) Error() string { return fmt.Sprintf("column %d: %s", e.Column, e.Reason) }

// Parse returns the bytes that text stands for. Its errors are *Error.
func Parse(text string) ([]byte, error) { return Append(nil, []byte(text)) }

// Append appends the bytes that text stands for to dst. Bytes of 0x80 and
// above stand for themselves; control characters must be escaped, so that a
// stray one is noticed. Its errors are *Error; dst is then returned as it was.
func Append(dst, text []byte) ([]byte, error) {
	out := dst
	for at := 0; at < len(text); {
		n := bytes.IndexByte(text[at:], '\\')
		if n < 0 {
			n = len(text) - at
		}
		if i := indexControl(text[at : at+n]); i >= 0 {
			c := text[at+i]
			return dst, &Error{Column: at + i + 1, Reason: fmt.Sprintf(`raw control character: write it as \x%02x`, c)}
		}
		out = append(out, text[at:at+n]...)
		if at += n; at == len(text) {
			break
		}
		c, width, reason := sequence(text[at:])
		if reason != "" {
			return dst, &Error{Column: at + 1, Reason: reason}
		}
		out = append(out, c)
		at += width
	}
	return out, nil
}

// indexControl returns the place of the first ASCII control character, or -1.
func indexControl(text []byte) int {
	for i, c := range text {
		if c < 0x20 || c == 0x7f {
			return i
		}
	}
	return -1
}

// sequence reads the escape sequence at the beginning of text. A reason says
// why it is none.
func sequence(text []byte) (c byte, width int, reason string) {
	if len(text) < 2 {
		return 0, 0, `the text ends after a backslash: write \\ for a backslash`
	}
	switch text[1] {
	case '\\':
		return '\\', 2, ""
	case 'x':
		c, ok := Hex(text[2:])
		if !ok {
			return 0, 0, `\x is not followed by two hexadecimal digits`
		}
		return c, 4, ""
	}
	return 0, 0, fmt.Sprintf(`unknown escape \%c: write \xNN for a byte and \\ for a backslash`, text[1])
}

// Hex reads the two hexadecimal digits at the beginning of text.
func Hex(text []byte) (c byte, ok bool) {
	if len(text) < 2 {
		return 0, false
	}
	high, low := digit(text[0]), digit(text[1])
	return high<<4 | low, high < 16 && low < 16
}

// digit returns the value of a hexadecimal digit, 255 if c is none.
func digit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
