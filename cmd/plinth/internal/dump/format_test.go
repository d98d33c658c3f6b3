package dump

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/kv"
)

func rowOf(key, value string) kv.KeyValue {
	return kv.KeyValue{Key: []byte(key), Value: []byte(value)}
}

func sameRow(a, b kv.KeyValue) bool {
	return bytes.Equal(a.Key, b.Key) && bytes.Equal(a.Value, b.Value)
}

func TestLinesAreWhatFoundationDBsToolsPrint(t *testing.T) {
	for line, row := range map[string]kv.KeyValue{
		"a\tb\n":                               rowOf("a", "b"),
		"\t\n":                                 rowOf("", ""),
		`tab\x09in key` + "\tline\\x0a\n":      rowOf("tab\tin key", "line\n"),
		`\x00\xff`[4:] + "\t" + `\\x00` + "\n": rowOf("\xff", `\x00`),
		"\\xc3\\xa9\t\"'` quotes\n":            rowOf("\u00e9", "\"'` quotes"),
	} {
		if got := string(Text.AppendLine(nil, row)); got != line {
			t.Errorf("Text.AppendLine(%q, %q) = %q, want %q", row.Key, row.Value, got, line)
		}
		if len(row.Key) > 0 && row.Key[0] == 0xff {
			continue // Written, but never read back.
		}
		if got, err := Text.ParseLine([]byte(line)); err != nil || !sameRow(got, row) {
			t.Errorf("ParseLine(%q) = %q, %v", line, got, err)
		}
	}
}

func TestHandWrittenLinesMayDiffer(t *testing.T) {
	for line, want := range map[string]kv.KeyValue{
		"k\tv":           rowOf("k", "v"),
		"k\tv\r\n":       rowOf("k", "v"),
		"\u00e9\tas\xff": rowOf("\u00e9", "as\xff"),
		`\x41` + "\t":    rowOf("A", ""),
	} {
		if got, err := Text.ParseLine([]byte(line)); err != nil || !sameRow(got, want) {
			t.Errorf("ParseLine(%q) = %q, %v", line, got, err)
		}
	}
}

// badLines are lines that are no rows, and what the reason must say.
var badLines = map[string]string{
	"no tab":            "no tab between key and value",
	`\x0` + "\t":        "key: column 1: ",
	"k\t" + `ab\q`:      `value: column 5: unknown escape \q`,
	"k\ta\tb":           `value: column 4: raw control character: write it as \x09`,
	"k\x00\tv":          `key: column 2: raw control character: write it as \x00`,
	"k\tv\r\r\n":        `value: column 4: raw control character: write it as \x0d`,
	`\xffsystem` + "\t": `key begins with \xff`,
	strings.Repeat("k", kv.MaxKeyBytes+1) + "\tv":   "key has 10001 bytes, the limit is 10000",
	"k\t" + strings.Repeat("v", kv.MaxValueBytes+1): "value has 100001 bytes, the limit is 100000",
}

func TestBadLinesSayWhy(t *testing.T) {
	for line, want := range badLines {
		if got, err := Text.ParseLine([]byte(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseLine(%.40q) = %.40q, %v, want %q", line, got, err, want)
		}
	}
}

func TestARowsLineReadsBack(t *testing.T) {
	any := rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte("\x00\t\n\r\\x\xff ")))
	rapid.Check(t, func(r *rapid.T) {
		row := kv.KeyValue{Key: rapid.SliceOf(any).Draw(r, "key"), Value: rapid.SliceOf(any).Draw(r, "value")}
		if len(row.Key) > 0 && row.Key[0] == 0xff {
			row.Key[0] = 0xfe
		}
		for _, format := range Formats() {
			line := format.AppendLine(nil, row)
			if got, err := format.ParseLine(line); err != nil || !sameRow(got, row) {
				r.Fatalf("D1: %q, %q came back from %q as %q, %v", row.Key, row.Value, line, got, err)
			}
			if bytes.Count(line, []byte("\n")) != 1 || (format == Text && bytes.Count(line, []byte("\t")) != 1) {
				r.Fatalf("line %q has more than one tab or line end", line)
			}
		}
	})
}

