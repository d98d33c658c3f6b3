package shell

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// commandsOf makes commands of words.
func commandsOf(lists ...[]string) []Command {
	var out []Command
	for _, list := range lists {
		var c Command
		for _, word := range list {
			c = append(c, []byte(word))
		}
		out = append(out, c)
	}
	return out
}

// sameCommands compares without telling nil from empty.
func sameCommands(a, b []Command) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if len(a[i]) != len(b[i]) {
			return false
		}
		for j := range a[i] {
			if string(a[i][j]) != string(b[i][j]) {
				return false
			}
		}
	}
	return true
}

func TestLinesSplitAsInFdbcli(t *testing.T) {
	for line, want := range map[string][]Command{
		``:                           nil,
		` ; ;; `:                     nil,
		`get a`:                      commandsOf([]string{"get", "a"}),
		"\t get \r a \n":             commandsOf([]string{"get", "a"}),
		`get a;get b ; get c;`:       commandsOf([]string{"get", "a"}, []string{"get", "b"}, []string{"get", "c"}),
		`set "a b" "c;d"`:            commandsOf([]string{"set", "a b", "c;d"}),
		`set a"b c"d ""`:             commandsOf([]string{"set", "ab cd", ""}),
		`set a\ b c\;d`:              commandsOf([]string{"set", "a b", "c;d"}),
		`set \"a\" "\""`:             commandsOf([]string{"set", `"a"`, `"`}),
		`set \x20\x3b\x22 \u0020\\`:  commandsOf([]string{"set", ` ;"`, ` \`}),
		`set "\x00\u00Ff" 'a`:        commandsOf([]string{"set", "\x00\xff", "'a"}),
		`get "" ; get`:               commandsOf([]string{"get", ""}, []string{"get"}),
		`"";get`:                     commandsOf([]string{""}, []string{"get"}),
		"get \u00e9":                 commandsOf([]string{"get", "\u00e9"}),
		`set "tab	in quotes" "a  b"`: commandsOf([]string{"set", "tab\tin quotes", "a  b"}),
	} {
		if got, err := Parse(line); err != nil || !sameCommands(got, want) {
			t.Errorf("Parse(%q) = %q, %v, want %q", line, got, err, want)
		}
	}
}

func TestMalformedLinesSayWhere(t *testing.T) {
	for line, want := range map[string]struct {
		column int
		reason string
	}{
		`get a\`:               {6, "ends after a backslash"},
		`get \q`:               {5, `unknown escape \q`},
		`get \x`:               {5, "two hexadecimal digits"},
		`get \xg0`:             {5, "two hexadecimal digits"},
		`get \u00`:             {5, "four hexadecimal digits"},
		`get \u0100`:           {5, "from \\u0000 to \\u00ff"},
		`get \u00fg`:           {5, "four hexadecimal digits"},
		`set "a b`:             {5, "unterminated quote"},
		`set "a" b"c d`:        {10, "unterminated quote"},
		`get a; get "b; get c`: {12, "unterminated quote"},
	} {
		got, err := Parse(line)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Column != want.column || !strings.Contains(syntax.Reason, want.reason) || got != nil {
			t.Errorf("Parse(%q) = %q, %v, want column %d and %q", line, got, err, want.column, want.reason)
		}
	}
}

func TestQuotedWordsParseBack(t *testing.T) {
	any := rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte("\x00 \t\n;\"\\x\xff")))
	rapid.Check(t, func(r *rapid.T) {
		words := rapid.SliceOfN(rapid.SliceOf(any), 1, 4).Draw(r, "words")
		line := Quote(words)
		if got, err := Parse(line); err != nil || !sameCommands(got, []Command{words}) {
			r.Fatalf("H1: %q quoted as %s parsed as %q, %v", words, line, got, err)
		}
	})
}

// TestKeysPrintedAsTuplesParseBack checks H5 for keys that are tuples, nearly so,
// or anything.
func TestKeysPrintedAsTuplesParseBack(t *testing.T) {
	s := NewSession(Config{})
	s.display = displayTuples
	parts := rapid.SampledFrom([]string{"\x02a b;\x00", "\x15\x07", "\x00", "\x01\x00\xff\"\x00", "\x05\x02x\x00\x00", "\x27", "\x02", "z"})
	rapid.Check(t, func(r *rapid.T) {
		key := []byte(strings.Join(rapid.SliceOfN(parts, 1, 4).Draw(r, "key"), ""))
		text := strings.TrimSuffix(strings.TrimPrefix(s.keyText(key), "`"), "'")
		if !strings.HasPrefix(text, `\(`) {
			return // As bytes.
		}
		if got, err := Parse("get " + text + ";"); err != nil || !sameCommands(got, []Command{{[]byte("get"), key}}) {
			r.Fatalf("H5: %q is printed %s, which is read as %q, %v", key, text, got, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{`set "a b" \x00;get c`, `\u00ff"`, `a\`, `";"`, `get p\("a; b", (1.5, nil), b"\x00\""); get \(1`, `atomic x \(Versionstamp(incomplete, 1)) v`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		commands, err := Parse(line)
		if err != nil {
			return
		}
		var quoted []string
		for _, c := range commands {
			if len(c) == 0 {
				t.Fatalf("Parse(%q) has an empty command", line)
			}
			quoted = append(quoted, Quote(c))
		}
		again, err := Parse(strings.Join(quoted, ";"))
		if err != nil || !sameCommands(again, commands) {
			t.Fatalf("H1: %q is %q, quoted and read again %q, %v", line, commands, again, err)
		}
	})
}
