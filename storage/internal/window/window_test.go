package window

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/internal/wire"
	"pgregory.net/rapid"
)

// model is a window with its engine and, beside them, the whole state of every
// version as a plain map.
type model struct {
	w      *Window
	now    wire.Version
	states map[wire.Version]map[string]string
	engine map[string]string // what the steps wrote

	pending map[string]string // the state being built at version now
}

func newModel() *model {
	m := &model{w: New(0), states: map[wire.Version]map[string]string{0: {}}, engine: map[string]string{}}
	m.nextVersion(1)
	return m
}

func (m *model) nextVersion(step wire.Version) {
	m.pending = maps.Clone(m.states[m.now])
	m.now += step
	m.states[m.now] = m.pending
}

// keys are few and share prefixes of eight bytes and more, so that they meet.
var keys = rapid.Custom(func(t *rapid.T) []byte {
	prefix := rapid.SampledFrom([]string{"", "k", "samesame", "samesame\x00", "samesamf"}).Draw(t, "prefix")
	return append([]byte(prefix), rapid.SliceOfN(rapid.SampledFrom([]byte("\x00ab")), 0, 2).Draw(t, "suffix")...)
})

func drawRange(t *rapid.T) (begin, end []byte) {
	begin, end = keys.Draw(t, "begin"), append(keys.Draw(t, "end"), 'z')
	if bytes.Compare(begin, end) > 0 {
		begin, end = end, begin
	}
	return begin, end
}

func (m *model) drawVersion(t *rapid.T) wire.Version {
	var readable []wire.Version
	for v := range m.states {
		if v >= m.w.Floor() {
			readable = append(readable, v)
		}
	}
	slices.Sort(readable)
	return rapid.SampledFrom(readable).Draw(t, "version")
}

func (m *model) set(t *rapid.T) {
	key, value := keys.Draw(t, "key"), rapid.StringN(0, 3, -1).Draw(t, "value")
	m.w.Set(key, []byte(value), m.now)
	m.pending[string(key)] = value
}

func (m *model) clear(t *rapid.T) {
	key := keys.Draw(t, "key")
	m.w.Clear(key, m.now)
	delete(m.pending, string(key))
}

func (m *model) clearRange(t *rapid.T) {
	begin, end := drawRange(t)
	m.w.ClearRange(begin, end, m.now)
	maps.DeleteFunc(m.pending, func(k, _ string) bool { return k >= string(begin) && k < string(end) })
}

func (m *model) cut(*rapid.T) {
	m.w.CutStep(m.now)
	m.nextVersion(1)
}

// advance moves the oldest step into the engine, with reads between the
// pieces.
func (m *model) advance(t *rapid.T) {
	step := m.w.OldestStep()
	if step == nil {
		return
	}
	var writes []Write
	for from := 0; from < step.Keys(); from += 3 {
		writes = m.w.Collect(step, from, min(from+3, step.Keys()), writes)
	}
	for _, r := range step.Clears() {
		maps.DeleteFunc(m.engine, func(k, _ string) bool { return r.Contains([]byte(k)) })
	}
	for _, row := range writes {
		delete(m.engine, string(row.Key))
		if row.Value != nil {
			m.engine[string(row.Key)] = string(row.Value)
		}
	}
	if !maps.Equal(m.engine, m.states[step.End()]) {
		t.Fatalf("engine at %d: %q, want %q", step.End(), m.engine, m.states[step.End()])
	}
	m.w.BeginTrim(step)
	for from := range step.Keys() {
		m.w.TrimKeys(step, from, from+1)
		m.read(t)
	}
	for from := range step.Clears() {
		m.w.TrimClears(step, from, from+1)
		m.read(t)
	}
	m.w.EndTrim(step)
}

// read compares one Lookup with the model.
func (m *model) read(t *rapid.T) {
	key, version := keys.Draw(t, "key"), m.drawVersion(t)
	want, there := m.states[version][string(key)]
	value, state := m.w.Lookup(key, version)
	got, found := string(value), state == Present
	if state == Unknown {
		got, found = m.engine[string(key)]
	}
	if found != there || got != want {
		t.Fatalf("key %q at %d: got %q %t, want %q %t", key, version, got, found, want, there)
	}
}

// scan compares a range, gathered in pieces, with the model.
func (m *model) scan(t *rapid.T) {
	begin, end := drawRange(t)
	version, reverse := m.drawVersion(t), rapid.Bool().Draw(t, "reverse")
	limit := rapid.IntRange(1, 5).Draw(t, "limit")
	var got []string
	var p Piece
	for b, e := begin, end; ; {
		m.w.Gather(version, b, e, reverse, limit, &p)
		got = append(got, m.overlay(&p, b, e, reverse)...)
		if p.Bound == nil {
			break
		}
		if bytes.Compare(p.Bound, b) < 0 || bytes.Compare(p.Bound, e) > 0 || len(p.Rows) > limit || len(p.Masks) > limit {
			t.Fatalf("piece of [%q, %q) ends at %q with %d rows, %d masks, limit %d", b, e, p.Bound, len(p.Rows), len(p.Masks), limit)
		}
		if reverse {
			e = p.Bound
		} else {
			b = p.Bound
		}
	}
	if want := rowsOf(m.states[version], begin, end, reverse); !slices.Equal(got, want) {
		t.Fatalf("range [%q, %q) at %d, reverse %t: got %q, want %q", begin, end, version, reverse, got, want)
	}
}