func TestLinesOfJSONAreObjects(t *testing.T) {
	row := rowOf("user/1", "\xff")
	for format, want := range map[Format]string{
		JSON:       `{"key":"user/1","value_base64":"/w=="}` + "\n",
		JSONBase64: `{"key_base64":"dXNlci8x","value_base64":"/w=="}` + "\n",
	} {
		if got := string(format.AppendLine(nil, row)); got != want {
			t.Errorf("%s: %s, want %s", format, got, want)
		}
	}
	for line, want := range map[string]string{
		"a\tb":                             "column 1: expected {",
		`{"key":"a","value":"b"`:           "column 23: expected , or }",
		`{"key_base64":"/w==","value":""}`: `key begins with \xff`,
		`{"key":"` + strings.Repeat("k", kv.MaxKeyBytes+1) + `","value":""}`:   "key has 10001 bytes, the limit is 10000",
		`{"value":"` + strings.Repeat("v", kv.MaxValueBytes+1) + `","key":""}`: "value has 100001 bytes, the limit is 100000",
	} {
		if got, err := JSON.ParseLine([]byte(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseLine(%.40q) = %.40q, %v, want %q", line, got, err, want)
		}
	}
	if _, err := Text.ParseLine([]byte(`{"key":"a","value":"b"}`)); err == nil || !strings.Contains(err.Error(), "give the format json") {
		t.Errorf("JSON as text: %v", err)
	}
}

func TestTheLargestRowFitsInALineOfAnyFormat(t *testing.T) {
	key, value := bytes.Repeat([]byte{0}, kv.MaxKeyBytes), bytes.Repeat([]byte{0xff}, kv.MaxValueBytes)
	lines := map[Format][]byte{}
	for _, format := range Formats() {
		lines[format] = format.AppendLine(nil, kv.KeyValue{Key: key, Value: value})
	}
	// The longest that somebody may write by hand.
	lines[JSON] = fmt.Appendf(nil, "{ \"key\" : \"%s\" , \"value\" : \"%s\" }\r\n",
		strings.Repeat(`\u0000`, kv.MaxKeyBytes), strings.Repeat(`\u007f`, kv.MaxValueBytes))
	for format, line := range lines {
		got, err := newLines(bytes.NewReader(line)).next()
		if err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		row, err := format.ParseLine(got)
		if err != nil || !bytes.Equal(row.Key, key) || len(row.Value) != len(value) {
			t.Errorf("%s: %d and %d bytes came back, %v", format, len(row.Key), len(row.Value), err)
		}
	}
}

func TestTheLargestRowFitsInALine(t *testing.T) {
	row := kv.KeyValue{Key: bytes.Repeat([]byte{0}, kv.MaxKeyBytes), Value: bytes.Repeat([]byte{0xff}, kv.MaxValueBytes)}
	line := Text.AppendLine(nil, row)
	in := newLines(bytes.NewReader(append(bytes.TrimSuffix(line, []byte("\n")), "\r\nk\tv"...)))
	got, err := in.next()
	if err != nil {
		t.Fatal(err)
	}
	if parsed, err := Text.ParseLine(got); err != nil || !sameRow(parsed, row) {
		t.Errorf("the largest row did not come back: %v", err)
	}
	if got, err := in.next(); err != nil || string(got) != "k\tv" || !in.unfinished {
		t.Errorf("the next line is %q, %v", got, err)
	}
}

func TestAnOverlongLineIsPassedOver(t *testing.T) {
	long := strings.Repeat("x", 3*maxLineBytes)
	in := newLines(strings.NewReader("a\tb\n" + long + "\nc\td\n" + long))
	for i, want := range []struct {
		line string
		err  error
	}{{"a\tb", nil}, {"", errLineTooLong}, {"c\td", nil}, {"", errLineTooLong}, {"", io.EOF}} {
		got, err := in.next()
		if string(got) != want.line || !errors.Is(err, want.err) {
			t.Errorf("next() %d = %.20q, %v, want %q, %v", i, got, err, want.line, want.err)
		}
	}
	if in.at.Line != 4 {
		t.Errorf("counted %d lines, want 4", in.at.Line)
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add([]byte("key\tvalue\n"))
	f.Add([]byte(`\x00\\` + "\t" + `\x0a` + "\r\n"))
	f.Add([]byte(`{"key":"k","value_base64":"AP8="}` + "\n"))
	f.Add([]byte(`{"value":"\u00e9","key_base64":""}`))
	for line := range badLines {
		f.Add([]byte(line[:min(len(line), 64)]))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		for _, format := range Formats() {
			row, err := format.ParseLine(line)
			if err != nil {
				continue
			}
			again, err := format.ParseLine(format.AppendLine(nil, row))
			if err != nil || !sameRow(again, row) {
				t.Fatalf("D1: line %q is %q in %s, written and read again %q, %v", line, row, format, again, err)
			}
		}
	})
}
