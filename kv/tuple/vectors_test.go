package tuple

import (
	"bytes"
	"math"
	"math/big"
	"reflect"
	"testing"
)

// bigOf parses a decimal integer.
func bigOf(s string) *big.Int {
	v, ok := new(big.Int).SetString(s, 10)
	if !ok {
		panic("not an integer: " + s)
	}
	return v
}

// power256 returns 256 to the power n.
func power256(n uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), 8*n) }

func minus(a, b *big.Int) *big.Int { return new(big.Int).Sub(a, b) }

func negative(a *big.Int) *big.Int { return new(big.Int).Neg(a) }

var vectorUUID = UUID{0x11, 0x00, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x11, 0x00, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}

var vectorStamp = Versionstamp{TransactionVersion: [10]byte{0, 0, 0, 1, 2, 3, 4, 5, 0, 9}, UserVersion: 0x1234}

// vectors are tuples and their encodings. The first group are the worked
// examples of FoundationDB's design/tuple.md; the others follow from its text.
// unpacked is what Unpack gives where that is not the tuple itself.
var vectors = []struct {
	name     string
	tuple    Tuple
	packed   string
	unpacked Tuple
}{
	{"PublishedBytes", Tuple{[]byte("foo\x00bar")}, "\x01foo\x00\xffbar\x00", nil},
	{"PublishedString", Tuple{"F\u00d4O\u0000bar"}, "\x02F\xc3\x94O\x00\xffbar\x00", nil},
	{"PublishedNested", Tuple{Tuple{[]byte("foo\x00bar"), nil, Tuple{}}}, "\x05\x01foo\x00\xffbar\x00\x00\xff\x05\x00\x00", nil},
	{"PublishedInteger", Tuple{int64(-5551212)}, "\x11\xabK\x93", nil},
	{"PublishedMinusOne", Tuple{int64(-1)}, "\x13\xfe", nil},
	{"PublishedFloat", Tuple{float32(-42)}, "\x20\x3d\xd7\xff\xff", nil},
	{"PublishedEmptyNested", Tuple{Tuple{}}, "\x05\x00", nil},
	{"PublishedNestedNull", Tuple{Tuple{nil}}, "\x05\x00\xff\x00", nil},

	{"Null", Tuple{nil, nil}, "\x00\x00", nil},
	{"EmptyBytes", Tuple{[]byte{}}, "\x01\x00", nil},
	{"EmptyString", Tuple{""}, "\x02\x00", nil},
	{"OnlyZeroBytes", Tuple{[]byte{0, 0}}, "\x01\x00\xff\x00\xff\x00", nil},
	{"EscapeByteAfterZero", Tuple{"\x00\xff"}, "\x02\x00\xff\xff\x00", nil},
	{"NullAfterString", Tuple{"a", nil}, "\x02a\x00\x00", nil},
	{"NestedTwice", Tuple{Tuple{Tuple{nil}, nil}, nil}, "\x05\x05\x00\xff\x00\x00\xff\x00\x00", nil},

	{"Zero", Tuple{int64(0)}, "\x14", nil},
	{"One", Tuple{1}, "\x15\x01", Tuple{int64(1)}},
	{"OneByte", Tuple{int16(255)}, "\x15\xff", Tuple{int64(255)}},
	{"TwoBytes", Tuple{uint16(256)}, "\x16\x01\x00", Tuple{int64(256)}},
	{"MinusOneByte", Tuple{int32(-255)}, "\x13\x00", Tuple{int64(-255)}},
	{"MinusTwoBytes", Tuple{int8(-128), int64(-256)}, "\x13\x7f\x12\xfe\xff", Tuple{int64(-128), int64(-256)}},
	{"SmallUnsigned", Tuple{uint8(7), uint32(8), uint(9), uint64(10)}, "\x15\x07\x15\x08\x15\x09\x15\x0a",
		Tuple{int64(7), int64(8), int64(9), int64(10)}},
	{"MaxInt64", Tuple{int64(math.MaxInt64)}, "\x1c\x7f\xff\xff\xff\xff\xff\xff\xff", nil},
	{"MinInt64", Tuple{int64(math.MinInt64)}, "\x0c\x7f\xff\xff\xff\xff\xff\xff\xff", nil},
	{"AboveInt64", Tuple{uint64(1 << 63)}, "\x1c\x80\x00\x00\x00\x00\x00\x00\x00", nil},
	{"MaxUint64", Tuple{uint64(math.MaxUint64)}, "\x1c\xff\xff\xff\xff\xff\xff\xff\xff", nil},
	{"BelowInt64", Tuple{bigOf("-9223372036854775809")}, "\x0c\x7f\xff\xff\xff\xff\xff\xff\xfe", nil},
	{"LowestOfEightBytes", Tuple{bigOf("-18446744073709551615")}, "\x0c\x00\x00\x00\x00\x00\x00\x00\x00", nil},
	{"NineBytes", Tuple{power256(8)}, "\x1d\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00", nil},
	{"MinusNineBytes", Tuple{negative(power256(8))}, "\x0b\xf6\xfe\xff\xff\xff\xff\xff\xff\xff\xff", nil},
	{"Largest", Tuple{minus(power256(255), big.NewInt(1))}, "\x1d\xff" + string(bytes.Repeat([]byte{0xff}, 255)), nil},
	{"Smallest", Tuple{minus(big.NewInt(1), power256(255))}, "\x0b\x00" + string(bytes.Repeat([]byte{0x00}, 255)), nil},
	{"BigButSmall", Tuple{big.NewInt(5), *big.NewInt(-5)}, "\x15\x05\x13\xfa", Tuple{int64(5), int64(-5)}},

	{"FloatZero", Tuple{float32(0)}, "\x20\x80\x00\x00\x00", nil},
	{"FloatMinusZero", Tuple{float32(math.Copysign(0, -1))}, "\x20\x7f\xff\xff\xff", nil},
	{"Float", Tuple{float32(42)}, "\x20\xc2\x28\x00\x00", nil},
	{"Double", Tuple{float64(42)}, "\x21\xc0\x45\x00\x00\x00\x00\x00\x00", nil},
	{"DoubleNegative", Tuple{float64(-42)}, "\x21\x3f\xba\xff\xff\xff\xff\xff\xff", nil},
	{"DoubleInfinity", Tuple{math.Inf(1), math.Inf(-1)}, "\x21\xff\xf0\x00\x00\x00\x00\x00\x00\x21\x00\x0f\xff\xff\xff\xff\xff\xff", nil},

	{"Booleans", Tuple{false, true}, "\x26\x27", nil},
	{"UUID", Tuple{vectorUUID}, "\x30\x11\x00\xaa\xbb\xcc\xdd\xee\xff\x11\x00\xaa\xbb\xcc\xdd\xee\xff", nil},
	{"Versionstamp", Tuple{vectorStamp}, "\x33\x00\x00\x00\x01\x02\x03\x04\x05\x00\x09\x12\x34", nil},
	{"Mixed", Tuple{"user", 42, Tuple{"a", nil}, true}, "\x02user\x00\x15\x2a\x05\x02a\x00\x00\xff\x00\x27",
		Tuple{"user", int64(42), Tuple{"a", nil}, true}},
}

