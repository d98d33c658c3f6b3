package directory

import (
	"slices"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/subspace"
)

// nodesByte is the prefix of the default tree's metadata, and what follows a
// partition's prefix before the metadata of what is inside.
const nodesByte = 0xfe

// Layer is a tree of directories, as seen from its root. It holds no state: all
// that two Layers over the same subspaces know is in the store.
type Layer struct {
	nodes   subspace.Subspace
	content subspace.Subspace
	// root is the root's node.
	root      subspace.Subspace
	allocator *Allocator
	manual    bool
	// path is that of the partition which this is the inside of, if it is one.
	path        []string
	isPartition bool
}

// LayerOption changes how NewLayer makes a tree.
type LayerOption func(*Layer)

// WithManualPrefixes allows CreatePrefix, except inside partitions. Prefixes
// chosen by hand should not begin with the content subspace's prefix and a
// byte from 0x14 to 0x1c: there the allocator chooses.
func WithManualPrefixes() LayerOption {
	return func(l *Layer) { l.manual = true }
}

// NewLayer returns the tree with metadata in nodes and content in content,
// other than FoundationDB's default: beside data that is not in directories, or
// several trees in one store. Programs that share a tree must give the same
// subspaces. The two may overlap only as in Root, where no allocated prefix
// begins with that of nodes.
func NewLayer(nodes, content subspace.Subspace, options ...LayerOption) *Layer {
	root := nodes.Sub(nodes.Bytes())
	l := &Layer{nodes: nodes, content: content, root: root, allocator: NewAllocator(root.Sub(allocatorElement))}
	for _, option := range options {
		option(l)
	}
	return l
}

// inside returns the tree inside the partition of that prefix, whose path from
// the root of all is given.
func inside(prefix []byte, path []string) *Layer {
	l := NewLayer(subspace.FromBytes(append(slices.Clone(prefix), nodesByte)), subspace.FromBytes(prefix))
	l.path, l.isPartition = path, true
	return l
}

// absolute returns a path of the tree as one from the root of all. It is never
// nil.
func (l *Layer) absolute(path []string) []string {
	return append(append(make([]string, 0, len(l.path)+len(path)), l.path...), path...)
}

// failed returns err as the error of an operation on the directory at path. An
// error of the store stays as it is.
func (l *Layer) failed(op string, path []string, err error) error {
	if err == nil || !isOwn(err) {
		return err
	}
	return &Error{Op: op, Path: l.absolute(path), Err: err}
}

// CreateOrOpen implements Directory.
func (l *Layer) CreateOrOpen(tx *kv.Transaction, path []string, layer []byte) (*DirectorySubspace, error) {
	return l.write(tx, "create or open", request{path: path, layer: layer, mayCreate: true, mayOpen: true})
}

// Create implements Directory.
func (l *Layer) Create(tx *kv.Transaction, path []string, layer []byte) (*DirectorySubspace, error) {
	return l.write(tx, "create", request{path: path, layer: layer, mayCreate: true})
}

// CreatePrefix implements Directory.
func (l *Layer) CreatePrefix(tx *kv.Transaction, path []string, layer, prefix []byte) (*DirectorySubspace, error) {
	return l.write(tx, "create", request{path: path, layer: layer, prefix: append([]byte{}, prefix...), mayCreate: true})
}

// write does a request that may create a directory.
func (l *Layer) write(tx *kv.Transaction, op string, q request) (d *DirectorySubspace, err error) {
	err = tx.Exclusively(func() (err error) {
		d, err = l.createOrOpen(tx, tx, q)
		return err
	})
	return d, l.failed(op, q.path, err)
}

// Open implements Directory.
func (l *Layer) Open(r kv.Reader, path []string, layer []byte) (*DirectorySubspace, error) {
	d, err := l.createOrOpen(r, nil, request{path: path, layer: layer, mayOpen: true})
	return d, l.failed("open", path, err)
}

// Exists implements Directory. The root exists always.
func (l *Layer) Exists(r kv.Reader, path []string) (bool, error) {
	n, _, err := l.find(r, path)
	if err == nil && n.leadsInside(path) {
		return l.insideOf(n, path).Exists(r, path[n.depth:])
	}
	return n.exists, l.failed("look for", path, err)
}

// List implements Directory. A root without directories gives none.
func (l *Layer) List(r kv.Reader, path []string) ([]string, error) {
	n, _, err := l.find(r, path)
	switch {
	case err != nil:
	case !n.exists:
		err = ErrNotFound
	case isPartition(n.layer):
		return l.insideOf(n, path).List(r, path[n.depth:])
	default:
		var names []string
		if names, err = l.names(r, n); err == nil {
			return names, nil
		}
	}
	return nil, l.failed("list", path, err)
}

// Move implements Directory.
func (l *Layer) Move(tx *kv.Transaction, oldPath, newPath []string) (d *DirectorySubspace, err error) {
	err = tx.Exclusively(func() (err error) {
		d, err = l.move(tx, oldPath, newPath)
		return err
	})
	return d, l.failed("move to "+pathText(l.absolute(newPath))+" the directory", oldPath, err)
}

// MoveTo implements Directory; a root cannot be moved.
func (l *Layer) MoveTo(*kv.Transaction, []string) (*DirectorySubspace, error) {
	return nil, l.failed("move", nil, ErrRootDirectory)
}

// Remove implements Directory; a root cannot be removed.
func (l *Layer) Remove(tx *kv.Transaction, path []string) error {
	existed, err := l.RemoveIfExists(tx, path)
	if err == nil && !existed {
		return l.failed("remove", path, ErrNotFound)
	}
	return err
}

// RemoveIfExists implements Directory; a root cannot be removed.
func (l *Layer) RemoveIfExists(tx *kv.Transaction, path []string) (existed bool, err error) {
	err = tx.Exclusively(func() (err error) {
		existed, err = l.remove(tx, path)
		return err
	})
	return existed, l.failed("remove", path, err)
}

// Layer implements Directory. A root has none.
func (l *Layer) Layer() []byte { return []byte{} }

// Path implements Directory.
func (l *Layer) Path() []string { return slices.Clone(l.path) }
