package atomicop_test

import (
	"bytes"
	"math/big"
	"slices"
	"testing"

	"github.com/plinthdb/plinth/internal/atomicop"
	"github.com/plinthdb/plinth/internal/wire"
)

const absent = "<absent>"

func TestApplyFollowsTheDocumentedTable(t *testing.T) {
	long := string(bytes.Repeat([]byte("x"), wire.MaxValueBytes))
	for _, c := range []struct {
		name               string
		typ                wire.MutationType
		old, operand, want string
	}{
		{"AddAbsent", wire.AddValue, absent, "\x05\x00", "\x05\x00"},
		{"AddEmpty", wire.AddValue, "", "\x05\x00", "\x05\x00"},
		{"AddCarries", wire.AddValue, "\xff\x01", "\x01\x00", "\x00\x02"},
		{"AddCutsALongerValue", wire.AddValue, "\x01\x02\x03", "\x01", "\x02"},
		{"AddExtendsAShorterValue", wire.AddValue, "\xff", "\x01\x00\x00", "\x00\x01\x00"},
		{"AddWraps", wire.AddValue, "\xff\xff", "\x01\x00", "\x00\x00"},
		{"AddEmptyOperand", wire.AddValue, "\x05", "", ""},
		{"AndAbsentTakesTheOperand", wire.BitAnd, absent, "\x0f", "\x0f"},
		{"AndEmptyIsZeros", wire.BitAnd, "", "\x0f", "\x00"},
		{"And", wire.BitAnd, "\x3c\xff\xff", "\x0f\xf0", "\x0c\xf0"},
		{"AndShorterValue", wire.BitAnd, "\x3c", "\x0f\xf0", "\x0c\x00"},
		{"AndEmptyOperand", wire.BitAnd, "\x3c", "", ""},
		{"OrAbsent", wire.BitOr, absent, "\x0f", "\x0f"},
		{"Or", wire.BitOr, "\x30", "\x0f\x01", "\x3f\x01"},
		{"OrCutsALongerValue", wire.BitOr, "\x30\x01", "\x0f", "\x3f"},
		{"OrEmptyOperand", wire.BitOr, "\x30", "", ""},
		{"XorAbsent", wire.BitXor, absent, "\x0f", "\x0f"},
		{"Xor", wire.BitXor, "\xff\x01", "\x0f\x01\x02", "\xf0\x00\x02"},
		{"AppendAbsent", wire.AppendIfFits, absent, "b", "b"},
		{"AppendNothingToAbsent", wire.AppendIfFits, absent, "", ""},
		{"Append", wire.AppendIfFits, "a", "b", "ab"},
		{"AppendNothing", wire.AppendIfFits, "a", "", "a"},
		{"AppendUpToTheLimit", wire.AppendIfFits, long[1:], "x", long},
		{"AppendBeyondTheLimit", wire.AppendIfFits, long, "b", long},
		{"MaxAbsent", wire.Max, absent, "\x00\x00", "\x00\x00"},
		{"MaxOld", wire.Max, "\x01\x02", "\xff\x01", "\x01\x02"},
		{"MaxOperand", wire.Max, "\xff\x01", "\x01\x02", "\x01\x02"},
		{"MaxCutsALongerValue", wire.Max, "\x02\x09", "\x01", "\x02"},
		{"MaxExtendsAShorterValue", wire.Max, "\x02", "\x01\x00", "\x02\x00"},
		{"MaxEmptyOperand", wire.Max, "\x02", "", ""},
		{"MinAbsentTakesTheOperand", wire.Min, absent, "\x07", "\x07"},
		{"MinEmptyIsZero", wire.Min, "", "\x07\x00", "\x00\x00"},
		{"MinOld", wire.Min, "\xff\x01", "\x01\x02", "\xff\x01"},
		{"MinOperand", wire.Min, "\x01\x02", "\xff\x01", "\xff\x01"},
		{"MinCutsALongerValue", wire.Min, "\x01\x09", "\x02", "\x01"},
		{"MinExtendsAShorterValue", wire.Min, "\x07", "\x00\x01", "\x07\x00"},
		{"MinEmptyOperand", wire.Min, "\x07", "", ""},
		{"ByteMinAbsent", wire.ByteMin, absent, "b", "b"},
		{"ByteMinOld", wire.ByteMin, "a", "b", "a"},
		{"ByteMinOperand", wire.ByteMin, "ab", "a", "a"},
		{"ByteMinEmptyOld", wire.ByteMin, "", "a", ""},
		{"ByteMaxAbsent", wire.ByteMax, absent, "b", "b"},
		{"ByteMaxOld", wire.ByteMax, "b", "a", "b"},
		{"ByteMaxOperand", wire.ByteMax, "a", "ab", "ab"},
		{"CompareAndClearAbsent", wire.CompareAndClear, absent, "a", absent},
		{"CompareAndClearEqual", wire.CompareAndClear, "a", "a", absent},
		{"CompareAndClearOther", wire.CompareAndClear, "ab", "a", "ab"},
		{"CompareAndClearEmpty", wire.CompareAndClear, "", "", absent},
		{"CompareAndClearEmptyOld", wire.CompareAndClear, "", "a", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, present := atomicop.Apply(c.typ, []byte(c.old), c.old != absent, []byte(c.operand))
			if present != (c.want != absent) || present && string(got) != c.want {
				t.Fatalf("got %.20q, %t, want %.20q", got, present, c.want)
			}
			if present && got == nil {
				t.Fatal("present but nil")
			}
		})
	}
}

