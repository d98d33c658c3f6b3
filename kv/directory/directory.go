package directory

import (
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/subspace"
)

// PartitionLayer is the layer of partitions, see the package comment.
const PartitionLayer = "partition"

// Directory is a place in a tree of directories: a *DirectorySubspace, or the
// root of the tree, a *Layer. Paths are relative to it, one string for each
// name; a name may be any string. Errors are an *Error that wraps what is
// mentioned, or an error of the store.
type Directory interface {
	// CreateOrOpen opens the directory at path. If it does not exist it is
	// created with the given layer, as are missing directories on the way,
	// without one. Errors: ErrLayerMismatch if it exists with another layer,
	// ErrRootDirectory for the path of a root.
	CreateOrOpen(tx *kv.Transaction, path []string, layer []byte) (*DirectorySubspace, error)

	// Open opens the directory at path. Errors: ErrNotFound, ErrLayerMismatch,
	// ErrRootDirectory.
	Open(r kv.Reader, path []string, layer []byte) (*DirectorySubspace, error)

	// Create creates the directory at path, and missing directories on the way.
	// Errors: ErrExists, ErrRootDirectory.
	Create(tx *kv.Transaction, path []string, layer []byte) (*DirectorySubspace, error)

	// CreatePrefix is Create with a prefix of the caller's choice. Keys that
	// begin with it become the directory's content. The tree must have been
	// made with WithManualPrefixes, and the directory must not be inside a
	// partition: ErrManualPrefix. Neither the prefix of another directory nor
	// the metadata may begin with it, or it with them: ErrPrefixInUse.
	CreatePrefix(tx *kv.Transaction, path []string, layer, prefix []byte) (*DirectorySubspace, error)

	// Exists reports whether there is a directory at path.
	Exists(r kv.Reader, path []string) (bool, error)

	// List returns the names of the directories right below path, in order.
	// Error: ErrNotFound.
	List(r kv.Reader, path []string) ([]string, error)

	// Move moves the directory at oldPath, with all below, to newPath. Its
	// prefix and content stay where they are. Errors: ErrNotFound, ErrExists,
	// ErrParentNotFound, ErrMoveIntoItself, ErrBetweenPartitions.
	Move(tx *kv.Transaction, oldPath, newPath []string) (*DirectorySubspace, error)

	// MoveTo moves this directory to newAbsolutePath, which begins at the root
	// of the tree. Errors: those of Move; ErrRootDirectory for a root.
	MoveTo(tx *kv.Transaction, newAbsolutePath []string) (*DirectorySubspace, error)

	// Remove removes the directory at path, its content and all directories
	// below; without a path, this directory. Errors: ErrNotFound,
	// ErrRootDirectory.
	Remove(tx *kv.Transaction, path []string) error

	// RemoveIfExists is Remove, but reports whether there was a directory.
	RemoveIfExists(tx *kv.Transaction, path []string) (bool, error)

	// Layer returns the layer that the directory had when it was opened; it is
	// empty if there is none.
	Layer() []byte

	// Path returns the path that the directory had when it was opened, from the
	// root of the tree.
	Path() []string
}

var (
	_ Directory = (*Layer)(nil)
	_ Directory = (*DirectorySubspace)(nil)
)

// Root returns the tree that FoundationDB's bindings use by default: its
// metadata begins with \xfe, its content with \x14 to \x1c, and it has no
// manual prefixes. Keys outside directories must keep out of these.
func Root() *Layer {
	return NewLayer(subspace.FromBytes([]byte{nodesByte}), subspace.AllKeys())
}
