package directory

import (
	"fmt"
	"slices"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/tuple"
)

// DirectorySubspace is a directory that was opened: the subspace of its
// content, and a place in the tree. It never changes and may be used by many
// goroutines. The root of a partition is no subspace, see the package comment.
type DirectorySubspace struct {
	space subspace.Subspace
	// home is the tree that holds the directory's own entry, below the tree
	// that holds what is below: another one if it is a partition.
	home, below *Layer
	path        []string
	layer       []byte
}

// within returns the path, relative to the root of l, of what is at path below
// the directory.
func (d *DirectorySubspace) within(l *Layer, path []string) []string {
	return slices.Concat(d.path[len(l.path):], path)
}

// holder returns the tree that holds the entry of what is at path.
func (d *DirectorySubspace) holder(path []string) *Layer {
	if len(path) == 0 {
		return d.home
	}
	return d.below
}

// CreateOrOpen implements Directory.
func (d *DirectorySubspace) CreateOrOpen(tx *kv.Transaction, path []string, layer []byte) (*DirectorySubspace, error) {
	return d.below.CreateOrOpen(tx, d.within(d.below, path), layer)
}

// Open implements Directory. Without a path it opens the directory again, by
// the path that it had.
func (d *DirectorySubspace) Open(r kv.Reader, path []string, layer []byte) (*DirectorySubspace, error) {
	return d.below.Open(r, d.within(d.below, path), layer)
}

// Create implements Directory.
func (d *DirectorySubspace) Create(tx *kv.Transaction, path []string, layer []byte) (*DirectorySubspace, error) {
	return d.below.Create(tx, d.within(d.below, path), layer)
}

// CreatePrefix implements Directory.
func (d *DirectorySubspace) CreatePrefix(tx *kv.Transaction, path []string, layer, prefix []byte) (*DirectorySubspace, error) {
	return d.below.CreatePrefix(tx, d.within(d.below, path), layer, prefix)
}

// Exists implements Directory. Without a path it reports whether there is a
// directory at the path that this one had.
func (d *DirectorySubspace) Exists(r kv.Reader, path []string) (bool, error) {
	l := d.holder(path)
	return l.Exists(r, d.within(l, path))
}

// List implements Directory.
func (d *DirectorySubspace) List(r kv.Reader, path []string) ([]string, error) {
	return d.below.List(r, d.within(d.below, path))
}

// Move implements Directory.
func (d *DirectorySubspace) Move(tx *kv.Transaction, oldPath, newPath []string) (*DirectorySubspace, error) {
	return d.below.Move(tx, d.within(d.below, oldPath), d.within(d.below, newPath))
}

// MoveTo implements Directory.
func (d *DirectorySubspace) MoveTo(tx *kv.Transaction, newAbsolutePath []string) (*DirectorySubspace, error) {
	if !beginsWith(newAbsolutePath, d.home.path) {
		return nil, &Error{Op: "move to " + pathText(newAbsolutePath) + " the directory", Path: d.Path(), Err: ErrBetweenPartitions}
	}
	return d.home.Move(tx, d.within(d.home, nil), newAbsolutePath[len(d.home.path):])
}

// Remove implements Directory.
func (d *DirectorySubspace) Remove(tx *kv.Transaction, path []string) error {
	l := d.holder(path)
	return l.Remove(tx, d.within(l, path))
}

// RemoveIfExists implements Directory.
func (d *DirectorySubspace) RemoveIfExists(tx *kv.Transaction, path []string) (bool, error) {
	l := d.holder(path)
	return l.RemoveIfExists(tx, d.within(l, path))
}

// Layer implements Directory.
func (d *DirectorySubspace) Layer() []byte { return slices.Clone(d.layer) }

// Path implements Directory.
func (d *DirectorySubspace) Path() []string { return slices.Clone(d.path) }

// IsPartition reports whether the directory is the root of a partition, which
// cannot be used as a subspace.
func (d *DirectorySubspace) IsPartition() bool { return isPartition(d.layer) }

// Subspace returns the subspace of the directory's content. The error is
// ErrPartitionRoot.
func (d *DirectorySubspace) Subspace() (subspace.Subspace, error) {
	if d.IsPartition() {
		return subspace.Subspace{}, &Error{Op: "use as a subspace the directory", Path: d.Path(), Err: ErrPartitionRoot}
	}
	return d.space, nil
}

// mustSubspace is Subspace for methods that return no error.
func (d *DirectorySubspace) mustSubspace() subspace.Subspace {
	s, err := d.Subspace()
	if err != nil {
		panic(err)
	}
	return s
}

// Sub is Subspace.Sub on the content. It panics with ErrPartitionRoot on the
// root of a partition, and where tuple.Tuple.Pack does.
func (d *DirectorySubspace) Sub(elements ...tuple.Element) subspace.Subspace {
	return d.mustSubspace().Sub(elements...)
}

// Bytes returns the directory's prefix. It panics with ErrPartitionRoot on the
// root of a partition.
func (d *DirectorySubspace) Bytes() []byte { return d.mustSubspace().Bytes() }

// Pack returns the key of t in the directory. It panics with ErrPartitionRoot
// on the root of a partition, and where tuple.Tuple.Pack does.
func (d *DirectorySubspace) Pack(t tuple.Tuple) []byte { return d.mustSubspace().Pack(t) }

// Append appends the key of t in the directory to dst. On an error, a
// *tuple.EncodeError or ErrPartitionRoot, the result is dst as it was.
func (d *DirectorySubspace) Append(dst []byte, t tuple.Tuple) ([]byte, error) {
	s, err := d.Subspace()
	if err != nil {
		return dst, err
	}
	return s.Append(dst, t)
}

// PackWithVersionstamp returns the parameter of a versionstamped operation for
// the key of t in the directory; see tuple.Tuple.PackWithVersionstamp. The
// error may be ErrPartitionRoot.
func (d *DirectorySubspace) PackWithVersionstamp(t tuple.Tuple) ([]byte, error) {
	s, err := d.Subspace()
	if err != nil {
		return nil, err
	}
	return s.PackWithVersionstamp(t)
}

// Unpack returns the tuple that a key of the directory encodes after the
// prefix. The errors are those of subspace.Subspace.Unpack and
// ErrPartitionRoot.
func (d *DirectorySubspace) Unpack(key []byte) (tuple.Tuple, error) {
	s, err := d.Subspace()
	if err != nil {
		return nil, err
	}
	return s.Unpack(key)
}

// Contains reports whether key begins with the directory's prefix. It panics
// with ErrPartitionRoot on the root of a partition.
func (d *DirectorySubspace) Contains(key []byte) bool { return d.mustSubspace().Contains(key) }

// Range returns the range of all keys of tuples with at least one element in
// the directory. It panics with ErrPartitionRoot on the root of a partition.
func (d *DirectorySubspace) Range() kv.KeyRange { return d.mustSubspace().Range() }

// PrefixRange returns the range of all keys that begin with the directory's
// prefix, which is its Begin. Unlike Range it holds also what is no tuple. For
// the root of a partition that is everything inside, metadata included: enough
// to measure or copy it as a whole, not to write there.
func (d *DirectorySubspace) PrefixRange() kv.KeyRange { return kv.PrefixRange(d.space.Bytes()) }

// String returns path and prefix for people to read.
func (d *DirectorySubspace) String() string {
	kind := "DirectorySubspace"
	if d.IsPartition() {
		kind = "DirectoryPartition"
	}
	return fmt.Sprintf("%s(path=%s, prefix=%s)", kind, pathText(d.path), d.space)
}
