package tupletext

import (
	"bytes"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/cmd/plinth/internal/escape"
	"github.com/plinthdb/plinth/kv/tuple"
)

// element makes a generator of one type one of all elements.
func element[T any](g *rapid.Generator[T]) *rapid.Generator[tuple.Element] {
	return rapid.Map(g, func(v T) tuple.Element { return v })
}

func drawTuple(depth int) *rapid.Generator[tuple.Tuple] {
	kinds := []*rapid.Generator[tuple.Element]{
		rapid.Just[tuple.Element](nil),
		element(rapid.String()),
		element(rapid.SliceOf(rapid.Byte())),
		element(rapid.Int64()),
		element(rapid.Uint64()),
		element(rapid.Map(rapid.SliceOfN(rapid.Byte(), 9, 20), func(b []byte) *big.Int { return new(big.Int).SetBytes(b) })),
		element(rapid.Map(rapid.SliceOfN(rapid.Byte(), 9, 20), func(b []byte) *big.Int {
			v := new(big.Int).SetBytes(b)
			return v.Neg(v)
		})),
		element(rapid.Float64()),
		element(rapid.Float32()),
		element(rapid.SampledFrom([]float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), 1e21, 42})),
		element(rapid.SampledFrom([]float32{0, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), 42})),
		element(rapid.Bool()),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 16, 16), func(b []byte) tuple.Element { return tuple.UUID(b) }),
		rapid.Custom(func(r *rapid.T) tuple.Element {
			v := tuple.IncompleteVersionstamp(rapid.Uint16().Draw(r, "user"))
			if rapid.Bool().Draw(r, "complete") {
				copy(v.TransactionVersion[:], rapid.SliceOfN(rapid.Byte(), 10, 10).Draw(r, "stamp"))
			}
			return v
		}),
	}
	if depth > 0 {
		kinds = append(kinds, element(rapid.Deferred(func() *rapid.Generator[tuple.Tuple] { return drawTuple(depth - 1) })))
	}
	return rapid.Map(rapid.SliceOfN(rapid.OneOf(kinds...), 0, 5), func(s []tuple.Element) tuple.Tuple { return s })
}

func TestTuplesReadBack(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		want := drawTuple(2).Draw(r, "tuple")
		text := Append(nil, want)
		got, n, err := Parse(append(text, " rest)"...))
		if err != nil || n != len(text) {
			r.Fatalf("X1: %s is read up to %d of %d, %v", text, n, len(text), err)
		}
		if tuple.Compare(got, want) != 0 || len(got) != len(want) {
			r.Fatalf("X1: %s is read as %s", text, Append(nil, got))
		}
		if len(want) == 0 || want.HasIncompleteVersionstamp() {
			return // It has no key.
		}
		if key, ok := OfKey(want.Pack()); !ok || key != string(text) {
			r.Fatalf("X2: the key of %s has the text %s", text, key)
		}
	})
}

func TestTuplesAreWrittenAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]tuple.Tuple{
		`("user", 42)`:                     {"user", 42},
		`(nil, true, false)`:               {nil, true, false},
		`(1.5, 2.0, -0.0, 1e+300)`:         {1.5, 2.0, math.Copysign(0, -1), 1e300},
		`(float32(1.5), float32(2.0))`:     {float32(1.5), float32(2)},
		`(Inf, -Inf, NaN)`:                 {math.Inf(1), math.Inf(-1), math.NaN()},
		`(b"\x00a\"\\", "Zoë \x0a\"\\")`:   {[]byte("\x00a\"\\"), "Zoë \n\"\\"},
		`("\xef\xbf\xbd\xe2\x80\x8b")`:     {"\ufffd\u200b"},
		`((), ("a", (nil)))`:               {tuple.Tuple{}, tuple.Tuple{"a", tuple.Tuple{nil}}},
		`(18446744073709551616, -1)`:       {new(big.Int).Lsh(big.NewInt(1), 64), -1},
		`(18446744073709551615)`:           {uint64(math.MaxUint64)},
		`(Versionstamp(incomplete, 7))`:    {tuple.IncompleteVersionstamp(7)},
		`(Versionstamp(` + stampText + `)`: {tuple.Versionstamp{TransactionVersion: [10]byte{9: 1}, UserVersion: 2}},
		`(UUID(` + uuidText + `))`:         {tuple.UUID{15: 255}},
	} {
		if got := string(Append(nil, want)); got != text {
			t.Errorf("%#v is written %s, want %s", want, got, text)
		}
		got, n, err := Parse([]byte(text))
		if err != nil || n != len(text) || tuple.Compare(got, want) != 0 {
			t.Errorf("%s is read as %#v, %v", text, got, err)
		}
	}
}

const (
	stampText = `00000000000000000001, 2)`
	uuidText  = `00000000-0000-0000-0000-0000000000ff`
)