func TestApplyPanicsOnTypesThatAreNotAtomic(t *testing.T) {
	for _, typ := range []wire.MutationType{wire.SetValue, wire.ClearRange, wire.SetVersionstampedKey, 99} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("type %d: no panic", typ)
				}
			}()
			atomicop.Apply(typ, nil, false, nil)
		}()
	}
}

// number reads b, cut or extended to size bytes, as a little-endian integer.
func number(b []byte, size int) *big.Int {
	b = slices.Clone(b[:min(len(b), size)])
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}

// bytesOf is the inverse of number.
func bytesOf(n *big.Int, size int) []byte {
	n = new(big.Int).Mod(n, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
	b := n.FillBytes(make([]byte, size))
	slices.Reverse(b)
	return b
}

// arithmetic evaluates the types of rule A2 with big integers.
func arithmetic(typ wire.MutationType, old []byte, present bool, operand []byte) []byte {
	a, b, n := number(old, len(operand)), number(operand, len(operand)), new(big.Int)
	if !present {
		if typ == wire.BitAnd || typ == wire.Min {
			return operand
		}
		a = new(big.Int)
	}
	switch typ {
	case wire.AddValue:
		n.Add(a, b)
	case wire.BitAnd:
		n.And(a, b)
	case wire.BitOr:
		n.Or(a, b)
	case wire.BitXor:
		n.Xor(a, b)
	case wire.Max:
		n = slices.MaxFunc([]*big.Int{a, b}, (*big.Int).Cmp)
	case wire.Min:
		n = slices.MinFunc([]*big.Int{a, b}, (*big.Int).Cmp)
	}
	return bytesOf(n, len(operand))
}

func FuzzApplyAgreesWithBigIntegersAndKeepsItsInputs(f *testing.F) {
	f.Add([]byte("\xff\x01"), true, []byte("\x01\x00\x00"))
	f.Add([]byte("\x01\x02\x03"), true, []byte("\xff"))
	f.Add([]byte(""), false, []byte("\x07"))
	f.Add([]byte(""), true, []byte(""))
	f.Add([]byte("abc"), true, []byte("abc"))
	f.Fuzz(func(t *testing.T, old []byte, oldPresent bool, operand []byte) {
		oldBefore, operandBefore := slices.Clone(old), slices.Clone(operand)
		for typ := range wire.MutationType(32) {
			if !typ.IsAtomic() {
				continue
			}
			got, present := atomicop.Apply(typ, old, oldPresent, operand)
			if !bytes.Equal(old, oldBefore) || !bytes.Equal(operand, operandBefore) {
				t.Fatalf("A1: type %d wrote to its arguments", typ)
			}
			if present == (got == nil) {
				t.Fatalf("type %d: present %t, result %v", typ, present, got)
			}
			if len(got) > max(len(old), len(operand), wire.MaxValueBytes) {
				t.Fatalf("A3: type %d: %d bytes from %d and %d", typ, len(got), len(old), len(operand))
			}
			switch typ {
			case wire.AddValue, wire.BitAnd, wire.BitOr, wire.BitXor, wire.Max, wire.Min:
				if want := arithmetic(typ, old, oldPresent, operand); !bytes.Equal(got, want) {
					t.Fatalf("A2: type %d of %x (%t) and %x: got %x, want %x", typ, old, oldPresent, operand, got, want)
				}
			}
		}
	})
}
