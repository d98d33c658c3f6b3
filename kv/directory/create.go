package directory

import (
	"bytes"
	"fmt"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/tuple"
)

// request says which directory to open or to create.
type request struct {
	path []string
	// layer is nil if any will do.
	layer []byte
	// prefix is nil if one is to be allocated.
	prefix             []byte
	mayOpen, mayCreate bool
}

// createOrOpen does a request. It reads by r, and writes by tx, which is nil
// unless the request may create.
func (l *Layer) createOrOpen(r kv.Reader, tx *kv.Transaction, q request) (*DirectorySubspace, error) {
	if q.prefix != nil && !l.manual {
		return nil, l.manualPrefixError()
	}
	if len(q.path) == 0 {
		return nil, ErrRootDirectory
	}
	n, version, err := l.find(r, q.path)
	switch {
	case err != nil:
		return nil, err
	case n.leadsInside(q.path):
		in := l.insideOf(n, q.path)
		q.path = q.path[n.depth:]
		return in.createOrOpen(r, tx, q)
	case n.exists && !q.mayOpen:
		return nil, ErrExists
	case n.exists && q.layer != nil && !bytes.Equal(q.layer, n.layer):
		return nil, &LayerError{Got: bytes.Clone(n.layer), Want: bytes.Clone(q.layer)}
	case n.exists:
		return l.open(n.prefix, n.layer, q.path), nil
	case !q.mayCreate:
		return nil, ErrNotFound
	}
	if err := l.settleVersion(tx, version); err != nil {
		return nil, err
	}
	return l.create(tx, n, q)
}

func (l *Layer) manualPrefixError() error {
	if l.isPartition {
		return fmt.Errorf("%w: inside a partition all prefixes are allocated; create the directory without one", ErrManualPrefix)
	}
	return fmt.Errorf("%w: make the tree by NewLayer with WithManualPrefixes, or create the directory without one", ErrManualPrefix)
}

// create makes the directories of a path that are missing below n.parent. All
// prefixes are settled before anything is written to a node (D5).
func (l *Layer) create(tx *kv.Transaction, n node, q request) (*DirectorySubspace, error) {
	missing := q.path[n.depth:]
	prefixes, err := l.settlePrefixes(tx, len(missing), q.prefix)
	if err != nil {
		return nil, err
	}
	parent, layer := n.parent, []byte{}
	for i, name := range missing {
		if i == len(missing)-1 {
			layer = append(layer, q.layer...)
		}
		meta := l.nodeOf(prefixes[i])
		// In this order other goroutines find no directory without a layer.
		tx.Set(layerKey(meta), layer)
		tx.Set(subdirKey(parent, name), prefixes[i])
		parent = meta
	}
	return l.open(prefixes[len(prefixes)-1], layer, q.path), nil
}

// settlePrefixes returns n prefixes that are free. The last is manual, if that
// is not nil.
func (l *Layer) settlePrefixes(tx *kv.Transaction, n int, manual []byte) ([][]byte, error) {
	var prefixes [][]byte
	if manual != nil {
		n--
		if free, err := l.prefixIsFree(tx, manual); err != nil || !free {
			return nil, orInUse(err, manual, "choose another one")
		}
	}
	for range n {
		prefix, err := l.allocatePrefix(tx)
		if err != nil {
			return nil, err
		}
		if manual != nil && overlap(prefix, manual) {
			return nil, orInUse(nil, manual, "choose one where the allocator allocates none")
		}
		prefixes = append(prefixes, prefix)
	}
	if manual != nil {
		prefixes = append(prefixes, manual)
	}
	return prefixes, nil
}

// orInUse returns err, or if that is nil an error that says that prefix is in use.
func orInUse(err error, prefix []byte, remedy string) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: %s; %s", ErrPrefixInUse, tuple.Printable(prefix), remedy)
}

func overlap(a, b []byte) bool { return bytes.HasPrefix(a, b) || bytes.HasPrefix(b, a) }

