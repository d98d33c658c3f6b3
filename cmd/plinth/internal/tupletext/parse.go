package tupletext

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/plinthdb/plinth/cmd/plinth/internal/escape"
	"github.com/plinthdb/plinth/kv/tuple"
)

// maxDigits is more than the longest integer of a tuple has, 255 bytes.
const maxDigits = 620

// Parse reads the tuple at the beginning of text, which must be its opening
// parenthesis, and returns the number of bytes that it takes. The error is an
// *escape.Error.
func Parse(text []byte) (t tuple.Tuple, n int, err error) {
	p := parser{in: text}
	t, err = p.tuple(0)
	return t, p.at, err
}

type parser struct {
	in []byte
	at int
}

func (p *parser) fail(format string, args ...any) error {
	return p.failAt(p.at, format, args...)
}

func (p *parser) failAt(at int, format string, args ...any) error {
	return &escape.Error{Column: at + 1, Reason: "tuple: " + fmt.Sprintf(format, args...)}
}

// next returns the byte to come, 0 at the end.
func (p *parser) next() byte {
	if p.at == len(p.in) {
		return 0
	}
	return p.in[p.at]
}

func (p *parser) blanks() {
	for p.next() == ' ' || p.next() == '\t' {
		p.at++
	}
}

// tuple reads a tuple from its parenthesis on.
func (p *parser) tuple(depth int) (tuple.Tuple, error) {
	if depth > tuple.MaxDepth {
		return nil, p.fail("it is nested more than %d times", tuple.MaxDepth)
	}
	if err := p.expect('('); err != nil {
		return nil, err
	}
	t := tuple.Tuple{}
	for {
		p.blanks()
		if p.next() == ')' {
			p.at++
			return t, nil
		}
		e, err := p.element(depth)
		if err != nil {
			return nil, err
		}
		t = append(t, e)
		p.blanks()
		switch p.next() {
		case ',':
			p.at++
		case ')':
		case 0:
			return nil, p.fail("it has no end: ) is missing")
		default:
			return nil, p.fail("expected , or ) behind an element")
		}
	}
}

func (p *parser) expect(c byte) error {
	if p.next() != c || p.at == len(p.in) {
		return p.fail("expected %c", c)
	}
	p.at++
	return nil
}

// element reads an element, which begins at p.at.
func (p *parser) element(depth int) (tuple.Element, error) {
	begin := p.at
	switch {
	case p.next() == '(':
		return p.tuple(depth + 1)
	case p.next() == '"':
		text, err := p.quoted()
		if err == nil && !utf8.Valid(text) {
			err = p.failAt(begin, `the string is no text in UTF-8; b"..." is for bytes`)
		}
		return string(text), err
	case p.next() == 'b' && p.at+1 < len(p.in) && p.in[p.at+1] == '"':
		p.at++
		return p.quoted()
	}
	word := p.word()
	switch strings.ToLower(word) {
	case "nil", "null":
		return nil, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "uuid", "versionstamp", "float32":
		return p.call(strings.ToLower(word))
	}
	return p.number(begin, word, 64)
}

// quoted reads a string from its quote on.
func (p *parser) quoted() ([]byte, error) {
	begin := p.at
	p.at++
	out := []byte{}
	for p.at < len(p.in) {
		c := p.in[p.at]
		switch {
		case c == '"':
			p.at++
			return out, nil
		case c != '\\':
			out = append(out, c)
			p.at++
			continue
		}
		rest := p.in[p.at+1:]
		switch {
		case len(rest) > 0 && (rest[0] == '"' || rest[0] == '\\'):
			out = append(out, rest[0])
			p.at += 2
		case len(rest) > 0 && rest[0] == 'x':
			b, ok := escape.Hex(rest[1:])
			if !ok {
				return nil, p.fail(`\x is not followed by two hexadecimal digits`)
			}
			out = append(out, b)
			p.at += 4
		default:
			return nil, p.fail(`in a string a backslash is followed by a quote, a backslash, or x and two hexadecimal digits`)
		}
	}
	return nil, p.failAt(begin, "the string has no end")
}

