package tuple_test

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
	"github.com/apple/foundationdb/bindings/go/src/fdb/tuple"
	"pgregory.net/rapid"
)

// versionVariable selects the API version of a process of this test.
const versionVariable = "PLINTH_COMPAT_VERSION"

func TestMain(m *testing.M) {
	switch os.Getenv(versionVariable) {
	case "":
		fdb.MustAPIVersion(730)
		os.Exit(m.Run())
	case "510":
		fdb.MustAPIVersion(510)
	}
	for _, prefix := range []int{1, math.MaxUint16} {
		key, err := tuple.Tuple{tuple.IncompleteVersionstamp(3)}.PackWithVersionstamp(make([]byte, prefix))
		if err == nil {
			fmt.Printf("%x\n", key[prefix:])
		} else {
			fmt.Println(err)
		}
	}
}

var uuid = tuple.UUID{0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 1, 2, 3, 4, 5, 6, 7, 8}

var stamp = tuple.Versionstamp{TransactionVersion: [10]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, UserVersion: 0x0b0c}

// vectors are tuples with their encodings, by the published specification.
var vectors = []struct {
	in      tuple.Tuple
	encoded string
	out     tuple.Tuple // nil: as in
	text    string
}{
	{tuple.Tuple{nil}, "\x00", nil, `(<nil>)`},
	{tuple.Tuple{[]byte("a\x00b")}, "\x01a\x00\xffb\x00", nil, `(b"a\x00b")`},
	{tuple.Tuple{fdb.Key("k")}, "\x01k\x00", tuple.Tuple{[]byte("k")}, `(b"k")`},
	{tuple.Tuple{"é\x00\""}, "\x02\xc3\xa9\x00\xff\"\x00", nil, `("é\x00\"")`},
	{tuple.Tuple{tuple.Tuple{"a", nil, tuple.Tuple{}}, "b"}, "\x05\x02a\x00\x00\xff\x05\x00\x00\x02b\x00",
		tuple.Tuple{tuple.Tuple{"a", nil, tuple.Tuple(nil)}, "b"}, `(("a", <nil>, ()), "b")`},
	{tuple.Tuple{0, int64(-1), 255, int64(-256), uint(1), uint64(math.MaxUint64)}, "\x14\x13\xfe\x15\xff\x12\xfe\xff\x15\x01\x1c\xff\xff\xff\xff\xff\xff\xff\xff",
		tuple.Tuple{int64(0), int64(-1), int64(255), int64(-256), int64(1), uint64(math.MaxUint64)}, `(0, -1, 255, -256, 1, 18446744073709551615)`},
	{tuple.Tuple{*new(big.Int).Lsh(big.NewInt(1), 64), new(big.Int).Neg(new(big.Int).Lsh(big.NewInt(1), 64))},
		"\x1d\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00\x0b\xf6\xfe\xff\xff\xff\xff\xff\xff\xff\xff",
		tuple.Tuple{new(big.Int).Lsh(big.NewInt(1), 64), new(big.Int).Neg(new(big.Int).Lsh(big.NewInt(1), 64))}, ""},
	{tuple.Tuple{float32(-42), float64(-42)}, "\x20\x3d\xd7\xff\xff\x21\x3f\xba\xff\xff\xff\xff\xff\xff", nil, `(-42, -42)`},
	{tuple.Tuple{false, true}, "\x26\x27", nil, `(false, true)`},
	{tuple.Tuple{uuid}, "\x30\x12\x34\x56\x78\x9a\xbc\xde\xf0\x01\x02\x03\x04\x05\x06\x07\x08", nil, `(UUID(12345678-9abc-def0-0102-030405060708))`},
	{tuple.Tuple{stamp}, "\x33\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c", nil, `(Versionstamp(\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a, 2828))`},
}

func TestTuplesHaveTheirPublishedEncoding(t *testing.T) {
	for _, v := range vectors {
		if got := v.in.Pack(); string(got) != v.encoded || string(v.in.FDBKey()) != v.encoded {
			t.Errorf("%v is packed as %q", v.in, got)
		}
		want := v.out
		if want == nil {
			want = v.in
		}
		if got, err := tuple.Unpack([]byte(v.encoded)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is unpacked as %#v, %v", v.encoded, got, err)
		}
		if got := v.in.String(); v.text != "" && got != v.text {
			t.Errorf("%q is printed as %s", v.encoded, got)
		}
	}
}

func TestWhatIsEmptyIsUnpackedAsNil(t *testing.T) {
	in := tuple.Tuple{[]byte{}, tuple.Tuple{}, ""}
	want := tuple.Tuple{[]byte(nil), tuple.Tuple(nil), ""}
	if got, err := tuple.Unpack(in.Pack()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%#v, %v", got, err)
	}
	if got, err := tuple.Unpack(tuple.Tuple{}.Pack()); err != nil || got != nil {
		t.Errorf("no elements: %#v, %v", got, err)
	}
	if got := (tuple.Tuple{}).String(); got != "()" {
		t.Error(got)
	}
}

func TestWhatCannotBePackedPanics(t *testing.T) {
	for name, e := range map[string]tuple.TupleElement{
		"int8": int8(1), "int32": int32(1), "uint16": uint16(1), "a struct": struct{}{}, "a slice": []int{1}, "a function": func() {},
		"a large integer":    new(big.Int).Lsh(big.NewInt(1), 2040),
		"incomplete":         tuple.IncompleteVersionstamp(0),
		"nested":             tuple.Tuple{"a", int8(1)},
		"incomplete, nested": tuple.Tuple{tuple.IncompleteVersionstamp(0)},
	} {
		func() {
			defer func() {
				if _, ok := recover().(string); !ok {
					t.Errorf("%s: no panic with a string", name)
				}
			}()
			tuple.Tuple{"x", e}.Pack()
		}()
	}
	tuple.Tuple{new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 2040), big.NewInt(1))}.Pack()
}

