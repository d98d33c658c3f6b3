package tuple

import (
	"bytes"
	"errors"
	"math/big"
	"strings"
	"testing"
)

func TestUnpackNamesWhatIsWrongAndWhere(t *testing.T) {
	cases := []struct {
		name   string
		packed string
		offset int
		want   error
		text   string
	}{
		{"BytesWithoutEnd", "\x15\x01\x01abc", 2, ErrTruncated, "offset 2, type code 0x01"},
		{"BytesEndingInAnEscape", "\x01abc\x00\xff", 0, ErrTruncated, ""},
		{"StringWithoutEnd", "\x02", 0, ErrTruncated, ""},
		{"IntegerCutShort", "\x14\x18\x01\x02\x03", 1, ErrTruncated, ""},
		{"NegativeIntegerCutShort", "\x0c\x01\x02\x03\x04\x05\x06\x07", 0, ErrTruncated, ""},
		{"BigWithoutLength", "\x1d", 0, ErrTruncated, ""},
		{"BigCutShort", "\x1d\x0a\x01\x02", 0, ErrTruncated, ""},
		{"NegativeBigCutShort", "\x0b\xf6\x01\x02", 0, ErrTruncated, ""},
		{"FloatCutShort", "\x20\x01\x02\x03", 0, ErrTruncated, ""},
		{"DoubleCutShort", "\x21\x01\x02\x03\x04\x05\x06\x07", 0, ErrTruncated, ""},
		{"UUIDCutShort", "\x30\x01", 0, ErrTruncated, ""},
		{"VersionstampCutShort", "\x33\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b", 0, ErrTruncated, ""},
		{"NestedWithoutEnd", "\x00\x05\x14", 1, ErrTruncated, ""},
		{"NestedEndingInANull", "\x05\x00\xff", 0, ErrTruncated, ""},
		{"ErrorInsideNested", "\x05\x14\x02ab", 2, ErrTruncated, ""},
		{"LeadingZero", "\x16\x00\x01", 0, ErrNotCanonical, "shortest form"},
		{"NegativeLeadingZero", "\x12\xff\x01", 0, ErrNotCanonical, ""},
		{"ZeroInOneByte", "\x15\x00", 0, ErrNotCanonical, ""},
		{"BigThatIsSmall", "\x1d\x08\x80\x00\x00\x00\x00\x00\x00\x00", 0, ErrNotCanonical, ""},
		{"BigOfNoBytes", "\x1d\x00", 0, ErrNotCanonical, ""},
		{"BigLeadingZero", "\x1d\x09\x00\x80\x00\x00\x00\x00\x00\x00\x00", 0, ErrNotCanonical, ""},
		{"Unknown", "\x14\x29", 1, ErrUnknownCode, "type code 0x29"},
		{"OldNested", "\x03\x04", 0, ErrReservedCode, "withdrawn"},
		{"NestedEndOutsideOfNested", "\x14\x04", 1, ErrReservedCode, "withdrawn"},
		{"HugeNegative", "\x0a", 0, ErrReservedCode, "integer"},
		{"HugePositive", "\x1e", 0, ErrReservedCode, "integer"},
		{"LongDouble", "\x22", 0, ErrReservedCode, "80-bit float"},
		{"Decimal", "\x23", 0, ErrReservedCode, "decimal"},
		{"DecimalToo", "\x24", 0, ErrReservedCode, "decimal"},
		{"OldTrue", "\x25", 0, ErrReservedCode, "withdrawn"},
		{"Identifier", "\x31", 0, ErrReservedCode, "identifier"},
		{"ShortVersionstamp", "\x32", 0, ErrReservedCode, "versionstamp"},
		{"UserCode", "\x40", 0, ErrReservedCode, "user-defined"},
		{"LastUserCode", "\x4f", 0, ErrReservedCode, "user-defined"},
		{"AfterUserCodes", "\x50", 0, ErrUnknownCode, ""},
		{"Escape", "\xff", 0, ErrReservedCode, "escape"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := Unpack([]byte(c.packed))
			var decode *DecodeError
			if !errors.As(err, &decode) {
				t.Fatalf("Unpack(%q) = %v, %v, want a *DecodeError", c.packed, got, err)
			}
			if decode.Offset != c.offset || !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("error %q at %d, want %q at %d, with %q", err, decode.Offset, c.want, c.offset, c.text)
			}
			if decode.Code != c.packed[c.offset] {
				t.Errorf("code 0x%02x, want 0x%02x", decode.Code, c.packed[c.offset])
			}
		})
	}
}