// word reads letters, digits and the signs of numbers.
func (p *parser) word() string {
	begin := p.at
	for p.at < len(p.in) {
		c := p.in[p.at]
		isLetter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !isLetter && (c < '0' || c > '9') && c != '+' && c != '-' && c != '.' {
			break
		}
		p.at++
	}
	return string(p.in[begin:p.at])
}

// number reads a number that is a word. Of 32 bits all are floats.
func (p *parser) number(begin int, word string, bits int) (tuple.Element, error) {
	digits := strings.TrimPrefix(word, "-")
	if bits == 64 && digits != "" && strings.Trim(digits, "0123456789") == "" {
		return p.integer(begin, word)
	}
	switch {
	case strings.EqualFold(strings.TrimLeft(word, "+-"), "inf") || strings.EqualFold(word, "nan"):
	case digits == "" || strings.Trim(word, "0123456789+-.eE") != "" || strings.Trim(digits[:1], "0123456789.") != "":
		if word == "" {
			return nil, p.failAt(begin, `expected an element: "text", b"bytes", a number, true, false, nil, UUID(...), Versionstamp(...) or a tuple`)
		}
		return nil, p.failAt(begin, "%s is no element; text is in double quotes", word)
	}
	v, err := strconv.ParseFloat(word, bits)
	if err != nil {
		return nil, p.failAt(begin, "%s is no number, or too great for %d bits", word, bits)
	}
	if bits == 32 {
		return float32(v), nil
	}
	return v, nil
}

// integer reads a word of digits.
func (p *parser) integer(begin int, word string) (tuple.Element, error) {
	if v, err := strconv.ParseInt(word, 10, 64); err == nil {
		return v, nil
	}
	if v, err := strconv.ParseUint(word, 10, 64); err == nil {
		return v, nil
	}
	if len(word) > maxDigits {
		return nil, p.failAt(begin, "the integer is too long")
	}
	v, ok := new(big.Int).SetString(word, 10)
	if !ok {
		return nil, p.failAt(begin, "%s is no integer", word)
	}
	if _, err := tuple.AppendBigInt(nil, v); err != nil {
		return nil, p.failAt(begin, "the integer is too long")
	}
	return v, nil
}

// call reads what is in the parentheses behind a name.
func (p *parser) call(name string) (tuple.Element, error) {
	if err := p.expect('('); err != nil {
		return nil, err
	}
	p.blanks()
	begin := p.at
	first := p.word()
	var e tuple.Element
	var err error
	switch name {
	case "uuid":
		e, err = p.uuid(begin, first)
	case "float32":
		e, err = p.number(begin, first, 32)
	default:
		e, err = p.versionstamp(begin, first)
	}
	if err != nil {
		return nil, err
	}
	p.blanks()
	return e, p.expect(')')
}

func (p *parser) uuid(begin int, word string) (u tuple.UUID, err error) {
	digits, err := hex.DecodeString(strings.ReplaceAll(word, "-", ""))
	if err != nil || len(digits) != len(u) {
		return u, p.failAt(begin, "a UUID has 32 hexadecimal digits")
	}
	copy(u[:], digits)
	return u, nil
}

// versionstamp reads the order of the user behind the stamp.
func (p *parser) versionstamp(begin int, word string) (v tuple.Versionstamp, err error) {
	v = tuple.IncompleteVersionstamp(0)
	if !strings.EqualFold(word, "incomplete") {
		digits, err := hex.DecodeString(word)
		if err != nil || len(digits) != len(v.TransactionVersion) {
			return v, p.failAt(begin, "a versionstamp has 20 hexadecimal digits, or is incomplete")
		}
		copy(v.TransactionVersion[:], digits)
	}
	p.blanks()
	if p.next() == ')' {
		return v, nil
	}
	if err := p.expect(','); err != nil {
		return v, err
	}
	p.blanks()
	begin = p.at
	user, err := strconv.ParseUint(p.word(), 10, 16)
	if err != nil {
		return v, p.failAt(begin, "the user's order in a versionstamp is a number from 0 to 65535")
	}
	v.UserVersion = uint16(user)
	return v, nil
}
