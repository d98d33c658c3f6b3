package rowjson

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/plinthdb/plinth/cmd/plinth/internal/escape"
)

// expected names what a row has to look like.
const expected = `a row is {"key":…,"value":…}, with key_base64 or value_base64 for bytes that are no text`

// ParseRow appends the key and then the value of a row to dst. keyBytes is the
// length of the key. White space may stand between the parts. Its errors are
// *escape.Error; dst is then returned as it was.
func ParseRow(dst, line []byte) (out []byte, keyBytes int, err error) {
	p := parser{in: line, out: dst}
	if err := p.row(); err != nil {
		return dst, 0, err
	}
	key, value := p.key, p.value
	if key.begin < value.begin || key.begin == key.end {
		return p.out, key.end - key.begin, nil
	}
	ordered := append(append([]byte{}, p.out[key.begin:key.end]...), p.out[value.begin:value.end]...)
	return append(dst, ordered...), key.end - key.begin, nil
}

// span is where a string lies in the output, once it was read.
type span struct {
	begin, end int
	read       bool
}

type parser struct {
	in         []byte
	at         int
	out        []byte
	key, value span
}

// row reads the object and demands that nothing follows.
func (p *parser) row() error {
	if !p.next('{') {
		return p.wrong("expected {: " + expected)
	}
	for more := !p.next('}'); more; {
		if err := p.member(); err != nil {
			return err
		}
		switch {
		case p.next(','):
		case p.next('}'):
			more = false
		default:
			return p.wrong("expected , or } after a member")
		}
	}
	switch {
	case !p.key.read:
		return p.wrong(`no "key" and no "key_base64": ` + expected)
	case !p.value.read:
		return p.wrong(`no "value" and no "value_base64": ` + expected)
	}
	if p.blank(); p.at < len(p.in) {
		return p.wrong("expected nothing after the object: a line is one row")
	}
	return nil
}

// member reads a name and its value.
func (p *parser) member() error {
	to, what, isBase64, err := p.name()
	if err != nil {
		return err
	}
	if !p.next(':') {
		return p.wrong("expected : after the name of a member")
	}
	p.blank()
	at, begin := p.at, len(p.out)
	if err := p.text(what); err != nil {
		return err
	}
	if isBase64 {
		n, err := base64.StdEncoding.Strict().Decode(p.out[begin:], p.out[begin:])
		if err != nil {
			return p.wrongAt(at, what+Base64Suffix+" is not base64 of the standard alphabet with padding")
		}
		p.out = p.out[:begin+n]
	}
	*to = span{begin, len(p.out), true}
	return nil
}

// name reads the name of a member. It returns where its value goes, what that
// is, and whether it is in base64.
func (p *parser) name() (to *span, what string, isBase64 bool, err error) {
	p.blank()
	at, begin := p.at, len(p.out)
	if err := p.text("the name of a member"); err != nil {
		return nil, "", false, err
	}
	name := p.out[begin:]
	p.out = p.out[:begin]
	plain, isBase64 := bytes.CutSuffix(name, []byte(Base64Suffix))
	switch string(plain) {
	case "key":
		to, what = &p.key, "key"
	case "value":
		to, what = &p.value, "value"
	default:
		return nil, "", false, p.wrongAt(at, fmt.Sprintf("unknown member %.40q: %s", name, expected))
	}
	if to.read {
		return nil, "", false, p.wrongAt(at, "a second "+what)
	}
	return to, what, isBase64, nil
}

// text reads a string, what names it, and appends its bytes to the output.
func (p *parser) text(what string) error {
	if !p.next('"') {
		return p.wrong(fmt.Sprintf("expected a string, %s", what))
	}
	for p.at < len(p.in) {
		n := plainLength(p.in[p.at:])
		p.out = append(p.out, p.in[p.at:p.at+n]...)
		if p.at += n; p.at == len(p.in) {
			break
		}
		switch c := p.in[p.at]; {
		case c == '"':
			p.at++
			return nil
		case c == '\\':
			if err := p.escape(); err != nil {
				return err
			}
		case c < ' ':
			return p.wrong(fmt.Sprintf(`raw control character in a string: write it as \u%04x`, c))
		default:
			r, width := utf8.DecodeRune(p.in[p.at:])
			if r == utf8.RuneError && width == 1 {
				return p.wrong("a byte that is not UTF-8: write the whole in base64, in key_base64 or value_base64")
			}
			p.out = append(p.out, p.in[p.at:p.at+width]...)
			p.at += width
		}
	}
	return p.wrong("the line ends inside a string")
}

// plainLength returns how many bytes at the beginning of the inside of a string
// stand for themselves and are ASCII.
func plainLength(text []byte) int {
	for i, c := range text {
		if c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return i
		}
	}
	return len(text)
}

// escape reads an escape sequence of a string.
func (p *parser) escape() error {
	rest := p.in[p.at:]
	if len(rest) < 2 {
		return p.wrong("the line ends after a backslash")
	}
	const names, stands = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if i := strings.IndexByte(names, rest[1]); i >= 0 {
		p.out = append(p.out, stands[i])
		p.at += 2
		return nil
	}
	unit, ok := codeUnit(rest)
	if !ok {
		return p.wrong(`expected \" \\ \/ \b \f \n \r \t or \u and four hexadecimal digits`)
	}
	width := 6
	if utf16.IsSurrogate(unit) {
		low, _ := codeUnit(rest[6:])
		if unit = utf16.DecodeRune(unit, low); unit == utf8.RuneError {
			return p.wrong("half of a surrogate pair, which is no character: write the bytes in base64")
		}
		width = 12
	}
	p.out = utf8.AppendRune(p.out, unit)
	p.at += width
	return nil
}

// codeUnit reads \u and four hexadecimal digits at the beginning of text.
func codeUnit(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	high, ok := escape.Hex(text[2:])
	low, ok2 := escape.Hex(text[4:])
	if !ok || !ok2 {
		return 0, false
	}
	return rune(high)<<8 | rune(low), true
}

// next passes over white space and then over c, if that comes next.
func (p *parser) next(c byte) bool {
	p.blank()
	if p.at < len(p.in) && p.in[p.at] == c {
		p.at++
		return true
	}
	return false
}

// blank passes over white space.
func (p *parser) blank() {
	for p.at < len(p.in) && strings.IndexByte(" \t\r\n", p.in[p.at]) >= 0 {
		p.at++
	}
}

func (p *parser) wrong(reason string) error { return p.wrongAt(p.at, reason) }

func (p *parser) wrongAt(at int, reason string) error {
	return &escape.Error{Column: at + 1, Reason: reason}
}