func TestWhatIsNoTupleIsAnError(t *testing.T) {
	for _, b := range []string{"\x01", "\x02abc", "\x05\x00\xff", "\x15", "\x1d\x09\x01", "\x20\x00", "\x21\x00", "\x30\x00", "\x33\x00", "\xfe", "\x28"} {
		if got, err := tuple.Unpack([]byte(b)); err == nil || got != nil {
			t.Errorf("%q is unpacked as %v", b, got)
		}
	}
}

func TestATupleIsTheRangeOfLongerOnes(t *testing.T) {
	a := tuple.Tuple{"a"}
	begin, end := a.FDBRangeKeys()
	inside := func(t tuple.Tuple) bool {
		key := t.Pack()
		return bytes.Compare(begin.FDBKey(), key) <= 0 && bytes.Compare(key, end.FDBKey()) < 0
	}
	for _, c := range []struct {
		t    tuple.Tuple
		want bool
	}{{a, false}, {tuple.Tuple{"a", nil}, true}, {tuple.Tuple{"a", stamp, "b"}, true}, {tuple.Tuple{"aa"}, false}, {tuple.Tuple{"b"}, false}} {
		if inside(c.t) != c.want {
			t.Errorf("%v in the range: %v", c.t, !c.want)
		}
	}
	from, to := a.FDBRangeKeySelectors()
	if from.FDBKeySelector().Key.FDBKey().String() != begin.FDBKey().String() || to.FDBKeySelector().Key.FDBKey().String() != end.FDBKey().String() ||
		from.FDBKeySelector().Offset != 1 || to.FDBKeySelector().OrEqual {
		t.Errorf("%v, %v", from, to)
	}
}

func TestExactlyOneVersionstampMayBeIncomplete(t *testing.T) {
	i := tuple.IncompleteVersionstamp(0x0102)
	for _, c := range []struct {
		t    tuple.Tuple
		n    int
		says string
	}{{tuple.Tuple{"a"}, 0, "No incomplete"}, {tuple.Tuple{stamp}, 0, "No incomplete"}, {tuple.Tuple{"a", i}, 1, ""}, {tuple.Tuple{tuple.Tuple{i}, stamp}, 1, ""},
		{tuple.Tuple{i, i}, 2, "can be only one"}, {tuple.Tuple{i, tuple.Tuple{i}}, 2, "can be only one"}} {
		some, err := c.t.HasIncompleteVersionstamp()
		if some != (c.n > 0) || (err != nil) != (c.n > 1) {
			t.Errorf("%v: %v, %v", c.t, some, err)
		}
		key, err := c.t.PackWithVersionstamp([]byte("p"))
		if c.n == 1 && err != nil || c.n != 1 && (err == nil || key != nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%v: %q, %v", c.t, key, err)
		}
	}
	key, err := tuple.Tuple{"a", i}.PackWithVersionstamp([]byte("p"))
	if want := "p\x02a\x00\x33\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02\x05\x00\x00\x00"; err != nil || string(key) != want {
		t.Errorf("%q, %v", key, err)
	}
	if string(i.Bytes()) != "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02" {
		t.Errorf("%x", i.Bytes())
	}
}

// Under an API version below 520 the place takes two bytes; without one it is
// not known how many.
func TestThePlaceOfAVersionstampDependsOnTheAPIVersion(t *testing.T) {
	for version, want := range map[string][2]string{
		"510":  {"33ffffffffffffffffffff00030200", "byte 65536"},
		"none": {"2200", "2200"},
	} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), versionVariable+"="+version)
		out, err := cmd.Output()
		lines := strings.Split(string(out), "\n")
		if err != nil || len(lines) != 3 || !strings.Contains(lines[0], want[0]) || !strings.Contains(lines[1], want[1]) {
			t.Errorf("%s: %q, %v", version, lines, err)
		}
	}
}

// drawn draws a tuple of elements as Unpack returns them.
func drawn(t *rapid.T, depth int) tuple.Tuple {
	n := rapid.IntRange(0, 4).Draw(t, "elements")
	out := make(tuple.Tuple, n)
	for i := range out {
		switch rapid.IntRange(0, 9).Draw(t, "type") {
		case 0:
			out[i] = nil
		case 1:
			out[i] = rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
		case 2:
			out[i] = rapid.String().Draw(t, "string")
		case 3:
			out[i] = rapid.Int64().Draw(t, "int")
		case 4:
			out[i] = rapid.Uint64Min(1<<63).Draw(t, "uint")
		case 5:
			out[i] = rapid.Float64().Draw(t, "float")
		case 6:
			out[i] = rapid.Bool().Draw(t, "bool")
		case 7:
			out[i] = tuple.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid"))
		case 8:
			out[i] = tuple.Versionstamp{TransactionVersion: [10]byte(rapid.SliceOfN(rapid.ByteMax(254), 10, 10).Draw(t, "stamp")), UserVersion: rapid.Uint16().Draw(t, "user")}
		default:
			if depth < 3 {
				out[i] = drawn(t, depth+1)
			}
		}
	}
	return out
}

func TestUnpackGivesBackWhatWasPacked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t, 0)
		out, err := tuple.Unpack(in.Pack())
		if err != nil || out.String() != in.String() || !bytes.Equal(out.Pack(), in.Pack()) {
			t.Fatalf("%v became %v, %v", in, out, err)
		}
	})
}