func TestOtherSpellingsAreRead(t *testing.T) {
	for text, want := range map[string]string{
		`( "a" ,1, )`: `("a", 1)`,
		`(NULL,TRUE,uuid(000000000000000000000000000000ff))`: `(nil, true, UUID(` + uuidText + `))`,
		`(.5, 5., 1e3, -1E-3, inf)`:                          `(0.5, 5.0, 1000.0, -0.001, Inf)`,
		`(versionstamp(INCOMPLETE))`:                         `(Versionstamp(incomplete, 0))`,
		`(FLOAT32( 3 ), 007)`:                                `(float32(3.0), 7)`,
	} {
		got, n, err := Parse([]byte(text))
		if err != nil || n != len(text) || string(Append(nil, got)) != want {
			t.Errorf("%s is read as %s, %v", text, Append(nil, got), err)
		}
	}
}

func TestWhatIsNoTupleIsRefusedWithTheColumn(t *testing.T) {
	for text, want := range map[string]string{
		``:                                   "column 1: tuple: expected (",
		`("a"`:                               "column 5: tuple: it has no end",
		`("a" "b")`:                          "column 6: tuple: expected , or )",
		`("a)`:                               "column 2: tuple: the string has no end",
		`(user, 1)`:                          "column 2: tuple: user is no element; text is in double quotes",
		`(,)`:                                "column 2: tuple: expected an element",
		`("\q")`:                             "column 3: tuple: in a string",
		`("\x0")`:                            `column 3: tuple: \x is not`,
		`("a", "\xff")`:                      "column 7: tuple: the string is no text in UTF-8",
		`(1_000)`:                            "column 3: tuple: expected , or )",
		`(0x10)`:                             "column 2: tuple: 0x10 is no element",
		`(1e999)`:                            "column 2: tuple: 1e999 is no number, or too great",
		`(UUID(12))`:                         "column 7: tuple: a UUID has 32",
		`(Versionstamp(12, 1))`:              "column 15: tuple: a versionstamp has 20",
		`(Versionstamp(incomplete, 65536))`:  "column 27: tuple: the user's order",
		`(float32("a"))`:                     "column 10: tuple: expected an element",
		`(UUID)`:                             "column 6: tuple: expected (",
		"(" + strings.Repeat("9", 616) + ")": "column 2: tuple: the integer is too long",
		"(" + strings.Repeat("9", 900) + ")": "column 2: tuple: the integer is too long",
	} {
		_, _, err := Parse([]byte(text))
		var syntax *escape.Error
		if !errors.As(err, &syntax) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.40s: %v, want %s", text, err, want)
		}
	}
}

func TestKeysThatAreNoTuplesHaveNoText(t *testing.T) {
	for name, key := range map[string]string{
		"nothing":                         "",
		"text without a type":             "user",
		"text without an end":             "\x02user",
		"an unknown type":                 "\x34",
		"an unusual NaN":                  "\x21\xff\xf8\x00\x00\x00\x00\x00\x07",
		"an integer with a leading zero":  "\x16\x00\x01",
		"an incomplete versionstamp":      "\x33" + strings.Repeat("\xff", 10) + "\x00\x00",
		"a tuple with something after it": "\x15\x01\x02",
	} {
		if text, ok := OfKey([]byte(key)); ok {
			t.Errorf("%s, %q, has the text %s", name, key, text)
		}
	}
}

// FuzzParse reads any text: what is taken is written and read again as the same.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`("user", 42, b"\x00", nil, (1.5, float32(2)))`, `(UUID(` + uuidText + `), Versionstamp(incomplete, 7))`,
		`(-Inf, NaN, 1e3, 99999999999999999999999)`, "((((", `("\x"`, "(1,)", "",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		first, n, err := Parse(text)
		if err != nil {
			var syntax *escape.Error
			if !errors.As(err, &syntax) || syntax.Column < 1 || syntax.Column > len(text)+1 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		again := Append(nil, first)
		second, m, err := Parse(again)
		if err != nil || n > len(text) || m != len(again) || tuple.Compare(first, second) != 0 {
			t.Fatalf("%q is read as %s and that as %s, %v", text, again, Append(nil, second), err)
		}
	})
}

// FuzzOfKey holds X2 for any key.
func FuzzOfKey(f *testing.F) {
	for _, key := range []string{"", "\x02user\x00\x15*", "\x05\x00\xff\x00", "\x33", "\x21\x00"} {
		f.Add([]byte(key))
	}
	f.Fuzz(func(t *testing.T, key []byte) {
		text, ok := OfKey(key)
		if !ok {
			return
		}
		back, n, err := Parse([]byte(text))
		if err != nil || n != len(text) || !bytes.Equal(back.Pack(), key) {
			t.Fatalf("X2: %q has the text %s, which is read as %v, %v", key, text, back, err)
		}
	})
}