// nestedDeep returns depth nested tuples around nothing.
func nestedDeep(depth int) Tuple {
	t := Tuple{}
	for range depth {
		t = Tuple{t}
	}
	return t
}

func TestNestingIsLimitedBothWays(t *testing.T) {
	deepest := nestedDeep(MaxDepth)
	packed := deepest.Pack()
	back, err := Unpack(packed)
	if err != nil {
		t.Fatalf("at the limit: %v", err)
	}
	if !bytes.Equal(back.Pack(), packed) || Compare(back, deepest) != 0 {
		t.Error("the deepest tuple did not come back")
	}

	if _, err := nestedDeep(MaxDepth + 1).Append(nil); !errors.Is(err, ErrTooDeep) {
		t.Errorf("packing beyond the limit: %v", err)
	}
	tooDeep := bytes.Repeat([]byte{codeNested}, 10*MaxDepth)
	if _, err := Unpack(tooDeep); !errors.Is(err, ErrTooDeep) {
		t.Errorf("unpacking beyond the limit: %v", err)
	}
}

func TestAppendNamesTheElementThatCannotBeEncoded(t *testing.T) {
	cases := []struct {
		name  string
		tuple Tuple
		want  error
		text  string
	}{
		{"UnknownType", Tuple{"a", struct{}{}}, ErrUnsupportedType, "element 1 (struct {})"},
		{"InsideNested", Tuple{"a", Tuple{nil, Tuple{[]string{"x"}}}}, ErrUnsupportedType, "element 1.1.0 ([]string)"},
		{"SliceOfAny", Tuple{[]any{1}}, ErrUnsupportedType, "element 0"},
		{"NilBig", Tuple{(*big.Int)(nil)}, ErrUnsupportedType, "nil *big.Int"},
		{"TooLarge", Tuple{power256(255)}, ErrIntegerTooLarge, "it has 256"},
		{"TooLargeNegative", Tuple{*negative(power256(255))}, ErrIntegerTooLarge, ""},
		{"Incomplete", Tuple{IncompleteVersionstamp(0)}, ErrIncomplete, "element 0"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.tuple.Append([]byte("prefix"))
			var encode *EncodeError
			if !errors.As(err, &encode) || !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("error %q, want an *EncodeError of %q with %q", err, c.want, c.text)
			}
			if string(got) != "prefix" {
				t.Errorf("Append returned %q with its error, want what it was given", got)
			}
		})
	}
}

func TestPackPanicsWithAnEncodeError(t *testing.T) {
	for name, call := range map[string]func(Tuple){
		"Pack":    func(t Tuple) { t.Pack() },
		"Range":   func(t Tuple) { t.Range() },
		"Compare": func(t Tuple) { Compare(t, t) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if err, ok := recover().(*EncodeError); !ok || err.Path[0] != 1 {
					t.Errorf("panicked with %v, want an *EncodeError at 1", err)
				}
			}()
			call(Tuple{1, make(chan int)})
		})
	}
}

func TestAVeryDeepErrorStaysReadable(t *testing.T) {
	deep := Tuple{struct{}{}}
	for range 30 {
		deep = Tuple{0, deep}
	}
	_, err := deep.Append(nil)
	if want := "element 1.1.1.1.1.1.1.1.… (struct {})"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %q, want %q in it", err, want)
	}
}
