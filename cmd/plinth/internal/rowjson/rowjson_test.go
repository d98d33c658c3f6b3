package rowjson

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/cmd/plinth/internal/escape"
	"github.com/plinthdb/plinth/kv"
)

func rowOf(key, value string) kv.KeyValue {
	return kv.KeyValue{Key: []byte(key), Value: []byte(value)}
}

// parse is ParseRow with a row as its result.
func parse(line string) (kv.KeyValue, error) {
	out, n, err := ParseRow([]byte("before"), []byte(line))
	if !bytes.HasPrefix(out, []byte("before")) {
		return kv.KeyValue{}, errors.New("what was there before is gone")
	}
	out = out[len("before"):]
	return kv.KeyValue{Key: out[:n], Value: out[n:]}, err
}

func sameRow(a, b kv.KeyValue) bool {
	return bytes.Equal(a.Key, b.Key) && bytes.Equal(a.Value, b.Value)
}

func TestTextIsWrittenAsTextAndTheRestAsBase64(t *testing.T) {
	for want, row := range map[string]kv.KeyValue{
		`{"key":"user/1","value":"Ada"}`:               rowOf("user/1", "Ada"),
		`{"key":"","value":""}`:                        rowOf("", ""),
		`{"key_base64":"AA==","value":"é \"\\\n\t\r"}`: rowOf("\x00", "é \"\\\n\t\r"),
		`{"key":"<&>","value_base64":"/w=="}`:          rowOf("<&>", "\xff"),
		`{"key_base64":"fw==","value_base64":"woA="}`:  rowOf("\x7f", "\u0080"),
		`{"key":"` + "\ufffd" + `","value":"😀"}`:       rowOf("\ufffd", "😀"),
		`{"key_base64":"7aCA","value":"/"}`:            rowOf("\xed\xa0\x80", "/"), // a surrogate
	} {
		if got := string(AppendRow(nil, row, Readable)); got != want {
			t.Errorf("AppendRow(%q, %q) = %s, want %s", row.Key, row.Value, got, want)
		}
	}
	if got, want := string(AppendRow(nil, rowOf("a", "b"), Base64)), `{"key_base64":"YQ==","value_base64":"Yg=="}`; got != want {
		t.Errorf("in base64 %s, want %s", got, want)
	}
}

func TestHandWrittenRowsMayDiffer(t *testing.T) {
	for line, want := range map[string]kv.KeyValue{
		" { \"value\" : \"v\" ,\t\"key\":\"k\" } ":            rowOf("k", "v"),
		`{"value_base64":"AP8=","key":""}`:                    rowOf("", "\x00\xff"),
		`{"value":"","key":"k"}`:                              rowOf("k", ""),
		`{"key":"\u0041\/\b\f","value":"\ud83d\ude00\u0000"}`: rowOf("A/\b\f", "😀\x00"),
		`{"\u006bey":"k","value":"v"}`:                        rowOf("k", "v"),
	} {
		if got, err := parse(line); err != nil || !sameRow(got, want) {
			t.Errorf("%s is %q, %v, want %q", line, got, err, want)
		}
	}
}

