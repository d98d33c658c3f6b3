package window

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"

	"github.com/google/btree"
	"github.com/plinthdb/plinth/internal/invariants"
	"github.com/plinthdb/plinth/internal/wire"
)

// State says what the window knows of a key at a version.
type State uint8

// The states.
const (
	Unknown State = iota // nothing: the engine's answer holds
	Present              // it has a value
	Absent               // it was cleared
)

// treeDegree is the branching of the ordered trees.
const treeDegree = 32

// What an entry, a further node and a fragment cost beside their keys and
// values, for the count of bytes: the structures, their places in the tree and
// in the hash map, and the step's note.
const (
	entryOverheadBytes    = 200
	nodeOverheadBytes     = 64
	fragmentOverheadBytes = 160
)

// Window holds the mutations of recent versions. See the package comment.
type Window struct {
	seed maphash.Seed
	// byHash finds an entry by the hash of its key; entries of one hash are
	// chained.
	byHash  map[uint64]*entry
	ordered *btree.BTreeG[item]
	clears  clearMap
	seq     uint64
	newest  wire.Version
	floor   wire.Version
	open    *Step
	steps   []*Step
	bytes   int
}

// node is the state of one key from one version on. A nil value is a
// tombstone.
type node struct {
	version wire.Version
	seq     uint64
	value   []byte
	older   *node
}

// entry is a key with its nodes, the newest one in place.
type entry struct {
	node
	key      []byte
	hash     uint64
	sameHash *entry
	step     *Step // the newest step that notes the entry
}

// item is an entry's place in the ordered tree. Most comparisons end at the
// prefix, without touching the entry.
type item struct {
	prefix uint64
	entry  *entry
}

func itemLess(a, b item) bool {
	if a.prefix != b.prefix {
		return a.prefix < b.prefix
	}
	return bytes.Compare(a.entry.key, b.entry.key) < 0
}

// prefixOf returns the first eight bytes of key as a number that sorts like
// them.
func prefixOf(key []byte) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(key)
	}
	var buf [8]byte
	copy(buf[:], key)
	return binary.BigEndian.Uint64(buf[:])
}

func probe(key []byte) item { return item{prefix: prefixOf(key), entry: &entry{key: key}} }

// New returns an empty window above an engine that stands at floor.
func New(floor wire.Version) *Window {
	return &Window{
		seed:    maphash.MakeSeed(),
		byHash:  make(map[uint64]*entry),
		ordered: btree.NewG(treeDegree, itemLess),
		clears:  newClearMap(),
		newest:  floor,
		floor:   floor,
		open:    &Step{begin: floor},
	}
}

// Bytes is what the window holds in memory, roughly.
func (w *Window) Bytes() int { return w.bytes }

// Floor is the version up to which steps are trimmed or being trimmed: the
// engine stands there or higher.
func (w *Window) Floor() wire.Version { return w.floor }

// Len is the number of keys in the window.
func (w *Window) Len() int { return w.ordered.Len() }

// Empty reports whether the window knows nothing: neither keys nor clears.
func (w *Window) Empty() bool { return w.ordered.Len() == 0 && w.clears.empty() }

func (w *Window) find(key []byte) *entry {
	for e := w.byHash[maphash.Bytes(w.seed, key)]; e != nil; e = e.sameHash {
		if bytes.Equal(e.key, key) {
			return e
		}
	}
	return nil
}

// Lookup returns the state of key at version, and the value if it is Present.
// The value is never nil then and shared (rule W1 of package wire).
func (w *Window) Lookup(key []byte, version wire.Version) ([]byte, State) {
	if e := w.find(key); e != nil {
		if n := w.at(e, version); n != nil {
			if n.value == nil || w.cleared(key, version, n.seq) {
				return nil, Absent
			}
			return n.value, Present
		}
	}
	if w.cleared(key, version, 0) {
		return nil, Absent
	}
	return nil, Unknown
}

