package tuple

import (
	"bytes"
	"math"
	"math/big"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// drawBytes prefers the bytes that the encoding treats specially.
func drawBytes() *rapid.Generator[[]byte] {
	special := rapid.SampledFrom([]byte{0x00, 0x01, 0x05, 0xfe, 0xff, 'a'})
	return rapid.SliceOfN(rapid.OneOf(special, rapid.Byte()), 0, 12)
}

// drawBig gives integers on both sides of every change of length.
func drawBig() *rapid.Generator[*big.Int] {
	return rapid.Custom(func(t *rapid.T) *big.Int {
		v := power256(uint(rapid.OneOf(rapid.IntRange(0, 12), rapid.IntRange(250, 254)).Draw(t, "bytes")))
		v.Mul(v, big.NewInt(rapid.Int64Range(1, 255).Draw(t, "high")))
		v.Add(v, big.NewInt(rapid.Int64Range(-1, 1).Draw(t, "near")))
		if rapid.Bool().Draw(t, "negative") {
			v.Neg(v)
		}
		return v
	})
}

func drawStamp() *rapid.Generator[Versionstamp] {
	return rapid.Custom(func(t *rapid.T) Versionstamp {
		v := Versionstamp{UserVersion: rapid.Uint16().Draw(t, "user")}
		copy(v.TransactionVersion[:], rapid.SliceOfN(rapid.Byte(), 10, 10).Draw(t, "version"))
		v.TransactionVersion[0] &= 0x7f // Complete.
		return v
	})
}

// element makes a generator of elements of T.
func element[T any](g *rapid.Generator[T]) *rapid.Generator[Element] {
	return rapid.Map(g, func(v T) Element { return v })
}

// drawTuple gives tuples nested up to depth levels.
func drawTuple(depth int) *rapid.Generator[Tuple] {
	kinds := []*rapid.Generator[Element]{
		rapid.Just[Element](nil),
		element(drawBytes()),
		rapid.Map(drawBytes(), func(b []byte) Element { return string(b) }),
		element(rapid.Int()),
		element(rapid.Int64()),
		element(rapid.Int8()),
		element(rapid.Uint64()),
		element(rapid.Uint32()),
		element(drawBig()),
		rapid.Map(rapid.Uint32(), func(b uint32) Element { return math.Float32frombits(b) }),
		rapid.Map(rapid.Uint64(), func(b uint64) Element { return math.Float64frombits(b) }),
		element(rapid.Float32()),
		element(rapid.Float64()),
		element(rapid.Bool()),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 16, 16), func(b []byte) Element { return UUID(b) }),
		element(drawStamp()),
	}
	if depth > 0 {
		kinds = append(kinds, element(rapid.Deferred(func() *rapid.Generator[Tuple] { return drawTuple(depth - 1) })))
	}
	return rapid.Map(rapid.SliceOfN(rapid.OneOf(kinds...), 0, 5), func(s []Element) Tuple { return s })
}

// drawNeighbour gives a tuple that shares a prefix with t, so that comparisons
// get past the first element.
func drawNeighbour(t Tuple) *rapid.Generator[Tuple] {
	return rapid.Custom(func(r *rapid.T) Tuple {
		keep := rapid.IntRange(0, len(t)).Draw(r, "keep")
		return append(t[:keep:keep], drawTuple(2).Draw(r, "tail")...)
	})
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

func TestPackedBytesSortAsTheTuplesDo(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a := drawTuple(3).Draw(r, "a")
		b := drawNeighbour(a).Draw(r, "b")
		packed, compared := bytes.Compare(a.Pack(), b.Pack()), Compare(a, b)
		if sign(packed) != compared {
			r.Fatalf("T1: bytes.Compare says %d, Compare(%v, %v) %d", packed, a, b, compared)
		}
	})
}

