package oracle_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/sim/oracle"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// TestAtomicOperationsAreAsDocumented (O1) has each rule of FoundationDB's
// documentation as an example.
func TestAtomicOperationsAreAsDocumented(t *testing.T) {
	const absent = "absent"
	for _, c := range []struct {
		op                 kv.MutationType
		old, operand, want string
	}{
		{kv.MutationAdd, absent, "\x05", "\x05"},
		{kv.MutationAdd, "\xff\x01", "\x01\x00", "\x00\x02"},
		{kv.MutationAdd, "\xff", "\x01", "\x00"},
		{kv.MutationAdd, "\x01\x02\x03", "\x01", "\x02"},
		{kv.MutationAdd, "\x01", "\x01\x00\x01", "\x02\x00\x01"},
		{kv.MutationAdd, "\x01", "", ""},
		{kv.MutationBitAnd, absent, "\x0f", "\x0f"},
		{kv.MutationBitAnd, "", "\x0f", "\x00"},
		{kv.MutationBitAnd, "\x3c", "\x0f\xff", "\x0c\x00"},
		{kv.MutationBitOr, absent, "\x0f", "\x0f"},
		{kv.MutationBitOr, "\x30\x01", "\x0f", "\x3f"},
		{kv.MutationBitXor, "\xff", "\x0f\x01", "\xf0\x01"},
		{kv.MutationMax, absent, "\x00", "\x00"},
		{kv.MutationMax, "\x01\x02", "\xff\x01", "\x01\x02"},
		{kv.MutationMax, "\x02\x09", "\x01", "\x02"},
		{kv.MutationMin, absent, "\x07", "\x07"},
		{kv.MutationMin, "", "\x07\x00", "\x00\x00"},
		{kv.MutationMin, "\x07", "\x00\x01", "\x07\x00"},
		{kv.MutationByteMin, absent, "b", "b"},
		{kv.MutationByteMin, "ab", "a", "a"},
		{kv.MutationByteMax, absent, "", ""},
		{kv.MutationByteMax, "ab", "a", "ab"},
		{kv.MutationAppendIfFits, absent, "", ""},
		{kv.MutationAppendIfFits, "a", "b", "ab"},
		{kv.MutationCompareAndClear, absent, "a", absent},
		{kv.MutationCompareAndClear, "a", "a", absent},
		{kv.MutationCompareAndClear, "ab", "a", "ab"},
	} {
		value, left := oracle.Evaluate(c.op, c.old, c.old != absent, c.operand)
		if !left {
			value = absent
		}
		if value != c.want {
			t.Errorf("operation %d of %q and %q gives %q, want %q", c.op, c.old, c.operand, value, c.want)
		}
	}
	long := strings.Repeat("x", kv.MaxValueBytes)
	if value, _ := oracle.Evaluate(kv.MutationAppendIfFits, long[1:], true, "x"); value != long {
		t.Error("a value that fits was not appended")
	}
	if value, _ := oracle.Evaluate(kv.MutationAppendIfFits, long, true, "x"); value != long {
		t.Error("a value that does not fit changed the old one")
	}
}

// TestEvaluateRefusesOtherMutations: a type that is not atomic is a mistake of
// the caller.
func TestEvaluateRefusesOtherMutations(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a set was evaluated")
		}
	}()
	oracle.Evaluate(wire.SetValue, "", false, "")
}

func selector(key string, orEqual bool, offset int) kv.KeySelector {
	return kv.KeySelector{Key: []byte(key), OrEqual: orEqual, Offset: offset}
}

func TestSelectorsCountRows(t *testing.T) {
	rows := oracle.New(map[string]string{"b": "", "d": "", "f": ""})
	for _, c := range []struct {
		selector kv.KeySelector
		want     string
	}{
		{selector("d", false, 0), "b"},
		{selector("d", true, 0), "d"},
		{selector("d", false, 1), "d"},
		{selector("d", true, 1), "f"},
		{selector("c", false, 1), "d"},
		{selector("c", true, 2), "f"},
		{selector("d", false, 3), "\xff"},
		{selector("d", true, -1), "b"},
		{selector("d", true, -2), ""},
		{selector("", false, 0), ""},
		{selector("\xff", true, 0), "f"},
		{selector("\xff", false, 1), "\xff"},
		{selector("d", false, 1<<62), "\xff"},
		{selector("d", false, -1<<62), ""},
	} {
		if got, err := rows.Key(c.selector); got != c.want || err != nil {
			t.Errorf("%v selects %q, error %v, want %q", c.selector, got, err, c.want)
		}
	}
	if got, err := rows.Bound(selector("c", true, 1)); got != "c\x00" || err != nil {
		t.Errorf("bound %q, error %v", got, err)
	}
}