func TestEncodingsAreThePublishedOnes(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			if got := v.tuple.Pack(); string(got) != v.packed {
				t.Errorf("Pack(%v) = %q, want %q", v.tuple, got, v.packed)
			}
			want := v.unpacked
			if want == nil {
				want = v.tuple
			}
			got, err := Unpack([]byte(v.packed))
			if err != nil {
				t.Fatalf("Unpack(%q): %v", v.packed, err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("Unpack(%q) = %#v, want %#v", v.packed, got, want)
			}
		})
	}
}

func TestAnEmptyTupleIsTheEmptyKey(t *testing.T) {
	if got := (Tuple{}).Pack(); len(got) != 0 {
		t.Errorf("Pack() = %q, want nothing", got)
	}
	if got, err := Unpack(nil); err != nil || len(got) != 0 {
		t.Errorf("Unpack(nil) = %v, %v", got, err)
	}
}

func TestNaNKeepsItsBits(t *testing.T) {
	for _, bits := range []uint64{0x7ff8000000000001, 0xfff8000000000002, 0x7ff0000000000003} {
		got, err := Unpack(Tuple{math.Float64frombits(bits)}.Pack())
		if err != nil {
			t.Fatal(err)
		}
		if b := math.Float64bits(got[0].(float64)); b != bits {
			t.Errorf("bits %x came back as %x", bits, b)
		}
	}
	const bits32 = 0xffc00005
	got, err := Unpack(Tuple{math.Float32frombits(bits32)}.Pack())
	if err != nil {
		t.Fatal(err)
	}
	if b := math.Float32bits(got[0].(float32)); b != bits32 {
		t.Errorf("bits %x came back as %x", uint32(bits32), b)
	}
}

func TestUnpackSharesNoMemoryWithItsInput(t *testing.T) {
	packed := Tuple{[]byte("bytes"), "text", power256(10)}.Pack()
	got, err := Unpack(packed)
	if err != nil {
		t.Fatal(err)
	}
	clear(packed)
	if want := (Tuple{[]byte("bytes"), "text", power256(10)}); !reflect.DeepEqual(got, want) {
		t.Errorf("after overwriting the input: %v, want %v", got, want)
	}
}