// overlay merges a piece of the range with the engine, the plain way.
func (m *model) overlay(p *Piece, begin, end []byte, reverse bool) []string {
	if p.Bound != nil && reverse {
		begin = p.Bound
	} else if p.Bound != nil {
		end = p.Bound
	}
	state := maps.Clone(m.engine)
	for _, r := range p.Masks {
		maps.DeleteFunc(state, func(k, _ string) bool { return r.Contains([]byte(k)) })
	}
	for _, row := range p.Rows {
		delete(state, string(row.Key))
		if row.Value != nil {
			state[string(row.Key)] = string(row.Value)
		}
	}
	return rowsOf(state, begin, end, reverse)
}

func rowsOf(state map[string]string, begin, end []byte, reverse bool) []string {
	var rows []string
	for _, k := range slices.Sorted(maps.Keys(state)) {
		if k >= string(begin) && k < string(end) {
			rows = append(rows, k+"="+state[k])
		}
	}
	if reverse {
		slices.Reverse(rows)
	}
	return rows
}

func TestWindowAndEngineTogetherAgreeWithAPlainModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel()
		t.Repeat(map[string]func(*rapid.T){
			"set":        m.set,
			"setMore":    m.set,
			"clear":      m.clear,
			"clearRange": m.clearRange,
			"version":    func(t *rapid.T) { m.nextVersion(rapid.SampledFrom([]wire.Version{1, 3, 100}).Draw(t, "step")) },
			"cut":        m.cut,
			"advance":    m.advance,
			"read":       m.read,
			"scan":       m.scan,
			"": func(t *rapid.T) {
				if err := m.w.check(); err != nil {
					t.Fatal(err)
				}
			},
		})
		for m.w.OldestStep() != nil {
			m.advance(t)
		}
		if err := m.w.check(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAnEmptiedWindowHoldsNothing(t *testing.T) {
	w := New(0)
	w.Set([]byte("a"), []byte("1"), 1)
	w.ClearRange([]byte("b"), []byte("d"), 2)
	w.ClearRange([]byte("a"), []byte("c"), 2)
	w.CutStep(2)
	step := w.OldestStep()
	w.BeginTrim(step)
	w.TrimKeys(step, 0, step.Keys())
	w.TrimClears(step, 0, len(step.Clears()))
	w.EndTrim(step)
	if !w.Empty() || w.Bytes() != 0 || w.Len() != 0 || w.Steps() != 0 {
		t.Fatalf("%d bytes, %d keys, %d steps", w.Bytes(), w.Len(), w.Steps())
	}
}

// N6: the key that the window keeps is part of the newest list.
func TestAKeyThatChangesDoesNotHoldItsFirstList(t *testing.T) {
	w := New(0)
	first, second := []byte("key-in-first-list"), []byte("key-in-first-list")
	w.Set(first, []byte("1"), 1)
	w.Set(second, []byte("2"), 2)
	if e := w.find(first); &e.key[0] != &second[0] {
		t.Fatal("the entry still refers to the first list")
	}
}

func TestKeysOfOneHashAreToldApart(t *testing.T) {
	w := New(0)
	// Entries are put under one hash by hand: real collisions are too rare.
	for _, key := range []string{"a", "b", "c"} {
		w.Set([]byte(key), []byte(strings.ToUpper(key)), 1)
	}
	var chain *entry
	for _, key := range []string{"a", "b", "c"} {
		e := w.find([]byte(key))
		delete(w.byHash, e.hash)
		e.hash, e.sameHash, chain = 1, chain, e
	}
	w.byHash[1] = chain
	for _, key := range []string{"b", "c", "a"} {
		e := chain
		for string(e.key) != key {
			e = e.sameHash
		}
		w.remove(e)
		for p := w.byHash[1]; p != nil; p = p.sameHash {
			if string(p.key) == key {
				t.Fatalf("%q is still there", key)
			}
		}
		chain = w.byHash[1]
	}
	if w.Len() != 0 || len(w.byHash) != 0 {
		t.Fatalf("%d keys and %d hashes left", w.Len(), len(w.byHash))
	}
}

// N7: between the pieces of a trim neither the set nor the clear of the step
// shows without the other.
func TestATrimUnderWayShowsAsDone(t *testing.T) {
	for _, setFirst := range []bool{true, false} {
		w := New(0)
		key := []byte("k")
		if setFirst {
			w.Set(key, []byte("old"), 1)
		}
		w.ClearRange([]byte("a"), []byte("z"), 1)
		if !setFirst {
			w.Set(key, []byte("new"), 1)
		}
		w.CutStep(1)
		step := w.OldestStep()
		unknown := func() {
			t.Helper()
			var p Piece
			w.Gather(1, []byte("a"), []byte("z"), false, 10, &p)
			if _, state := w.Lookup(key, 1); state != Unknown || len(p.Rows) > 0 || len(p.Masks) > 0 {
				t.Fatalf("state %d, piece %v, want nothing known", state, p)
			}
		}
		w.BeginTrim(step)
		unknown()
		if setFirst {
			w.TrimClears(step, 0, 1)
			unknown()
			w.TrimKeys(step, 0, 1)
		} else {
			w.TrimKeys(step, 0, 1)
			unknown()
			w.TrimClears(step, 0, 1)
		}
		unknown()
		w.EndTrim(step)
	}
}