// badRows are lines that are no rows, with the column and a part of the reason.
var badRows = map[string]struct {
	column int
	reason string
}{
	``:                                     {1, "expected {"},
	"key\tvalue":                           {1, "expected {"},
	`[]`:                                   {1, "expected {"},
	`{}`:                                   {3, `no "key"`},
	`{"key":"k"}`:                          {12, `no "value"`},
	`{"key":"k","value":"v"`:               {23, "expected , or }"},
	`{"key":"k","value":"v",}`:             {24, "expected a string"},
	`{"key":"k","value":"v"}{}`:            {24, "nothing after the object"},
	`{"key":"k" "value":"v"}`:              {12, "expected , or }"},
	`{"key" "k"}`:                          {8, "expected :"},
	`{"key":1,"value":"v"}`:                {8, "expected a string, key"},
	`{"key":null,"value":"v"}`:             {8, "expected a string, key"},
	`{"Key":"k","value":"v"}`:              {2, `unknown member "Key"`},
	`{"key":"k","key_base64":"aw=="}`:      {12, "a second key"},
	`{"key":"k","key":"k"}`:                {12, "a second key"},
	`{"key_base64":"aw","value":"v"}`:      {15, "key_base64 is not base64"},
	`{"key_base64":"ax==","value":"v"}`:    {15, "key_base64 is not base64"},
	`{"key":"\ud800","value":"v"}`:         {9, "surrogate"},
	`{"key":"\ud800\u0041","value":"v"}`:   {9, "surrogate"},
	`{"key":"\udc00\ud800","value":"v"}`:   {9, "surrogate"},
	`{"key":"\ud800\udcX0","value":"v"}`:   {9, "surrogate"},
	`{"key":"\u00g0","value":"v"}`:         {9, "hexadecimal"},
	`{"key":"\x00","value":"v"}`:           {9, "hexadecimal"},
	`{"key":"\`:                            {9, "ends after a backslash"},
	`{"key":"k`:                            {10, "ends inside a string"},
	"{\"key\":\"a\xffb\",\"value\":\"\"}":  {10, "not UTF-8"},
	"{\"key\":\"a\tb\",\"value\":\"\"}":    {10, `\u0009`},
	`{"key":"k","value":"v"} // a comment`: {25, "nothing after the object"},
}

func TestBadRowsSayWhereAndWhatWasExpected(t *testing.T) {
	for line, want := range badRows {
		got, err := parse(line)
		var syntax *escape.Error
		if !errors.As(err, &syntax) || syntax.Column != want.column || !strings.Contains(syntax.Reason, want.reason) {
			t.Errorf("%q: %v, want column %d and %q", line, err, want.column, want.reason)
		}
		if len(got.Key)+len(got.Value) > 0 {
			t.Errorf("%q gave %q with its error", line, got)
		}
	}
}

// decoded is a row as encoding/json sees it.
type decoded struct {
	Key         *string `json:"key"`
	KeyBase64   *string `json:"key_base64"`
	Value       *string `json:"value"`
	ValueBase64 *string `json:"value_base64"`
}

// row returns the row that encoding/json read.
func (d decoded) row(t interface{ Fatalf(string, ...any) }) kv.KeyValue {
	bytesOf := func(text, coded *string) []byte {
		if text != nil {
			return []byte(*text)
		}
		b, err := base64.StdEncoding.DecodeString(*coded)
		if err != nil {
			t.Fatalf("base64 %q: %v", *coded, err)
		}
		return b
	}
	return kv.KeyValue{Key: bytesOf(d.Key, d.KeyBase64), Value: bytesOf(d.Value, d.ValueBase64)}
}

func TestRowsReadBackAndAreJSON(t *testing.T) {
	any := rapid.OneOf(rapid.Byte(), rapid.ByteRange('a', 'z'), rapid.SampledFrom([]byte("\x00\t\n\r\\\"\x7f\xc3\xa9")))
	some := rapid.OneOf(rapid.SliceOf(any), rapid.Map(rapid.String(), func(s string) []byte { return []byte(s) }))
	rapid.Check(t, func(r *rapid.T) {
		row := kv.KeyValue{Key: some.Draw(r, "key"), Value: some.Draw(r, "value")}
		line := AppendRow(nil, row, rapid.SampledFrom([]Style{Readable, Base64}).Draw(r, "style"))
		if got, err := parse(string(line)); err != nil || !sameRow(got, row) {
			r.Fatalf("J1: %q came back from %s as %q, %v", row, line, got, err)
		}
		var d decoded
		if err := json.Unmarshal(line, &d); err != nil || bytes.IndexByte(line, '\n') >= 0 {
			r.Fatalf("J2: %s: %v", line, err)
		}
		if got := d.row(r); !sameRow(got, row) {
			r.Fatalf("J2: encoding/json reads %q from %s, want %q", got, line, row)
		}
	})
}

func FuzzParseRow(f *testing.F) {
	f.Add([]byte(`{"key":"k","value":"v"}`))
	f.Add([]byte(` { "value_base64" : "AP8=" , "key" : "\ud83d\ude00\u0000" } `))
	for line := range badRows {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		row, err := parse(string(line))
		if err != nil {
			return
		}
		var d decoded
		if err := json.Unmarshal(line, &d); err != nil {
			t.Fatalf("J3: %q is %q, but encoding/json says %v", line, row, err)
		}
		if got := d.row(t); !sameRow(got, row) {
			t.Fatalf("J3: %q is %q, but encoding/json reads %q", line, row, got)
		}
		if again, err := parse(string(AppendRow(nil, row, Readable))); err != nil || !sameRow(again, row) {
			t.Fatalf("J1: %q came back as %q, %v", row, again, err)
		}
	})
}
