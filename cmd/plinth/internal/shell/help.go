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
10 in 32 bits, little-endian. For tuples, \("user", 42), see ` + "`help tuples'" + `.

Printed keys and values have printable ASCII as it is, \\ for a backslash and
\xNN for everything else. To paste one back put a backslash before its quotes
and blanks.

`

// topics are what help knows besides the commands.
func topics() []string { return []string{"escaping", "options", "tuples"} }

func (s *Session) help(_ context.Context, args [][]byte) (reply, error) {
	switch {
	case len(args) == 0, len(args) == 1 && string(args[0]) == "help":
		return textReply(helpOverview()), nil
	case len(args) > 1:
		return reply{}, usageOf("help")
	case string(args[0]) == "escaping":
		return textReply(escapingHelp), nil
	case string(args[0]) == "options":
		return textReply(optionsHelp()), nil
	case string(args[0]) == "tuples":
		return textReply(tuplesHelp), nil
	}
	if why, ok := absent()[string(args[0])]; ok {
		return textReply(fmt.Sprintf("\n%s\n\n", fold(absence(string(args[0]), why), helpWidth))), nil
	}
	v, ok := verbs()[string(args[0])]
	if !ok {
		return reply{}, &misuse{fmt.Sprintf("I don't know anything about `%s'", Quote(args))}
	}
	return textReply(v.help()), nil
}

// help explains the verb.
func (v verb) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n\n%s.\n\n", v.usage, capital(v.short))
	for paragraph := range strings.SplitSeq(v.long, "\n\n") {
		if paragraph != "" {
			fmt.Fprintf(&b, "%s\n\n", fold(paragraph, helpWidth))
		}
	}
	return b.String()
}

// capital returns text with its first letter, which must be ASCII, in
// capitals.
func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

func helpOverview() string {
	var b strings.Builder
	table := verbs()
	b.WriteString("\nList of commands:\n\n")
	for _, name := range verbNames() {
		fmt.Fprintf(&b, " %-21s  %s\n", name, table[name].short)
	}
	b.WriteString("\nFor information on a specific command, type `help <command>'.\n" + escapingValues +
		"\nFor information on tuples, type `help tuples'.\nFor information on available options, type `help options'.\n\n")
	return b.String()
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
