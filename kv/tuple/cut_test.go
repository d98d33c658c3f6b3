package tuple

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// TestCutTakesATupleApart checks that cutting one element after another gives
// what Unpack gives.
func TestCutTakesATupleApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		packed := drawTuple(2).Draw(t, "tuple").Pack()
		want, err := Unpack(packed)
		if err != nil {
			t.Fatal(err)
		}
		got := Tuple{}
		for rest := packed; len(rest) > 0; {
			var e Element
			if e, rest, err = Cut(rest); err != nil {
				t.Fatal(err)
			}
			got = append(got, e)
		}
		if !bytes.Equal(got.Pack(), want.Pack()) {
			t.Fatalf("cut %v, unpacked %v", got, want)
		}
	})
}

// cutAs checks that a Cut function reads what was appended, and only that.
func cutAs[T any](t *testing.T, e Element, cut func([]byte) (T, []byte, error), want T) {
	t.Helper()
	packed := Tuple{e, "rest"}.Pack()
	got, rest, err := cut(packed)
	if err != nil || !reflect.DeepEqual(got, want) || !bytes.Equal(rest, Tuple{"rest"}.Pack()) {
		t.Errorf("%v: got %v, rest %q, error %v", e, got, rest, err)
	}
	if _, rest, err := cut(Tuple{nil}.Pack()); !errors.Is(err, ErrWrongType) || len(rest) != 1 {
		t.Errorf("%T out of a null: error %v, rest %q", want, err, rest)
	}
	if _, _, err := cut(nil); !errors.Is(err, ErrTruncated) {
		t.Errorf("%T out of nothing: error %v", want, err)
	}
	for n := 1; n < len(packed)-len(rest); n++ {
		if _, _, err := cut(packed[:n]); err == nil {
			t.Errorf("%v: no error for its first %d bytes", e, n)
		}
	}
}

func TestCutReadsTheTypeThatIsAskedForAndNoOther(t *testing.T) {
	cutAs(t, []byte{1, 2}, CutBytes, []byte{1, 2})
	cutAs(t, "ab", CutString, "ab")
	if s, rest, err := CutString(Tuple{"a\x00b", 1}.Pack()); s != "a\x00b" || len(rest) != 2 || err != nil {
		t.Errorf("a string with a zero byte: %q, rest %q, error %v", s, rest, err)
	}
	for _, v := range []int64{0, 1, -1, 255, -256, math.MaxInt64, math.MinInt64} {
		cutAs(t, v, CutInt, v)
	}
	cutAs(t, uint64(math.MaxUint64), CutUint, math.MaxUint64)
	cutAs(t, 1.5, CutFloat64, 1.5)
	cutAs(t, true, CutBool, true)
	cutAs(t, false, CutBool, false)
	cutAs(t, UUID{7}, CutUUID, UUID{7})
	cutAs(t, Versionstamp{UserVersion: 3}, CutVersionstamp, Versionstamp{UserVersion: 3})
}

func TestCutRefusesIntegersThatDoNotFit(t *testing.T) {
	if _, _, err := CutInt(Tuple{uint64(math.MaxInt64 + 1)}.Pack()); !errors.Is(err, ErrWrongType) {
		t.Errorf("above: %v", err)
	}
	below := AppendInt(nil, math.MinInt64)
	below[len(below)-1]-- // one less
	if _, _, err := CutInt(below); !errors.Is(err, ErrWrongType) {
		t.Errorf("below: %v", err)
	}
	if _, _, err := CutUint(Tuple{-1}.Pack()); !errors.Is(err, ErrWrongType) {
		t.Errorf("negative: %v", err)
	}
	var decode *DecodeError
	if _, _, err := CutInt([]byte{codeIntZero + 2, 0, 1}); !errors.As(err, &decode) || !errors.Is(err, ErrNotCanonical) {
		t.Errorf("too long: %v", err)
	}
}

func BenchmarkCutIntAndString(b *testing.B) {
	packed := Tuple{1 << 40, "ab"}.Pack()
	b.ReportAllocs()
	for b.Loop() {
		_, rest, err := CutInt(packed)
		if err == nil {
			_, _, err = CutString(rest)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
