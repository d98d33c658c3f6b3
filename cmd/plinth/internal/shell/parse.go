package shell

import (
	"errors"
	"fmt"
	"strings"

	"github.com/plinthdb/plinth/cmd/plinth/internal/escape"
	"github.com/plinthdb/plinth/cmd/plinth/internal/tupletext"
	"github.com/plinthdb/plinth/kv/tuple"
)

// Command is one command of a line: its words, without quotes and escapes. It
// has at least one.
type Command [][]byte

// SyntaxError says where and why a line cannot be read.
type SyntaxError struct {
	Column int // from 1
	Reason string
}

// Error returns the reason and the column.
func (e *SyntaxError) Error() string { return fmt.Sprintf("column %d: %s", e.Column, e.Reason) }

// Parse splits a line into commands, at semicolons, and these into words, at
// blanks. In double quotes both are plain. Everywhere \xNN is a byte, \uNNNN
// one up to \u00ff, and a backslash before a quote, backslash, blank or
// semicolon takes its meaning away. Outside of quotes \( begins a tuple, which
// stands for its encoding; see package tupletext. Its error is a *SyntaxError;
// then nothing of the line is to be run.
func Parse(line string) ([]Command, error) {
	p := parser{in: []byte(line)}
	for p.at < len(p.in) {
		if err := p.step(); err != nil {
			return nil, err
		}
	}
	if p.quote > 0 {
		return nil, &SyntaxError{Column: p.quote, Reason: "unterminated quote"}
	}
	p.endCommand()
	return p.commands, nil
}

type parser struct {
	in       []byte
	at       int
	commands []Command
	command  Command
	word     []byte
	// inWord tells an empty word, as quotes make one, from none.
	inWord bool
	// quote is the column of the quote that is open, 0 if none is.
	quote int
}

// step reads one byte or one escape sequence.
func (p *parser) step() error {
	c := p.in[p.at]
	switch {
	case c == '\\':
		return p.escape()
	case c == '"' && p.quote > 0:
		p.quote = 0
	case c == '"':
		p.quote = p.at + 1
		p.inWord = true
	case p.quote == 0 && c == ';':
		p.endCommand()
	case p.quote == 0 && strings.IndexByte(" \t\r\n", c) >= 0:
		p.endWord()
	default:
		p.add(c)
	}
	p.at++
	return nil
}

func (p *parser) add(c byte) {
	p.word = append(p.word, c)
	p.inWord = true
}

func (p *parser) endWord() {
	if p.inWord {
		p.command = append(p.command, p.word)
	}
	p.word, p.inWord = nil, false
}

func (p *parser) endCommand() {
	p.endWord()
	if len(p.command) > 0 {
		p.commands = append(p.commands, p.command)
	}
	p.command = nil
}

// escape reads the escape sequence at p.at.
func (p *parser) escape() error {
	rest := p.in[p.at+1:]
	if len(rest) == 0 {
		return p.malformed("the line ends after a backslash")
	}
	switch rest[0] {
	case '"', '\\', ' ', ';':
		p.add(rest[0])
		p.at += 2
		return nil
	case 'x':
		c, ok := escape.Hex(rest[1:])
		if !ok {
			return p.malformed(`\x is not followed by two hexadecimal digits`)
		}
		p.add(c)
		p.at += 4
		return nil
	case 'u':
		if high, ok := escape.Hex(rest[1:]); !ok || high != 0 {
			return p.malformed(`\u takes four hexadecimal digits, from \u0000 to \u00ff`)
		}
		c, ok := escape.Hex(rest[3:])
		if !ok {
			return p.malformed(`\u takes four hexadecimal digits, from \u0000 to \u00ff`)
		}
		p.add(c)
		p.at += 6
		return nil
	}
	if rest[0] == '(' && p.quote == 0 {
		return p.tuple(rest)
	}
	return p.malformed(fmt.Sprintf(`unknown escape \%c`, rest[0]))
}

// tuple reads the tuple that begins behind the backslash at p.at, with rest.
func (p *parser) tuple(rest []byte) error {
	t, n, err := tupletext.Parse(rest)
	var syntax *escape.Error
	if errors.As(err, &syntax) {
		return &SyntaxError{Column: p.at + 1 + syntax.Column, Reason: syntax.Reason}
	}
	if err == nil && t.HasIncompleteVersionstamp() {
		err = p.stamped(t, rest[n:])
	} else if err == nil {
		p.word, err = t.Append(p.word)
	}
	if err != nil {
		return &SyntaxError{Column: p.at + 1, Reason: err.Error()}
	}
	p.inWord = true
	p.at += 1 + n
	return nil
}

// stamped ends a word with a tuple whose versionstamp the commit fills in. The
// place of the stamp follows it, as those operations want it.
func (p *parser) stamped(t tuple.Tuple, rest []byte) (err error) {
	if len(p.command) == 0 || string(p.command[0]) != "atomic" {
		return errors.New("tuple: an incomplete versionstamp is for atomic set_versionstamped_key and set_versionstamped_value")
	}
	if len(rest) > 0 && strings.IndexByte(" \t\r\n;", rest[0]) < 0 {
		return errors.New("tuple: nothing can follow an incomplete versionstamp in its word")
	}
	p.word, err = t.PackWithVersionstamp(p.word)
	return err
}

func (p *parser) malformed(reason string) error {
	return &SyntaxError{Column: p.at + 1, Reason: "malformed escape sequence: " + reason}
}

// Quote returns a line that Parse reads as one command of the given words, in
// printable ASCII (H1).
func Quote(words [][]byte) string {
	var b strings.Builder
	for i, word := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		if len(word) == 0 {
			b.WriteString(`""`)
		}
		for _, c := range word {
			switch {
			case c == '\\' || c == '"':
				b.Write([]byte{'\\', c})
			case c <= ' ' || c >= 0x7f || c == ';':
				fmt.Fprintf(&b, `\x%02x`, c)
			default:
				b.WriteByte(c)
			}
		}
	}
	return b.String()
}