// allocatePrefix returns a new prefix, under which there are no keys.
func (l *Layer) allocatePrefix(tx *kv.Transaction) ([]byte, error) {
	number, err := l.allocator.allocate(tx)
	if err != nil {
		return nil, err
	}
	prefix := l.content.Pack(tuple.Tuple{number})
	empty, err := isEmpty(tx, kv.PrefixRange(prefix))
	if err != nil || !empty {
		return nil, orInUse(err, prefix,
			"the allocator chose it, but there are keys that begin with it: keep keys outside directories out of the content subspace, then create again")
	}
	free, err := l.prefixIsFree(tx.Snapshot(), prefix)
	if err != nil || !free {
		return nil, orInUse(err, prefix,
			"the allocator chose it, but a manual prefix overlaps with it: choose manual prefixes elsewhere, or create again")
	}
	l.guard(tx, prefix)
	return prefix, nil
}

// guard makes the commit fail if somebody else meanwhile creates a directory
// whose manual prefix overlaps with an allocated one (D1). Reading the nodes
// without a snapshot would do so too, but would conflict with every creation of
// a directory that is next to this one.
func (l *Layer) guard(tx *kv.Transaction, prefix []byte) {
	if below, ok := l.nodesBelow(prefix); ok {
		tx.AddReadConflictRange(below)
	}
	for n := 1; n < len(prefix); n++ {
		tx.AddReadConflictKey(layerKey(l.nodeOf(prefix[:n])))
	}
}

// prefixIsFree reports whether neither the prefix of a directory nor the
// metadata begins with prefix, or the other way round. The metadata's prefix is
// that of the root's node, which holds the version by now.
func (l *Layer) prefixIsFree(r kv.Reader, prefix []byte) (bool, error) {
	below, ok := l.nodesBelow(prefix)
	if len(prefix) == 0 || !ok {
		return false, nil
	}
	above, err := l.nodeAbove(r, prefix)
	if err != nil || above {
		return false, err
	}
	return isEmpty(r, below)
}

// nodesBelow returns the range of the nodes whose prefixes begin with prefix.
// There is none if prefix is at the end of the key space.
func (l *Layer) nodesBelow(prefix []byte) (kv.KeyRange, bool) {
	end, ok := kv.Strinc(prefix)
	if !ok {
		return kv.KeyRange{}, false
	}
	return kv.KeyRange{Begin: l.nodes.Pack(tuple.Tuple{prefix}), End: l.nodes.Pack(tuple.Tuple{end})}, true
}

// nodeAbove reports whether prefix begins with the prefix of a directory. As
// those do not overlap with one another (D1), the one that sorts before prefix
// decides.
func (l *Layer) nodeAbove(r kv.Reader, prefix []byte) (bool, error) {
	before := kv.KeyRange{Begin: l.nodes.Range().Begin, End: kv.KeyAfter(l.nodes.Pack(tuple.Tuple{prefix}))}
	rows, err := r.Range(before, kv.RangeOptions{Limit: 1, Reverse: true}).Slice()
	if err != nil || len(rows) == 0 {
		return false, err
	}
	t, err := l.nodes.Unpack(rows[0].Key)
	if err != nil {
		return false, &MetadataError{Key: rows[0].Key, Err: err}
	}
	found, err := tuple.At[[]byte](t, 0)
	if err != nil {
		return false, &MetadataError{Key: rows[0].Key, Err: err}
	}
	return bytes.HasPrefix(prefix, found), nil
}

// isEmpty reports whether there are no keys in a range.
func isEmpty(r kv.Reader, keys kv.KeyRange) (bool, error) {
	rows, err := r.Range(keys, kv.RangeOptions{Limit: 1}).Slice()
	return len(rows) == 0, err
}

// open returns the directory of that prefix and layer, found by path.
func (l *Layer) open(prefix, layer []byte, path []string) *DirectorySubspace {
	d := &DirectorySubspace{space: subspace.FromBytes(prefix), home: l, below: l, path: l.absolute(path), layer: append([]byte{}, layer...)}
	if isPartition(layer) {
		d.below = inside(prefix, d.path)
	}
	return d
}