func TestUnpackGivesBackWhatWasPacked(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a := drawTuple(3).Draw(r, "a")
		packed := a.Pack()
		back, err := Unpack(packed)
		if err != nil {
			r.Fatalf("Unpack(%q): %v", packed, err)
		}
		if Compare(a, back) != 0 || len(a) != len(back) {
			r.Fatalf("%v came back as %v", a, back)
		}
		if again := back.Pack(); !bytes.Equal(again, packed) {
			r.Fatalf("T2: packed again %q, was %q", again, packed)
		}
	})
}

func TestLongerTuplesLieInTheRange(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a := drawTuple(2).Draw(r, "a")
		tail := drawTuple(2).Draw(r, "tail")
		whole := append(a[:len(a):len(a)], tail...).Pack()
		joined := append(a.Pack(), tail.Pack()...)
		if !bytes.Equal(whole, joined) {
			r.Fatalf("T3: %v then %v is %q, the whole tuple %q", a, tail, joined, whole)
		}
		if in := a.Range().Contains(whole); in != (len(tail) > 0) {
			r.Fatalf("T3: the range of %v holds %q: %v", a, whole, in)
		}
		if r1, r2 := a.Range(), PrefixRange(a.Pack()); !bytes.Equal(r1.Begin, r2.Begin) || !bytes.Equal(r1.End, r2.End) {
			r.Fatalf("the range of %v is %q, that of its prefix %q", a, r1, r2)
		}
		if other := drawTuple(2).Draw(r, "other"); len(other) >= len(a) {
			shares := Compare(other[:len(a)], a) == 0
			if in := a.Range().Contains(other.Pack()); in != (shares && len(other) > len(a)) {
				r.Fatalf("T3: the range of %v holds %v: %v", a, other, in)
			}
		}
	})
}

// The estimate is an upper bound where nothing is escaped, large or nested, and
// no more than the fixed lengths beyond it.
func TestEstimatesAreALittleTooLarge(t *testing.T) {
	for _, tuple := range []Tuple{
		{}, {nil, true, "text", []byte("bytes")}, {0, 1, -1, math.MaxInt64, uint64(math.MaxUint64)}, {1.5, float32(2), UUID{}, Versionstamp{}},
	} {
		if n, packed := tuple.EstimateBytes(), len(tuple.Pack()); n < packed || n > packed+elementBytes*len(tuple) {
			t.Errorf("%v takes %d bytes, estimated as %d", tuple, packed, n)
		}
	}
}

func TestIntegersOfAllTypesSortByValue(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a, b := drawBig().Draw(r, "a"), drawBig().Draw(r, "b")
		if got := bytes.Compare(Tuple{a}.Pack(), Tuple{b}.Pack()); got != a.Cmp(b) {
			r.Fatalf("%v and %v compare %d packed", a, b, got)
		}
	})
}

// TestElementsAppendedOneByOneMakeTheSameKey ties the Append functions to the
// Tuple.
func TestElementsAppendedOneByOneMakeTheSameKey(t *testing.T) {
	b := AppendNull([]byte("prefix"))
	b = AppendBytes(b, []byte{0, 0xff, 1})
	b = AppendString(b, "a\x00b")
	b = AppendInt(b, -77)
	b = AppendUint(b, math.MaxUint64)
	b, err := AppendBigInt(b, power256(20))
	if err != nil {
		t.Fatal(err)
	}
	b = AppendFloat32(b, 1.5)
	b = AppendFloat64(b, -1.5)
	b = AppendBool(AppendBool(b, true), false)
	b = AppendUUID(b, vectorUUID)
	b = AppendVersionstamp(b, vectorStamp)

	whole := Tuple{nil, []byte{0, 0xff, 1}, "a\x00b", -77, uint64(math.MaxUint64), power256(20),
		float32(1.5), -1.5, true, false, vectorUUID, vectorStamp}
	want, err := whole.Append([]byte("prefix"))
	if err != nil || !bytes.Equal(b, want) {
		t.Errorf("one by one %q, at once %q (%v)", b, want, err)
	}
}

