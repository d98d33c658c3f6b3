package kv

import (
	"bytes"
	"slices"
	"sort"

	"github.com/plinthdb/plinth/internal/atomicop"
	"github.com/plinthdb/plinth/internal/invariants"
	"github.com/plinthdb/plinth/internal/wire"
)

// state says what a transaction's own writes did to a key.
type state uint8

const (
	unmodified state = iota // what is stored holds
	written                 // entry.value holds
	cleared                 // the key is absent
	dependent               // entry.ops are applied to what is stored
	unreadable              // not known before the commit
)

// pendingOp is an atomic operation whose outcome depends on what is stored.
type pendingOp struct {
	op      wire.MutationType
	operand []byte
}

// entry is a boundary of the write map: the state of its key, and that of the
// keys between it and the next entry, which is unmodified, cleared or
// unreadable.
type entry struct {
	key   []byte
	value []byte      // with written
	ops   []pendingOp // with dependent; only ever appended to
	at    state
	after state
}

// maxChunkEntries bounds how much an insertion moves.
const maxChunkEntries = 128

// chunk is a run of entries. It is changed only by a map of its generation;
// older ones are shared with a view and copied first.
type chunk struct {
	entries    []entry
	generation uint64
}

// writeView is an immutable picture of a write map: entries in key order, in
// chunks of which none is empty.
type writeView struct {
	chunks []*chunk
}

// place is the position of an entry in a view; the one behind the last entry
// is {len(chunks), 0}.
type place struct{ chunk, index int }

// writeMap is what a transaction's writes amount to, in key order. It is built
// from the mutation list when a read first needs it, so that a transaction
// that does not read after writing never pays for it; keys and values are
// sub-slices of the list.
type writeMap struct {
	writeView
	// bypass takes versionstamped operations for sets that left the stamp out,
	// so that nothing is unreadable.
	bypass       bool
	generation   uint64
	indexedBytes int        // of the mutation list
	shared       *writeView // the last view handed out, until the next write
}

// index brings the map up to date with list, which begins with what was
// indexed before. read is the read version, 0 if it is not known yet: no stamp
// will be below it.
func (m *writeMap) index(list []byte, read wire.Version) {
	if m.indexedBytes == len(list) {
		return
	}
	m.shared = nil
	r := wire.ReadMutations(list[m.indexedBytes:])
	for {
		mutation, ok, err := r.Next()
		if err != nil {
			panic("kv: own mutation list is damaged: " + err.Error())
		}
		if !ok {
			break
		}
		m.apply(mutation, read)
	}
	m.indexedBytes = len(list)
	const checkedChunks = 8 // more would make many small reads quadratic
	if invariants.Enabled && len(m.chunks) <= checkedChunks {
		m.check()
	}
}

// check asserts the order on which every search in the map rests.
func (m *writeMap) check() {
	var last []byte
	for i, c := range m.chunks {
		invariants.Assert(len(c.entries) > 0, "K3: chunk %d of the write map is empty", i)
		for j, e := range c.entries {
			ordered := i == 0 && j == 0 || bytes.Compare(last, e.key) < 0
			invariants.Assert(ordered, "K3: write map has %q after %q", e.key, last)
			last = e.key
		}
	}
}

func (m *writeMap) apply(mutation wire.Mutation, read wire.Version) {
	if m.bypass && mutation.Type.IsVersionstamped() {
		mutation = unstamped(mutation)
	}
	key, param := mutation.Param1, mutation.Param2
	switch mutation.Type {
	case wire.SetValue:
		m.setPoint(entry{key: key, value: param, at: written})
	case wire.ClearRange:
		if r := (wire.KeyRange{Begin: key, End: param}); r.IsSingleKey() {
			m.setPoint(entry{key: key, at: cleared})
		} else {
			m.setRange(r, cleared)
		}
	case wire.SetVersionstampedValue:
		m.setPoint(entry{key: key, at: unreadable})
	case wire.SetVersionstampedKey:
		m.setRange(stampedKeys(key, read), unreadable)
	default:
		m.applyAtomic(key, pendingOp{op: mutation.Type, operand: param})
	}
}

// unstamped returns a versionstamped mutation as the set that leaves the bytes
// where the stamp goes as they are.
func unstamped(m wire.Mutation) wire.Mutation {
	if m.Type == wire.SetVersionstampedKey {
		m.Param1, _, _ = wire.SplitStampOffset(m.Param1)
	} else {
		m.Param2, _, _ = wire.SplitStampOffset(m.Param2)
	}
	m.Type = wire.SetValue
	return m
}

// applyAtomic evaluates op at once where the value is known.
func (m *writeMap) applyAtomic(key []byte, op pendingOp) {
	at, e := m.lookup(key)
	switch at {
	case unmodified:
		m.setPoint(entry{key: key, ops: []pendingOp{op}, at: dependent})
	case dependent:
		m.setPoint(entry{key: key, ops: append(e.ops, op), at: dependent})
	case unreadable:
		m.setPoint(entry{key: key, at: unreadable})
	case written, cleared:
		var old []byte
		if at == written {
			old = e.value
		}
		next := entry{key: key, at: cleared}
		if value, present := atomicop.Apply(op.op, old, at == written, op.operand); present {
			next.at, next.value = written, value
		}
		m.setPoint(next)
	}
}

// setPoint sets the state of one key.
func (m *writeMap) setPoint(e entry) {
	p, exact := m.seek(e.key)
	if exact {
		own := m.own(p.chunk)
		e.after = own.entries[p.index].after
		own.entries[p.index] = e
		return
	}
	e.after = m.before(p)
	m.insert(p, e)
}

