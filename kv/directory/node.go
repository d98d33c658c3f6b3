package directory

import (
	"errors"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/tuple"
)

// subdirElement is the tuple element before the names of subdirectories in the
// keys of a node.
const subdirElement = 0

// node is what a path leads to.
type node struct {
	// exists is false if a name of the path is missing; then depth is how many
	// names lead to parent, the node of the last directory that is there.
	exists bool
	depth  int
	parent subspace.Subspace
	// meta is the node's keys, prefix and layer are what they hold. The root
	// has neither prefix nor layer.
	meta          subspace.Subspace
	prefix, layer []byte
}

func isPartition(layer []byte) bool { return string(layer) == PartitionLayer }

// leadsInside reports whether the path goes on inside a partition, at whose
// root the node is.
func (n *node) leadsInside(path []string) bool {
	return n.exists && isPartition(n.layer) && n.depth < len(path)
}

// insideOf returns the tree inside the partition that n is, found by path.
func (l *Layer) insideOf(n node, path []string) *Layer {
	return inside(n.prefix, l.absolute(path[:n.depth]))
}

// nodeOf returns the keys of the node of the directory with a prefix.
func (l *Layer) nodeOf(prefix []byte) subspace.Subspace { return l.nodes.Sub(prefix) }

func layerKey(meta subspace.Subspace) []byte { return meta.Pack(tuple.Tuple{[]byte("layer")}) }

func subdirKey(meta subspace.Subspace, name string) []byte {
	return meta.Pack(tuple.Tuple{subdirElement, name})
}

// walk follows a path as far as it leads inside this tree: to the directory, to
// the root of a partition on the way, or to where a name is missing.
func (l *Layer) walk(r kv.Reader, path []string) (node, error) {
	n := node{exists: true, meta: l.root}
	for i, name := range path {
		key := subdirKey(n.meta, name)
		prefix, err := r.Get(key).Wait()
		if err != nil {
			return node{}, err
		}
		if prefix == nil {
			return node{parent: n.meta, depth: i}, nil
		}
		if n, err = l.child(n, kv.KeyValue{Key: key, Value: prefix}); err != nil {
			return node{}, err
		}
		if n.layer, err = r.Get(layerKey(n.meta)).Wait(); err != nil || isPartition(n.layer) {
			return n, err
		}
	}
	return n, nil
}

// child returns the node that a row of its parent names, without its layer.
func (l *Layer) child(parent node, row kv.KeyValue) (node, error) {
	if len(row.Value) == 0 {
		// It would be the prefix of all keys, which Remove clears.
		return node{}, &MetadataError{Key: row.Key, Err: errors.New("a directory has an empty prefix")}
	}
	return node{exists: true, depth: parent.depth + 1, parent: parent.meta, meta: l.nodeOf(row.Value), prefix: row.Value}, nil
}

// find is walk, with a look at the tree's version, which it returns. The two
// travel together.
func (l *Layer) find(r kv.Reader, path []string) (n node, version []byte, err error) {
	future := r.Get(l.versionKey())
	n, err = l.walk(r, path)
	version, versionErr := future.Wait()
	if versionErr == nil {
		versionErr = l.checkVersion(version, readAccess)
	}
	if versionErr != nil {
		// What walk has met is of no meaning in another format.
		return node{}, nil, versionErr
	}
	return n, version, err
}

// names returns the names of a node's subdirectories.
func (l *Layer) names(r kv.Reader, n node) ([]string, error) {
	var names []string
	subdirs := n.meta.Sub(subdirElement)
	for row, err := range r.Range(subdirs.Range(), kv.RangeOptions{}).All() {
		if err != nil {
			return nil, err
		}
		t, err := subdirs.Unpack(row.Key)
		if err != nil {
			return nil, &MetadataError{Key: row.Key, Err: err}
		}
		name, err := tuple.At[string](t, 0)
		if err != nil {
			return nil, &MetadataError{Key: row.Key, Err: err}
		}
		names = append(names, name)
	}
	return names, nil
}
