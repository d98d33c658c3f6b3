package window

import (
	"bytes"
	"fmt"
)

// check verifies the invariants N2 to N6.
func (w *Window) check() error {
	keys, byHash := 0, 0
	var err error
	fail := func(format string, args ...any) bool {
		err = fmt.Errorf(format, args...)
		return false
	}
	w.ordered.Ascend(func(i item) bool {
		keys++
		e := i.entry
		if w.find(e.key) != e || i.prefix != prefixOf(e.key) {
			return fail("N3: entry %q is not found by its hash", e.key)
		}
		for n := &e.node; n != nil; n = n.older {
			if n.version <= w.floor {
				return fail("N5: key %q has a node at %d, floor %d", e.key, n.version, w.floor)
			}
			if n.older != nil && (n.older.version >= n.version || n.older.seq >= n.seq) {
				return fail("N2: key %q: %d after %d", e.key, n.version, n.older.version)
			}
		}
		return true
	})
	for _, e := range w.byHash {
		for ; e != nil; e = e.sameHash {
			byHash++
		}
	}
	if byHash != keys {
		fail("N3: %d keys in the tree, %d in the hash", keys, byHash)
	}
	var last fragment
	w.clears.tree.Ascend(func(f fragment) bool {
		if bytes.Compare(last.end, f.begin) > 0 || bytes.Compare(f.begin, f.end) >= 0 || f.newest == nil {
			return fail("N4: fragment [%q, %q) after [%q, %q)", f.begin, f.end, last.begin, last.end)
		}
		last = f
		for n := f.newest; n != nil; n = n.older {
			if n.version <= w.floor {
				return fail("N5: fragment [%q, %q) has a node at %d, floor %d", f.begin, f.end, n.version, w.floor)
			}
			if n.older != nil && (n.older.version >= n.version || n.older.seq >= n.seq) {
				return fail("N2: fragment [%q, %q): %d after %d", f.begin, f.end, n.version, n.older.version)
			}
		}
		return true
	})
	size := w.open.bytes
	for _, s := range w.steps {
		size += s.bytes
	}
	if size != w.bytes {
		fail("N5: %d bytes counted, %d in steps", w.bytes, size)
	}
	return err
}