// setRange gives all keys of r, which is not empty, the same state.
func (m *writeMap) setRange(r wire.KeyRange, s state) {
	if p, exact := m.seek(r.End); !exact {
		if rest := m.before(p); rest != s {
			m.insert(p, entry{key: r.End, at: rest, after: rest})
		}
	}
	m.remove(r)
	p, _ := m.seek(r.Begin)
	m.insert(p, entry{key: r.Begin, at: s, after: s})
}

// insert puts e before the entry at p.
func (m *writeMap) insert(p place, e entry) {
	if len(m.chunks) == 0 {
		m.chunks = append(m.chunks, &chunk{generation: m.generation})
	} else if p.index == 0 && p.chunk > 0 {
		p = place{p.chunk - 1, len(m.chunks[p.chunk-1].entries)}
	}
	own := m.own(p.chunk)
	own.entries = slices.Insert(own.entries, p.index, e)
	if len(own.entries) <= maxChunkEntries {
		return
	}
	// Entries that arrive in order leave full chunks behind.
	half := len(own.entries) / 2
	if p.index == len(own.entries)-1 {
		half = p.index
	}
	rest := &chunk{generation: m.generation, entries: slices.Clone(own.entries[half:])}
	clear(own.entries[half:])
	own.entries = own.entries[:half]
	m.chunks = slices.Insert(m.chunks, p.chunk+1, rest)
}

// remove takes out the entries with keys in r.
func (m *writeMap) remove(r wire.KeyRange) {
	from, _ := m.seek(r.Begin)
	to, _ := m.seek(r.End)
	if from == to {
		return
	}
	if from.chunk == to.chunk {
		own := m.own(from.chunk)
		own.entries = slices.Delete(own.entries, from.index, to.index)
		return
	}
	if to.index > 0 {
		own := m.own(to.chunk)
		own.entries = slices.Delete(own.entries, 0, to.index)
	}
	first := from.chunk
	if from.index > 0 {
		own := m.own(first)
		own.entries = slices.Delete(own.entries, from.index, len(own.entries))
		first++
	}
	m.chunks = slices.Delete(m.chunks, first, to.chunk)
}

// own returns the chunk at i, which no view shares any more.
func (m *writeMap) own(i int) *chunk {
	c := m.chunks[i]
	if c.generation != m.generation {
		c = &chunk{generation: m.generation, entries: slices.Clone(c.entries)}
		m.chunks[i] = c
	}
	return c
}

// view returns a picture of the map as it is now, nil if it is empty.
func (m *writeMap) view() *writeView {
	if len(m.chunks) == 0 {
		return nil
	}
	if m.shared == nil {
		m.shared = &writeView{chunks: slices.Clone(m.chunks)}
		m.generation++
	}
	return m.shared
}

// seek returns the place of the first entry whose key is not below key, and
// whether it is key's own.
func (v *writeView) seek(key []byte) (p place, exact bool) {
	after := sort.Search(len(v.chunks), func(i int) bool {
		return bytes.Compare(v.chunks[i].entries[0].key, key) > 0
	})
	if after == 0 {
		return place{}, false
	}
	entries := v.chunks[after-1].entries
	i := sort.Search(len(entries), func(i int) bool { return bytes.Compare(entries[i].key, key) >= 0 })
	if i == len(entries) {
		return place{after, 0}, false
	}
	return place{after - 1, i}, bytes.Equal(entries[i].key, key)
}

// entryAt returns the entry at p, nil behind the last one.
func (v *writeView) entryAt(p place) *entry {
	if p.chunk == len(v.chunks) {
		return nil
	}
	return &v.chunks[p.chunk].entries[p.index]
}

// next returns the place after p.
func (v *writeView) next(p place) place {
	if p.index+1 < len(v.chunks[p.chunk].entries) {
		return place{p.chunk, p.index + 1}
	}
	return place{p.chunk + 1, 0}
}

// previous returns the place before p; ok is false if p is the first.
func (v *writeView) previous(p place) (place, bool) {
	if p.index > 0 {
		return place{p.chunk, p.index - 1}, true
	}
	if p.chunk == 0 {
		return p, false
	}
	return place{p.chunk - 1, len(v.chunks[p.chunk-1].entries) - 1}, true
}

// before returns the state of the keys just below the entry at p.
func (v *writeView) before(p place) state {
	if q, ok := v.previous(p); ok {
		return v.entryAt(q).after
	}
	return unmodified
}

// lookup returns the state of key, and its entry if it has one of its own.
func (v *writeView) lookup(key []byte) (state, *entry) {
	p, exact := v.seek(key)
	if !exact {
		return v.before(p), nil
	}
	e := v.entryAt(p)
	return e.at, e
}

// applyOps returns what ops make of a stored value, nil if the key is absent
// then. The result shares no memory with the operands.
func applyOps(ops []pendingOp, value []byte) []byte {
	present := value != nil
	for _, op := range ops {
		value, present = atomicop.Apply(op.op, value, present, op.operand)
	}
	if !present {
		return nil
	}
	return append([]byte{}, value...)
}

// stampedKeys returns the range of keys that the parameter of a
// SetVersionstampedKey may become when it commits after version read.
func stampedKeys(param []byte, read wire.Version) wire.KeyRange {
	content, offset, _ := wire.SplitStampOffset(param)
	buf := make([]byte, 2*len(content)+1)
	begin, end := buf[:len(content):len(content)], buf[len(content):]
	copy(begin, content)
	copy(end, content)
	least := wire.MakeStamp(read, 0)
	copy(begin[offset:], least[:])
	for i := range wire.StampBytes {
		end[offset+i] = 0xff
	}
	return wire.KeyRange{Begin: begin, End: end}
}