func FuzzUnpack(f *testing.F) {
	for _, v := range vectors {
		f.Add([]byte(v.packed), []byte(v.packed[:len(v.packed)/2]))
	}
	f.Add([]byte("\x05\x05\x05"), []byte("\x33\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		first, err := Unpack(a)
		if err != nil {
			return
		}
		var places stampPlaces
		again, err := appendElements(nil, first, packing{stamps: &places})
		if err != nil || !bytes.Equal(again, a) {
			t.Fatalf("T2: %q unpacked to %v, which packs to %q, %v", a, first, again, err)
		}
		if has := first.HasIncompleteVersionstamp(); has != (places.count > 0) {
			t.Fatalf("%v has an incomplete stamp: %v, but %d were packed", first, has, places.count)
		}
		if second, err := Unpack(b); err == nil && Compare(first, second) != bytes.Compare(a, b) {
			t.Fatalf("T1: %v and %v compare %d, packed %d", first, second, Compare(first, second), bytes.Compare(a, b))
		}
		_ = first.String()
	})
}

func TestAtConvertsIntegersThatFit(t *testing.T) {
	tuple := Tuple{7, int8(-7), uint64(math.MaxUint64), power256(9), "text", []byte("raw"), Tuple{1}, nil, float32(1), true, *big.NewInt(9)}
	checkAt(t, tuple, 0, 7)
	checkAt(t, tuple, 0, int64(7))
	checkAt(t, tuple, 0, uint64(7))
	checkAt(t, tuple, 1, -7)
	checkAt(t, tuple, 1, big.NewInt(-7))
	checkAt(t, tuple, 2, uint64(math.MaxUint64))
	checkAt(t, tuple, 2, new(big.Int).SetUint64(math.MaxUint64))
	checkAt(t, tuple, 3, power256(9))
	checkAt(t, tuple, 4, "text")
	checkAt(t, tuple, 5, []byte("raw"))
	checkAt(t, tuple, 6, Tuple{1})
	checkAt(t, tuple, 8, float32(1))
	checkAt(t, tuple, 9, true)
	checkAt(t, tuple, 10, int64(9))
	checkAt(t, Tuple{uint64(math.MaxInt64)}, 0, int64(math.MaxInt64))

	checkNotAt[int](t, tuple, 2, "tuple: element 2 is uint64, not int: its value is out of range")
	checkNotAt[int64](t, tuple, 3, "tuple: element 3 is *big.Int, not int64: its value is out of range")
	checkNotAt[uint64](t, tuple, 1, "tuple: element 1 is int8, not uint64: its value is out of range")
	checkNotAt[string](t, tuple, 5, "tuple: element 5 is []byte, not string")
	checkNotAt[[]byte](t, tuple, 4, "tuple: element 4 is string, not []byte")
	checkNotAt[int](t, tuple, 7, "tuple: element 7 is nil, not int")
	checkNotAt[float64](t, tuple, 8, "tuple: element 8 is float32, not float64")
	checkNotAt[string](t, tuple, 0, "tuple: element 0 is int, not string")
	checkNotAt[int](t, tuple, 11, "tuple: no element 11 in a tuple of 11")
	checkNotAt[int](t, tuple, -1, "tuple: no element -1 in a tuple of 11")

	for i := range tuple {
		if got := IsNull(tuple, i); got != (i == 7) {
			t.Errorf("IsNull(%d) = %v", i, got)
		}
	}
	if IsNull(tuple, -1) || IsNull(tuple, 11) {
		t.Error("IsNull is true outside of the tuple")
	}
}

func checkAt[T Value](t *testing.T, tuple Tuple, i int, want T) {
	t.Helper()
	if got, err := At[T](tuple, i); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("At[%T](%d) = %v, %v, want %v", want, i, got, err, want)
	}
}

func checkNotAt[T Value](t *testing.T, tuple Tuple, i int, want string) {
	t.Helper()
	var zero T
	got, err := At[T](tuple, i)
	if _, ok := err.(*ElementError); !ok || err.Error() != want || !reflect.DeepEqual(got, zero) {
		t.Errorf("At[%T](%d) = %v, error %q, want %q", got, i, got, err, want)
	}
}
