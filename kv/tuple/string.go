package tuple

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// UUID is an RFC 4122 UUID, its bytes in network order. A UUID type of another
// package that is an array of 16 bytes converts: tuple.UUID(id).
type UUID [16]byte

// String returns the UUID in its usual form of five groups of hexadecimal
// digits.
func (u UUID) String() string {
	var out [36]byte
	hex.Encode(out[0:8], u[0:4])
	hex.Encode(out[9:13], u[4:6])
	hex.Encode(out[14:18], u[6:8])
	hex.Encode(out[19:23], u[8:10])
	hex.Encode(out[24:36], u[10:16])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}

// String returns the stamp for people to read: transaction version as
// hexadecimal digits, or "incomplete", and user version.
func (v Versionstamp) String() string {
	if v.IsIncomplete() {
		return fmt.Sprintf("Versionstamp(incomplete, %d)", v.UserVersion)
	}
	return fmt.Sprintf("Versionstamp(%x, %d)", v.TransactionVersion, v.UserVersion)
}

// String returns the tuple for people to read: ("user", 42, b"\x01", nil).
func (t Tuple) String() string {
	var b strings.Builder
	t.write(&b, 0)
	return b.String()
}

func (t Tuple) write(b *strings.Builder, depth int) {
	if depth > MaxDepth {
		b.WriteString("(…)")
		return
	}
	b.WriteByte('(')
	for i, e := range t {
		if i > 0 {
			b.WriteString(", ")
		}
		if nested, ok := e.(Tuple); ok {
			nested.write(b, depth+1)
		} else {
			b.WriteString(elementText(e))
		}
	}
	b.WriteByte(')')
}

func elementText(e Element) string {
	switch v := e.(type) {
	case nil:
		return "nil"
	case string:
		return strconv.Quote(v)
	case []byte:
		return `b"` + Printable(v) + `"`
	case UUID:
		return "UUID(" + v.String() + ")"
	case big.Int:
		return v.String()
	}
	return fmt.Sprint(e)
}

// Printable returns bytes for people to read, in the form that FoundationDB's
// tools print: printable ASCII as it is, a backslash doubled, everything else
// as \xNN.
func Printable(b []byte) string { return string(AppendPrintable(make([]byte, 0, len(b)), b)) }

// AppendPrintable appends the printable form of b to dst, see Printable.
func AppendPrintable(dst, b []byte) []byte {
	const digits = "0123456789abcdef"
	plain := 0 // b[plain:i] stands for itself.
	for i, c := range b {
		if 0x20 <= c && c < 0x7f && c != '\\' {
			continue
		}
		dst = append(dst, b[plain:i]...)
		plain = i + 1
		if c == '\\' {
			dst = append(dst, '\\', '\\')
		} else {
			dst = append(dst, '\\', 'x', digits[c>>4], digits[c&15])
		}
	}
	return append(dst, b[plain:]...)
}
