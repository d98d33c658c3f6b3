package typed_test

import (
	"bytes"
	"cmp"
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/kv/tuple"
	"github.com/plinthdb/plinth/kv/typed"
)

// checkKeys checks D1 for a codec: keys read back, and sort as compare says.
func checkKeys[K any](t *testing.T, codec typed.KeyCodec[K], draw *rapid.Generator[K], compare func(a, b K) int) {
	t.Helper()
	encode := func(t *rapid.T, key K) []byte {
		packed, err := codec.AppendKey(nil, key, codec.Elements())
		if err != nil {
			t.Fatal(err)
		}
		back, rest, err := codec.CutKey(append(packed, 0x15, 7))
		if err != nil || compare(back, key) != 0 || !bytes.Equal(rest, []byte{0x15, 7}) {
			t.Fatalf("%v reads back as %v, rest %q, error %v", key, back, rest, err)
		}
		elements, err := tuple.Unpack(packed)
		if err != nil || len(elements) != codec.Elements() {
			t.Fatalf("%v is %v, error %v", key, elements, err)
		}
		for n := range elements {
			if prefix, err := codec.AppendKey(nil, key, n); err != nil || !bytes.Equal(prefix, elements[:n].Pack()) {
				t.Fatalf("%d elements of %v: %q, error %v", n, key, prefix, err)
			}
		}
		return packed
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		if got := bytes.Compare(encode(t, a), encode(t, b)); got != compare(a, b) {
			t.Fatalf("%v and %v sort %d", a, b, got)
		}
	})
}

func TestKeysReadBackAndSortNaturally(t *testing.T) {
	type name string
	type id int64
	checkKeys(t, typed.StringKey[name](), rapid.Map(rapid.String(), func(s string) name { return name(s) }), cmp.Compare[name])
	checkKeys(t, typed.BytesKey[[]byte](), rapid.SliceOf(rapid.SampledFrom([]byte{0, 1, 0xff})), bytes.Compare)
	checkKeys(t, typed.IntKey[id](), rapid.Map(rapid.Int64(), func(v int64) id { return id(v) }), cmp.Compare[id])
	checkKeys(t, typed.IntKey[int8](), rapid.Int8(), cmp.Compare[int8])
	checkKeys(t, typed.UintKey[uint64](), rapid.Uint64(), cmp.Compare[uint64])
	checkKeys(t, typed.UintKey[uint8](), rapid.Uint8(), cmp.Compare[uint8])
	checkKeys(t, typed.Float64Key(), rapid.Float64Range(math.SmallestNonzeroFloat64, math.MaxFloat64), cmp.Compare[float64])
	checkKeys(t, typed.BoolKey(), rapid.Bool(), func(a, b bool) int {
		return map[bool]int{true: 1}[a] - map[bool]int{true: 1}[b]
	})
	checkKeys(t, typed.UUIDKey(), rapid.Map(rapid.Byte(), func(b byte) tuple.UUID { return tuple.UUID{3: b} }), func(a, b tuple.UUID) int {
		return bytes.Compare(a[:], b[:])
	})
	checkKeys(t, typed.VersionstampKey(), rapid.Map(rapid.Uint16(), func(v uint16) tuple.Versionstamp { return tuple.Versionstamp{UserVersion: v} }),
		func(a, b tuple.Versionstamp) int { return cmp.Compare(a.UserVersion, b.UserVersion) })
	checkKeys(t, typed.TimeKey(), rapid.Map(rapid.Int64(), func(v int64) time.Time { return time.Unix(0, v) }), time.Time.Compare)
}

func TestCompositeKeysSortByTheirParts(t *testing.T) {
	checkKeys(t, placeKey(), rapid.Custom(drawPlace), comparePlaces)
	pair := typed.PairKey(placeKey(), typed.BoolKey())
	checkKeys(t, pair, rapid.Custom(func(t *rapid.T) typed.Pair[place, bool] {
		return typed.Pair[place, bool]{First: drawPlace(t), Second: rapid.Bool().Draw(t, "second")}
	}), func(a, b typed.Pair[place, bool]) int {
		second := map[bool]int{true: 1}
		return cmp.Or(comparePlaces(a.First, b.First), second[a.Second]-second[b.Second])
	})
	checkKeys(t, typed.TupleKey(2), rapid.Custom(func(t *rapid.T) tuple.Tuple {
		return tuple.Tuple{rapid.Int64().Draw(t, "number"), rapid.String().Draw(t, "text")}
	}), tuple.Compare)
}

func TestKeysThatDoNotFitAreRefused(t *testing.T) {
	if _, _, err := typed.IntKey[int8]().CutKey(tuple.Tuple{128}.Pack()); !errors.Is(err, typed.ErrOutOfRange) {
		t.Errorf("int8: %v", err)
	}
	if _, _, err := typed.UintKey[uint8]().CutKey(tuple.Tuple{256}.Pack()); !errors.Is(err, typed.ErrOutOfRange) {
		t.Errorf("uint8: %v", err)
	}
	if _, err := typed.TimeKey().AppendKey(nil, time.Time{}, 1); !errors.Is(err, typed.ErrOutOfRange) {
		t.Errorf("year 1: %v", err)
	}
	if _, err := typed.VersionstampKey().AppendKey(nil, tuple.IncompleteVersionstamp(0), 1); !errors.Is(err, tuple.ErrIncomplete) {
		t.Errorf("incomplete stamp: %v", err)
	}
	var element *tuple.ElementError
	if _, err := typed.TupleKey(2).AppendKey(nil, tuple.Tuple{1}, 1); !errors.As(err, &element) {
		t.Errorf("short tuple: %v", err)
	}
}

// FuzzCutKey checks that foreign bytes give an error or a key that encodes to
// them.
func FuzzCutKey(f *testing.F) {
	codec := typed.PairKey(placeKey(), typed.PairKey(typed.TupleKey(1), typed.TimeKey()))
	good, err := codec.AppendKey(nil, typed.Pair[place, typed.Pair[tuple.Tuple, time.Time]]{
		First:  place{"a\x00b", -7},
		Second: typed.Pair[tuple.Tuple, time.Time]{First: tuple.Tuple{nil}, Second: time.Unix(1, 1)},
	}, codec.Elements())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{2, 'a', 0, 0x15})
	f.Fuzz(func(t *testing.T, packed []byte) {
		key, rest, err := codec.CutKey(packed)
		if err != nil {
			return
		}
		again, err := codec.AppendKey(nil, key, codec.Elements())
		if err != nil || !bytes.Equal(append(again, rest...), packed) {
			t.Fatalf("%q is %v, which is %q, error %v", packed, key, again, err)
		}
		if back, _, err := codec.CutKey(again); err != nil || !reflect.DeepEqual(back.First, key.First) {
			t.Fatalf("%v reads back as %v, error %v", key, back, err)
		}
	})
}
