package shell

import (
	"context"
	"fmt"
	"strings"
)

// helpWidth is the column at which help text is broken.
const helpWidth = 80

const escapingHelp = `
Blanks separate the words of a command and semicolons separate commands. To
have one inside a word put the word in double quotes ("hello world"), a
backslash before it (hello\ world), or write it as a byte (hello\x20world).

A double quote or a backslash in a word takes a backslash before it, in quotes
and outside (\"hello\"). An empty word is written "".

Any byte may be written as \x and two hexadecimal digits, or as \u and four
from 0000 to 00ff: \x0a\x00\x00\x00 and \u000a\x00\x00\x00 are both the integer
10 in 32 bits, little-endian.

Printed keys and values have printable ASCII as it is, \\ for a backslash and
\xNN for everything else. To paste one back put a backslash before its quotes
and blanks.

`

func (s *Session) help(_ context.Context, args [][]byte) error {
	switch {
	case len(args) == 0, len(args) == 1 && string(args[0]) == "help":
		s.helpOverview()
		return nil
	case len(args) > 1:
		return &usage{verbs()["help"]}
	case string(args[0]) == "escaping":
		fmt.Fprint(s.out, escapingHelp)
		return nil
	}
	v, ok := verbs()[string(args[0])]
	if !ok {
		return &misuse{fmt.Sprintf("I don't know anything about `%s'", Quote(args))}
	}
	fmt.Fprintf(s.out, "\n%s\n\n%s%s.\n\n", v.usage, strings.ToUpper(v.short[:1]), v.short[1:])
	for paragraph := range strings.SplitSeq(v.long, "\n\n") {
		if paragraph != "" {
			fmt.Fprintf(s.out, "%s\n\n", fold(paragraph, helpWidth))
		}
	}
	return nil
}

func (s *Session) helpOverview() {
	table := verbs()
	fmt.Fprint(s.out, "\nList of commands:\n\n")
	for _, name := range verbNames() {
		fmt.Fprintf(s.out, " %-13s %s\n", name, table[name].short)
	}
	fmt.Fprint(s.out, "\nFor information on a specific command, type `help <command>'.\n"+escapingValues+"\n\n")
}

// fold breaks text at blanks into lines of at most width columns.
func fold(text string, width int) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case column+1+len(word) > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}
