package window

import (
	"bytes"

	"github.com/google/btree"
	"github.com/plinthdb/plinth/internal/wire"
)

// clearNode is one range clear as a fragment sees it. Nodes are immutable but
// for older, which Trim cuts, so fragments that were split share them.
type clearNode struct {
	version wire.Version
	seq     uint64
	older   *clearNode
}

// fragment is a range of keys that the same clears cover.
type fragment struct {
	begin, end []byte
	newest     *clearNode
}

// clearMap holds the range clears of the window as disjoint fragments, ordered
// by their begin.
type clearMap struct {
	tree *btree.BTreeG[fragment]
}

func newClearMap() clearMap {
	return clearMap{tree: btree.NewG(treeDegree, func(a, b fragment) bool {
		return bytes.Compare(a.begin, b.begin) < 0
	})}
}

func (c *clearMap) empty() bool { return c.tree.Len() == 0 }

// covering returns the fragment that contains key.
func (c *clearMap) covering(key []byte) (found fragment, ok bool) {
	c.tree.DescendLessOrEqual(fragment{begin: key}, func(f fragment) bool {
		found, ok = f, bytes.Compare(key, f.end) < 0
		return false
	})
	return found, ok
}

// at returns the newest clear at or below version, nil if there is none above
// floor.
func (f fragment) at(version, floor wire.Version) *clearNode {
	n := f.newest
	for n != nil && n.version > version {
		n = n.older
	}
	if n == nil || n.version <= floor {
		return nil
	}
	return n
}

// add covers r with a clear and returns how many fragments and nodes it made.
func (c *clearMap) add(r wire.KeyRange, version wire.Version, seq uint64) int {
	made := c.split(r.Begin) + c.split(r.End)
	inside := c.overlapping(r)
	cursor := r.Begin
	for _, f := range inside {
		if bytes.Compare(cursor, f.begin) < 0 {
			c.tree.ReplaceOrInsert(fragment{begin: cursor, end: f.begin, newest: &clearNode{version: version, seq: seq}})
			made++
		}
		older := f.newest
		if older.version == version {
			older = older.older
		}
		f.newest = &clearNode{version: version, seq: seq, older: older}
		c.tree.ReplaceOrInsert(f)
		made++
		cursor = f.end
	}
	if bytes.Compare(cursor, r.End) < 0 {
		c.tree.ReplaceOrInsert(fragment{begin: cursor, end: r.End, newest: &clearNode{version: version, seq: seq}})
		made++
	}
	return made
}

// split makes key a border of the fragment that contains it, if there is one.
func (c *clearMap) split(key []byte) int {
	f, ok := c.covering(key)
	if !ok || bytes.Equal(f.begin, key) {
		return 0
	}
	c.tree.ReplaceOrInsert(fragment{begin: f.begin, end: key, newest: f.newest})
	c.tree.ReplaceOrInsert(fragment{begin: key, end: f.end, newest: f.newest})
	return 1
}

// overlapping lists the fragments that share keys with r.
func (c *clearMap) overlapping(r wire.KeyRange) []fragment {
	var list []fragment
	if f, ok := c.covering(r.Begin); ok {
		list = append(list, f)
	}
	c.tree.AscendRange(fragment{begin: r.Begin}, fragment{begin: r.End}, func(f fragment) bool {
		if len(list) == 0 || !bytes.Equal(list[0].begin, f.begin) {
			list = append(list, f)
		}
		return true
	})
	return list
}

// trim forgets the clears of r at or below version.
func (c *clearMap) trim(r wire.KeyRange, version wire.Version) {
	for _, f := range c.overlapping(r) {
		if f.newest.version <= version {
			c.tree.Delete(f)
			continue
		}
		n := f.newest
		for n.older != nil && n.older.version > version {
			n = n.older
		}
		n.older = nil
	}
}
