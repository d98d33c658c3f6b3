package escape

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/kv/tuple"
)

func TestParseReadsWhatToolsPrint(t *testing.T) {
	for text, want := range map[string]string{
		``:                   "",
		`plain text "'`:      "plain text \"'",
		`\\x00`:              `\x00`,
		`\x00\xff\xAb\x5c`:   "\x00\xff\xab\\",
		`a\x09b\x0a`:         "a\tb\n",
		"\u00e9 as it is":    "\u00e9 as it is",
		`\\\\`:               `\\`,
		`ends in a byte\x7f`: "ends in a byte\x7f",
	} {
		if got, err := Parse(text); err != nil || string(got) != want {
			t.Errorf("Parse(%s) = %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestParseSaysWhereTextIsWrong(t *testing.T) {
	for text, want := range map[string]struct {
		column int
		reason string
	}{
		`ab\`:      {3, "ends after a backslash"},
		`ab\x`:     {3, "two hexadecimal digits"},
		`ab\x1`:    {3, "two hexadecimal digits"},
		`\xzz`:     {1, "two hexadecimal digits"},
		`\x0g`:     {1, "two hexadecimal digits"},
		`\\\n`:     {3, `unknown escape \n`},
		"a\\\\b\r": {5, `\x0d`},
		"tab\tbed": {4, `\x09`},
		"\x7f":     {1, `\x7f`},
	} {
		got, err := Append([]byte("before"), []byte(text))
		var syntax *Error
		if !errors.As(err, &syntax) || syntax.Column != want.column || !strings.Contains(syntax.Reason, want.reason) {
			t.Errorf("Append(%q): %v, want column %d and %q", text, err, want.column, want.reason)
		}
		if string(got) != "before" {
			t.Errorf("Append(%q) returned %q with its error", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", `a\x00\\`, "\xff\xfe\t", `\x`, `\u0000`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		printed := tuple.Printable(b)
		back, err := Parse(printed)
		if err != nil || !bytes.Equal(back, b) {
			t.Fatalf("E1: %q printed as %s came back as %q, %v", b, printed, back, err)
		}
		for _, c := range []byte(printed) {
			if c < 0x20 || c >= 0x7f {
				t.Fatalf("%q printed as %q, which is not printable", b, printed)
			}
		}
		if parsed, err := Append(nil, b); err == nil { // b as text that somebody typed
			if again, err := Parse(tuple.Printable(parsed)); err != nil || !bytes.Equal(again, parsed) {
				t.Fatalf("E1: %q came back as %q, %v", parsed, again, err)
			}
		}
	})
}
