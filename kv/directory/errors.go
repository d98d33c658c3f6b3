package directory

import (
	"errors"
	"fmt"

	"github.com/plinthdb/plinth/kv/tuple"
)

// What an Error may wrap.
var (
	// ErrNotFound says that there is no directory at the path.
	ErrNotFound = errors.New("the directory does not exist; create it first, or use CreateOrOpen")
	// ErrExists says that there is a directory at the path already.
	ErrExists = errors.New("the directory exists already; open or remove it, or choose another path")
	// ErrParentNotFound says that a directory cannot be moved to below one that
	// does not exist.
	ErrParentNotFound = errors.New("the parent of the new path does not exist; create it first")
	// ErrLayerMismatch is wrapped by a *LayerError.
	ErrLayerMismatch = errors.New("the directory has another layer")
	// ErrRootDirectory says that the root of a tree, or of a partition seen
	// from inside, can only be listed.
	ErrRootDirectory = errors.New("a root cannot be opened, created, moved or removed; give the path of a directory below it")
	// ErrMoveIntoItself says that a directory was to be moved to its own path
	// or below it.
	ErrMoveIntoItself = errors.New("a directory cannot be moved to its own path or below it; choose a path elsewhere")
	// ErrBetweenPartitions says that a directory was to be moved into a
	// partition or out of one.
	ErrBetweenPartitions = errors.New("directories cannot be moved between partitions; create a new one and copy the content")
	// ErrManualPrefix says that a prefix was given where none can be chosen.
	ErrManualPrefix = errors.New("the prefix cannot be chosen here")
	// ErrPrefixInUse says that a prefix begins with one that is in use, or the
	// other way round.
	ErrPrefixInUse = errors.New("the prefix is in use")
	// ErrPartitionRoot says that the root of a partition was used as a subspace.
	ErrPartitionRoot = errors.New("the root of a partition cannot hold keys; create a directory in it")
	// ErrAllocatorStuck says that no free number was found.
	ErrAllocatorStuck = errors.New("the allocator found no free number")
	// ErrOwnWritesHidden says that the reads of a transaction that allocates do
	// not see its own writes.
	ErrOwnWritesHidden = errors.New("a transaction that creates directories has to see its own writes; leave WithReadYourWrites on")
	// ErrNewerVersion is wrapped by a *VersionError.
	ErrNewerVersion = errors.New("the directories were written by a newer version")
	// ErrMetadata is wrapped by a *MetadataError.
	ErrMetadata = errors.New("the metadata of directories is damaged")
)

// Error says what could not be done with which directory, and why.
type Error struct {
	// Op is what was to be done, such as "create".
	Op string
	// Path is the directory's, from the root of the tree; nil for an Allocator
	// of its own.
	Path []string
	// Err wraps one of the values Err….
	Err error
}

// Error names the operation and the path.
func (e *Error) Error() string {
	if e.Path == nil {
		return fmt.Sprintf("directory: cannot %s: %v", e.Op, e.Err)
	}
	return fmt.Sprintf("directory: cannot %s %s: %v", e.Op, pathText(e.Path), e.Err)
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// pathText returns a path for people to read.
func pathText(path []string) string {
	t := make(tuple.Tuple, len(path))
	for i, name := range path {
		t[i] = name
	}
	return t.String()
}

// LayerError says that a directory has another layer than the one asked for.
type LayerError struct {
	// Got is the directory's layer, Want the one asked for.
	Got, Want []byte
}

// Error names both layers.
func (e *LayerError) Error() string {
	return fmt.Sprintf("%v, %q and not %q; open it with its own layer, or with nil if any will do", ErrLayerMismatch, e.Got, e.Want)
}

// Unwrap returns ErrLayerMismatch.
func (e *LayerError) Unwrap() error { return ErrLayerMismatch }

// VersionError says that a tree has a version that this package cannot read,
// or not write.
type VersionError struct {
	// Stored is the tree's version.
	Stored [3]uint32
	// ReadOnly says that the tree can be read all the same.
	ReadOnly bool
}

// Error names both versions.
func (e *VersionError) Error() string {
	what := "it can neither be read nor written"
	if e.ReadOnly {
		what = "it can only be read"
	}
	return fmt.Sprintf("%v, %d.%d.%d; with %d.%d.%d %s: use a newer Plinth", ErrNewerVersion,
		e.Stored[0], e.Stored[1], e.Stored[2], majorVersion, minorVersion, microVersion, what)
}

// Unwrap returns ErrNewerVersion.
func (e *VersionError) Unwrap() error { return ErrNewerVersion }

// MetadataError says which row of the metadata is not as it ought to be.
type MetadataError struct {
	// Key is the row's.
	Key []byte
	// Err says what is wrong.
	Err error
}

// Error names the key.
func (e *MetadataError) Error() string {
	return fmt.Sprintf("%v: key %s: %v; was it written by another program? restore it, or use a tree with another node subspace",
		ErrMetadata, tuple.Printable(e.Key), e.Err)
}

// Unwrap returns ErrMetadata and Err.
func (e *MetadataError) Unwrap() []error { return []error{ErrMetadata, e.Err} }

// isOwn reports whether err is one of this package's, and not the store's.
func isOwn(err error) bool {
	for _, own := range [...]error{
		ErrNotFound, ErrExists, ErrParentNotFound, ErrLayerMismatch, ErrRootDirectory, ErrMoveIntoItself, ErrBetweenPartitions,
		ErrManualPrefix, ErrPrefixInUse, ErrPartitionRoot, ErrAllocatorStuck, ErrOwnWritesHidden, ErrNewerVersion, ErrMetadata,
	} {
		if errors.Is(err, own) {
			return true
		}
	}
	return false
}
