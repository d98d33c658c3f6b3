package tuple

import "testing"

func TestPrintableShowsEveryByte(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "",
		"plain text, ~":         "plain text, ~",
		"tab\tand\nline":        `tab\x09and\x0aline`,
		`back\slash`:            `back\\slash`,
		"\x00\x1f\x7f\x80é\xff": `\x00\x1f\x7f\x80\xc3\xa9\xff`,
	} {
		if got := Printable([]byte(in)); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
		if got := string(AppendPrintable([]byte("key "), []byte(in))); got != "key "+want {
			t.Errorf("%q appended: %s", in, got)
		}
	}
}

func TestATupleKnowsItsIncompleteVersionstamps(t *testing.T) {
	for name, c := range map[string]struct {
		tuple Tuple
		want  bool
	}{
		"none":                {Tuple{"a", 1, nil}, false},
		"complete":            {Tuple{vectorStamp, Tuple{vectorStamp}}, false},
		"incomplete":          {Tuple{"a", IncompleteVersionstamp(3)}, true},
		"incomplete, nested":  {Tuple{"a", Tuple{"b", Tuple{IncompleteVersionstamp(0)}}}, true},
		"after a nested none": {Tuple{Tuple{"b"}, IncompleteVersionstamp(0)}, true},
	} {
		if got := c.tuple.HasIncompleteVersionstamp(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
