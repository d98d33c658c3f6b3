package docs

import (
	"path"
	"strings"
	"testing"
)

// block is one fenced block of a Markdown file.
type block struct {
	kind string // the words behind the opening fence
	line int    // of the opening fence
	text string
}

// command is one command of a transcript and what it prints.
type command struct {
	line   int
	shell  string
	output []string
}

// blocks returns the fenced blocks of a Markdown text.
func blocks(text string) []block {
	var all []block
	var current *block
	for i, line := range strings.Split(text, "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && current == nil:
			current = &block{kind: strings.TrimSpace(fence), line: i + 1}
		case isFence:
			all = append(all, *current)
			current = nil
		case current != nil:
			current.text += line + "\n"
		}
	}
	return all
}

// commands splits a transcript. A command may go on over lines that end in a
// backslash.
func (b block) commands() []command {
	var all []command
	continued := false
	for i, line := range strings.Split(strings.TrimSuffix(b.text, "\n"), "\n") {
		shell, isCommand := strings.CutPrefix(line, "$ ")
		switch {
		case continued:
			all[len(all)-1].shell += "\n" + line
		case isCommand:
			all = append(all, command{line: b.line + i + 1, shell: shell})
		case len(all) > 0:
			last := &all[len(all)-1]
			last.output = append(last.output, line)
		}
		continued = (continued || isCommand) && strings.HasSuffix(line, `\`)
	}
	for i := range all {
		all[i].output = withoutEnd(all[i].output)
	}
	return all
}

// withoutEnd returns lines without the empty ones at their end.
func withoutEnd(lines []string) []string {
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// prints reports whether lines are what want shows, in which a line "..."
// stands for any number of lines and "..." inside a line for any text.
func prints(lines, want []string) bool {
	switch {
	case len(want) == 0:
		return len(lines) == 0
	case want[0] == "...":
		return prints(lines, want[1:]) || (len(lines) > 0 && prints(lines[1:], want))
	case len(lines) == 0:
		return false
	}
	matched, err := path.Match(pattern(want[0]), strings.ReplaceAll(lines[0], "/", "\x00"))
	return err == nil && matched && prints(lines[1:], want[1:])
}

// pattern turns a line into a pattern of path.Match, whose star stops at a
// slash, which is why prints hides those.
func pattern(line string) string {
	var b strings.Builder
	for _, r := range strings.ReplaceAll(line, "/", "\x00") {
		if strings.ContainsRune(`*?[\`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return strings.ReplaceAll(b.String(), "...", "*")
}

func TestBlocksAndCommandsKnowTheirLines(t *testing.T) {
	text := "# T\n```go\npackage main\n```\nprose\n```console\n$ a \\\n  b\nout\nmore\n\n$ c\n```\n"
	all := blocks(text)
	if len(all) != 2 || all[0].kind != "go" || all[0].text != "package main\n" || all[1].line != 6 {
		t.Fatalf("%+v", all)
	}
	cmds := all[1].commands()
	if len(cmds) != 2 || cmds[0].shell != "a \\\n  b" || strings.Join(cmds[0].output, ",") != "out,more" || cmds[1].line != 12 {
		t.Errorf("%+v", cmds)
	}
}

func TestPrintsTakesDotsForAnything(t *testing.T) {
	for _, c := range []struct {
		lines, want string
		matches     bool
	}{
		{"a|b|c", "a|b|c", true},
		{"a|b|c", "a|...|c", true},
		{"a|c", "a|...|c", true},
		{"a|b", "a|...|c", false},
		{"a|b", "a", false},
		{"a", "a|b", false},
		{"took 5 s/op", "took ... s/op", true},
		{"took 5 ms", "took ... s/op", false},
		{"[x]*?", "[x]*?", true},
		{"x*?", "[x]*?", false},
		{`a\b`, `a\b`, true},
	} {
		if got := prints(strings.Split(c.lines, "|"), strings.Split(c.want, "|")); got != c.matches {
			t.Errorf("%q prints %q: %v", c.lines, c.want, got)
		}
	}
}