// Newest returns the state of key after every mutation so far, whether or not
// its version is complete.
func (w *Window) Newest(key []byte) ([]byte, State) { return w.Lookup(key, wire.MaxVersion) }

// at returns the newest node of e at or below version, nil if there is none
// above the floor: what is not above the floor counts as trimmed from BeginTrim
// on, wherever the trimming has got to (N7).
func (w *Window) at(e *entry, version wire.Version) *node {
	n := &e.node
	for n != nil && n.version > version {
		n = n.older
	}
	if n == nil || n.version <= w.floor {
		return nil
	}
	return n
}

// cleared reports whether a range clear of key, at or below version and above
// the floor, comes after the mutation with number seq.
func (w *Window) cleared(key []byte, version wire.Version, seq uint64) bool {
	if w.clears.empty() {
		return false
	}
	f, ok := w.clears.covering(key)
	if !ok {
		return false
	}
	n := f.at(version, w.floor)
	return n != nil && n.seq > seq
}

// Set gives key a value at version.
func (w *Window) Set(key, value []byte, version wire.Version) {
	if value == nil {
		value = []byte{}
	}
	w.put(key, value, version)
}

// Clear removes key at version.
func (w *Window) Clear(key []byte, version wire.Version) { w.put(key, nil, version) }

func (w *Window) put(key, value []byte, version wire.Version) {
	w.nextSeq(version)
	hash := maphash.Bytes(w.seed, key)
	first := w.byHash[hash]
	e := first
	for e != nil && !bytes.Equal(e.key, key) {
		e = e.sameHash
	}
	switch {
	case e == nil:
		e = &entry{key: key, hash: hash, sameHash: first, node: node{version: version, seq: w.seq, value: value}}
		w.byHash[hash] = e
		w.ordered.ReplaceOrInsert(item{prefix: prefixOf(key), entry: e})
	case e.version == version:
		e.key, e.value, e.seq = key, value, w.seq
	default:
		older := e.node
		e.key = key
		e.node = node{version: version, seq: w.seq, value: value, older: &older}
	}
	size := nodeOverheadBytes + len(value)
	if e.step != w.open {
		e.step = w.open
		w.open.touched = append(w.open.touched, e)
		size += entryOverheadBytes + len(key)
	}
	w.addBytes(size)
}

// ClearRange removes all keys begin <= key < end at version.
func (w *Window) ClearRange(begin, end []byte, version wire.Version) {
	r := wire.KeyRange{Begin: begin, End: end}
	if r.Empty() {
		return
	}
	if r.IsSingleKey() {
		w.put(begin, nil, version)
		return
	}
	w.nextSeq(version)
	// The fragments may outlive the mutation list (N6).
	r.Begin, r.End = bytes.Clone(begin), bytes.Clone(end)
	fragments := w.clears.add(r, version, w.seq)
	w.open.clears = append(w.open.clears, r)
	w.addBytes(fragments*fragmentOverheadBytes + len(begin) + len(end))
}

func (w *Window) nextSeq(version wire.Version) {
	if invariants.Enabled {
		invariants.Assert(version >= w.newest && version > w.open.begin, "N1: version %d after %d, step begins above %d", version, w.newest, w.open.begin)
	}
	w.newest = version
	w.seq++
}

func (w *Window) addBytes(n int) {
	w.open.bytes += n
	w.bytes += n
}

// remove takes out an entry that has no node left.
func (w *Window) remove(e *entry) {
	w.ordered.Delete(item{prefix: prefixOf(e.key), entry: e})
	first := w.byHash[e.hash]
	if first == e {
		if e.sameHash == nil {
			delete(w.byHash, e.hash)
		} else {
			w.byHash[e.hash] = e.sameHash
		}
		return
	}
	for p := first; p != nil; p = p.sameHash {
		if p.sameHash == e {
			p.sameHash = e.sameHash
			return
		}
	}
}
