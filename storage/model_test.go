package storage_test

import (
	"bytes"
	"maps"
	"slices"

	"github.com/plinthdb/plinth/internal/atomicop"
	"github.com/plinthdb/plinth/internal/wire"
	"pgregory.net/rapid"
)

// model is the plainest multi-version store: the whole state of every version.
type model struct {
	versions []wire.Version
	states   map[wire.Version]map[string]string
}

func newModel() *model {
	return &model{versions: []wire.Version{0}, states: map[wire.Version]map[string]string{0: {}}}
}

func (m *model) newest() wire.Version { return m.versions[len(m.versions)-1] }

// apply adds a version.
func (m *model) apply(version wire.Version, list []wire.Mutation) {
	state := maps.Clone(m.states[m.newest()])
	for _, mut := range list {
		key := string(mut.Param1)
		switch mut.Type {
		case wire.SetValue:
			state[key] = string(mut.Param2)
		case wire.ClearRange:
			maps.DeleteFunc(state, func(k, _ string) bool { return k >= key && k < string(mut.Param2) })
		default:
			old, present := state[key]
			if value, present := atomicop.Apply(mut.Type, []byte(old), present, mut.Param2); present {
				state[key] = string(value)
			} else {
				delete(state, key)
			}
		}
	}
	m.versions = append(m.versions, version)
	m.states[version] = state
}

// rows returns a range of a version in the order of a scan.
func (m *model) rows(version wire.Version, begin, end string, reverse bool) []wire.KeyValue {
	state := m.states[version]
	var rows []wire.KeyValue
	for _, k := range slices.Sorted(maps.Keys(state)) {
		if k >= begin && k < end {
			rows = append(rows, wire.KeyValue{Key: []byte(k), Value: []byte(state[k])})
		}
	}
	if reverse {
		slices.Reverse(rows)
	}
	return rows
}

// limited cuts rows where limits end a reply.
func limited(rows []wire.KeyValue, limitRows, limitBytes int) (out []wire.KeyValue, more bool) {
	size := 0
	for i, row := range rows {
		size += len(row.Key) + len(row.Value)
		if i+1 == limitRows || limitBytes > 0 && size >= limitBytes {
			return rows[:i+1], true
		}
	}
	return rows, false
}

// key resolves a selector by counting over the sorted keys.
func (m *model) key(version wire.Version, sel wire.KeySelector) []byte {
	end := wire.SystemPrefix
	if string(sel.Key) > wire.SystemPrefix {
		end = "\xff\xff"
	}
	rows := m.rows(version, "", end, false)
	base := -1 // the last row below sel.Key, or at it
	for i, row := range rows {
		if c := bytes.Compare(row.Key, sel.Key); c < 0 || c == 0 && sel.OrEqual {
			base = i
		}
	}
	switch at := base + sel.Offset; {
	case at < 0:
		return []byte{}
	case at >= len(rows):
		return []byte(end)
	default:
		return rows[at].Key
	}
}

var drawnKeys = rapid.Custom(func(t *rapid.T) string {
	prefix := rapid.SampledFrom([]string{"", "k", "samesame", "samesame\x00", "\xff/x"}).Draw(t, "prefix")
	return prefix + string(rapid.SliceOfN(rapid.SampledFrom([]byte("\x00ab")), 0, 2).Draw(t, "suffix"))
})

var drawnValues = rapid.Custom(func(t *rapid.T) string {
	if rapid.IntRange(0, 19).Draw(t, "big") == 0 {
		return string(bytes.Repeat([]byte("v"), rapid.IntRange(10_000, 40_000).Draw(t, "bytes")))
	}
	return string(rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(t, "value"))
})

func drawRange(t *rapid.T) (begin, end string) {
	begin, end = drawnKeys.Draw(t, "begin"), drawnKeys.Draw(t, "end")
	return min(begin, end), max(begin, end)
}

var atomicTypes = []wire.MutationType{
	wire.AddValue, wire.BitAnd, wire.BitOr, wire.BitXor, wire.AppendIfFits, wire.Max, wire.Min,
	wire.ByteMin, wire.ByteMax, wire.CompareAndClear,
}

func drawMutation(t *rapid.T) wire.Mutation {
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0, 1, 2, 3:
		return set(drawnKeys.Draw(t, "key"), drawnValues.Draw(t, "value"))
	case 4, 5:
		return clearKey(drawnKeys.Draw(t, "key"))
	case 6, 7:
		return clearRange(drawRange(t))
	default:
		return atomicOp(rapid.SampledFrom(atomicTypes).Draw(t, "type"), drawnKeys.Draw(t, "key"), drawnValues.Draw(t, "operand"))
	}
}
