package storage

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/atomicop"
	"github.com/plinthdb/plinth/internal/wire"
)

// drawMutation draws a mutation on one of a few keys.
func drawMutation(t *rapid.T) wire.Mutation {
	key := rapid.SliceOfN(rapid.ByteRange('a', 'd'), 0, 2)
	value := rapid.SliceOfN(rapid.Byte(), 0, 3)
	types := []wire.MutationType{wire.SetValue, wire.ClearRange, wire.AddValue, wire.ByteMax, wire.CompareAndClear, wire.AppendIfFits}
	m := wire.Mutation{Type: rapid.SampledFrom(types).Draw(t, "type"), Param1: key.Draw(t, "key")}
	if m.Type == wire.ClearRange {
		m.Param2 = key.Draw(t, "end")
		return m
	}
	m.Param2 = value.Draw(t, "value")
	return m
}

// applyToMap is the model: a map and nothing else.
func applyToMap(rows map[string][]byte, m wire.Mutation) {
	switch key := string(m.Param1); m.Type {
	case wire.SetValue:
		rows[key] = m.Param2
	case wire.ClearRange:
		maps.DeleteFunc(rows, func(k string, _ []byte) bool { return key <= k && k < string(m.Param2) })
	default:
		old, there := rows[key]
		if value, there := atomicop.Apply(m.Type, old, there, m.Param2); there {
			rows[key] = value
		} else {
			delete(rows, key)
		}
	}
}

func drawState(t *rapid.T) map[string][]byte {
	rows := map[string][]byte{}
	for range rapid.IntRange(0, 8).Draw(t, "rows") {
		applyToMap(rows, drawMutation(t))
	}
	return rows
}

func TestOverlayOverAStateGivesWhatAMapGives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		below := drawState(t)
		want := maps.Clone(below)
		o := newOverlay(func(key []byte) ([]byte, error) {
			if value, ok := below[string(key)]; ok {
				return append([]byte{}, value...), nil
			}
			return nil, nil
		})
		for range rapid.IntRange(0, 20).Draw(t, "mutations") {
			m := drawMutation(t)
			applyToMap(want, m)
			if err := o.apply(m); err != nil {
				t.Fatal(err)
			}
		}
		got := map[string][]byte{}
		var order []string
		rows := o.merger(func(key, value []byte) {
			got[string(key)] = bytes.Clone(value)
			order = append(order, string(key))
		})
		for _, key := range slices.Sorted(maps.Keys(below)) {
			rows.add([]byte(key), below[key])
		}
		rows.finish()
		if !maps.EqualFunc(got, want, bytes.Equal) {
			t.Fatalf("the overlay gives %q, want %q", got, want)
		}
		if len(order) != len(got) || !slices.IsSorted(order) {
			t.Fatalf("rows came in the order %q", order)
		}
	})
}

// Without the state below an overlay says only what is true over every state.
func TestOverlayWithoutAStateBelowClaimsNothingWrong(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		state := drawState(t)
		o := newOverlay(nil)
		for range rapid.IntRange(0, 20).Draw(t, "mutations") {
			m := drawMutation(t)
			applyToMap(state, m)
			if err := o.apply(m); err != nil {
				t.Fatal(err)
			}
			// What was just set or cleared is known.
			if _, s := o.look(m.Param1); m.Type == wire.SetValue && s != present ||
				m.Type == wire.ClearRange && s != absent && bytes.Compare(m.Param1, m.Param2) < 0 {
				t.Fatalf("after %v on %q its state is %d", m.Type, m.Param1, s)
			}
		}
		for _, a := range []string{"", "a", "b", "c", "d", "aa", "ab", "bc", "cd", "dd", "da"} {
			value, s := o.look([]byte(a))
			got, there := state[a]
			if s == present && (!there || !bytes.Equal(value, got)) || s == absent && there {
				t.Fatalf("key %q holds %q (%v), the overlay says %q, state %d", a, got, there, value, s)
			}
		}
	})
}

func TestOverlayRefusesWhatNoLogHolds(t *testing.T) {
	if err := newOverlay(nil).apply(wire.Mutation{Type: wire.SetVersionstampedKey}); err == nil {
		t.Error("a versionstamped mutation was applied")
	}
}
