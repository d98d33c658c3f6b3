package shell

import (
	"context"

	"github.com/plinthdb/plinth/cmd/plinth/internal/tupletext"
	"github.com/plinthdb/plinth/kv/tuple"
)

const displayHelp = `With tuples, keys that are the encoding of a tuple are printed as that, as it is entered: \("user", 42). With alltuples values are, too; what was not meant as a tuple may look like one. With bytes, as at first, keys and values are printed as bytes.

Without an argument the setting is printed. It changes nothing in the output of --json.

For information on tuples, type ` + "`help tuples'."

const tuplesHelp = `
A tuple is written \("user", 42), as a key, a value, or the end of one. It stands
for its encoding, that of FoundationDB's tuple layer. It is one word; blanks and
semicolons in it are plain. In double quotes \( has no meaning.

 "text"                          text in UTF-8
 b"bytes\x00"                    bytes
 42                              integer of any length
 1.5, 2.0, 1e3, Inf, -Inf, NaN   float of 64 bits
 float32(1.5)                    float of 32 bits
 true, false, nil
 UUID(123e4567-e89b-12d3-a456-426614174000)
 Versionstamp(000000000000000a0000, 7)
 ("nested", 1)

In text and bytes \" is a quote, \\ a backslash and \xNN a byte.

getrange \("user") prints all keys that begin with that element. A prefix may
stand before a tuple: \x15\x01\("user", 42).

Versionstamp(incomplete, 7) is for atomic set_versionstamped_key and
set_versionstamped_value: the place of the stamp is added, and nothing may follow
in the word.

With ` + "`display tuples'" + ` keys are printed so that they can be pasted back.

`

// display is how keys and values are printed.
type display string

const (
	displayBytes     display = "bytes"
	displayTuples    display = "tuples"
	displayAllTuples display = "alltuples"
)

// displayNames are the arguments of the verb display.
func displayNames() []string {
	return []string{string(displayBytes), string(displayTuples), string(displayAllTuples)}
}

// keyText is how a key is printed.
func (s *Session) keyText(key []byte) string {
	text := tuple.Printable(key)
	if s.display != displayBytes {
		text = tupleOr(key)
	}
	return "`" + s.paint(cyan, text) + "'"
}

// value is how a value is printed.
func (d display) value(value []byte) string {
	if d == displayAllTuples {
		return tupleOr(value)
	}
	return tuple.Printable(value)
}

// tupleOr is the tuple that b encodes, as it is entered, or b as bytes.
func tupleOr(b []byte) string {
	if text, ok := tupletext.OfKey(b); ok {
		return `\` + text
	}
	return tuple.Printable(b)
}

func (s *Session) setDisplay(_ context.Context, args [][]byte) (reply, error) {
	if len(args) == 1 {
		switch d := display(args[0]); d {
		case displayBytes, displayTuples, displayAllTuples:
			s.display = d
			return reply{}, nil
		}
		return reply{}, usageOf("display")
	}
	return reply{string(s.display) + "\n", fields{{"display", string(s.display)}}}, nil
}