func scanText(rows []kv.KeyValue, err error) (text string) {
	for _, row := range rows {
		text += fmt.Sprintf("%s=%s ", row.Key, row.Value)
	}
	if errors.Is(err, kv.ErrAccessedUnreadable) {
		text += "unreadable"
	}
	return text
}

func TestScansEndAtTheirLimitsAndAtUnreadableKeys(t *testing.T) {
	rows := oracle.New(map[string]string{"a": "1", "b": "2", "c": "3", "d": "4"})
	all := oracle.Span{Begin: "a", End: "z"}
	check := func(s oracle.Span, o kv.RangeOptions, want string) {
		t.Helper()
		if got := scanText(rows.Scan(s, o)); got != want {
			t.Errorf("%v %+v: %q, want %q", s, o, got, want)
		}
	}
	check(all, kv.RangeOptions{}, "a=1 b=2 c=3 d=4 ")
	check(all, kv.RangeOptions{Limit: 2}, "a=1 b=2 ")
	check(all, kv.RangeOptions{Limit: 2, Reverse: true}, "d=4 c=3 ")
	check(all, kv.RangeOptions{LimitBytes: 3}, "a=1 b=2 ")
	check(oracle.Span{Begin: "b", End: "b"}, kv.RangeOptions{}, "")
	rows.Hide(oracle.Point("c"))
	check(all, kv.RangeOptions{}, "a=1 b=2 unreadable")
	check(all, kv.RangeOptions{Reverse: true}, "d=4 unreadable")
	check(all, kv.RangeOptions{Limit: 2}, "a=1 b=2 ")
	if _, err := rows.Get("c"); !errors.Is(err, kv.ErrAccessedUnreadable) {
		t.Errorf("c can be read: %v", err)
	}
	if _, err := rows.Key(selector("c", false, 1)); !errors.Is(err, kv.ErrAccessedUnreadable) {
		t.Errorf("a selector passes c: %v", err)
	}
	rows.Define(oracle.Span{Begin: "b", End: "d"}, nil)
	check(all, kv.RangeOptions{}, "a=1 d=4 ")
}

// drawMutation draws among few keys, so that mutations meet.
func drawMutation(t *rapid.T) wire.Mutation {
	keys, values := rapid.StringMatching(`[abc]{0,2}`), rapid.StringMatching(`[xyz]{0,3}`)
	key, value := keys.Draw(t, "key"), values.Draw(t, "value")
	m := wire.Mutation{Param1: []byte(key), Param2: []byte(value)}
	m.Type = rapid.SampledFrom([]wire.MutationType{
		wire.SetValue, wire.ClearRange, wire.AddValue, wire.AppendIfFits, wire.CompareAndClear,
		wire.SetVersionstampedKey, wire.SetVersionstampedValue,
	}).Draw(t, "type")
	switch m.Type {
	case wire.ClearRange:
		m.Param2 = []byte(key + keys.Draw(t, "more"))
	case wire.SetVersionstampedKey:
		m.Param1 = param(key)
	case wire.SetVersionstampedValue:
		m.Param2 = param(value)
	}
	return m
}

// param returns content with room for a stamp at its end.
func param(content string) []byte {
	b := append([]byte(content), make([]byte, wire.StampBytes)...)
	return binary.LittleEndian.AppendUint32(b, uint32(len(content)))
}

// TestPendingAndCommittedRowsDifferWhereUnreadable (O2, O3).
func TestPendingAndCommittedRowsDifferWhereUnreadable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pending := oracle.New(map[string]string{"a": "1", "ab": "2", "c": "3"})
		committed := pending.Clone()
		list := rapid.SliceOfN(rapid.Custom(drawMutation), 0, 8).Draw(t, "mutations")
		for _, m := range list {
			pending.Apply(m, 5)
		}
		committed.Commit(list, wire.MakeStamp(7, 1))
		for key, value := range committed.Values {
			if got, present := pending.Values[key]; !pending.Hidden(key) && (!present || got != value) {
				t.Fatalf("%q is %q (%t), after the commit %q", key, got, present, value)
			}
		}
		for key := range pending.Values {
			if _, present := committed.Values[key]; !present || pending.Hidden(key) {
				t.Fatalf("%q is there before the commit only", key)
			}
		}
	})
}
