package directory

import (
	"errors"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
	"github.com/apple/foundationdb/bindings/go/src/fdb/subspace"

	kvdirectory "github.com/plinthdb/plinth/kv/directory"
	kvsubspace "github.com/plinthdb/plinth/kv/subspace"
)

// The errors that programs compare with.
var (
	// ErrDirAlreadyExists is Create's and CreatePrefix's for a path at which
	// there is a directory.
	ErrDirAlreadyExists = errors.New("the directory exists already")
	// ErrDirNotExists is Open's and List's for a path at which there is none.
	ErrDirNotExists = errors.New("there is no such directory")
	// ErrParentDirDoesNotExist is wrapped by the error of moving a directory to
	// below one that does not exist.
	ErrParentDirDoesNotExist = errors.New("there is no parent directory of that path")
)

// Directory is a place in a tree of directories. Paths are relative to it.
type Directory interface {
	// CreateOrOpen opens the directory at path, or creates it, and those on the
	// way, if it does not exist. A layer that is not nil is given to a new
	// directory; an old one must have it.
	CreateOrOpen(t fdb.Transactor, path []string, layer []byte) (DirectorySubspace, error)

	// Open opens the directory at path, or returns ErrDirNotExists. A layer that
	// is not nil must be the directory's.
	Open(rt fdb.ReadTransactor, path []string, layer []byte) (DirectorySubspace, error)

	// Create creates the directory at path, and those on the way, with a layer,
	// or returns ErrDirAlreadyExists.
	Create(t fdb.Transactor, path []string, layer []byte) (DirectorySubspace, error)

	// CreatePrefix is Create with a prefix of the caller's choice, which the tree
	// has to allow: see NewDirectoryLayer.
	CreatePrefix(t fdb.Transactor, path []string, layer []byte, prefix []byte) (DirectorySubspace, error)

	// Move moves the directory at oldPath to newPath. Its prefix and content stay
	// where they are.
	Move(t fdb.Transactor, oldPath []string, newPath []string) (DirectorySubspace, error)

	// MoveTo moves this directory to a path that begins at the root of the tree.
	MoveTo(t fdb.Transactor, newAbsolutePath []string) (DirectorySubspace, error)

	// Remove removes the directory at path, its content and all below, and
	// reports whether there was one.
	Remove(t fdb.Transactor, path []string) (bool, error)

	// Exists reports whether there is a directory at path.
	Exists(rt fdb.ReadTransactor, path []string) (bool, error)

	// List returns the names of the directories right below path, in order, or
	// ErrDirNotExists.
	List(rt fdb.ReadTransactor, path []string) ([]string, error)

	// GetLayer returns the layer that the directory had when it was opened.
	GetLayer() []byte

	// GetPath returns the path that the directory had when it was opened, from
	// the root of the tree.
	GetPath() []string
}

// DirectorySubspace is a directory and the subspace of its content. The root of
// a partition has no content of its own: those methods of it that are a
// Subspace's panic.
type DirectorySubspace interface {
	subspace.Subspace
	Directory
}

// Root returns the tree that all bindings use by default: its metadata begins
// with the byte 0xfe, its content with 0x14 to 0x1c, and it has no chosen
// prefixes.
func Root() Directory { return place{kvdirectory.Root()} }

// NewDirectoryLayer returns the tree with metadata in nodeSS and content in
// contentSS. CreatePrefix works in it if allowManualPrefixes is set.
func NewDirectoryLayer(nodeSS, contentSS subspace.Subspace, allowManualPrefixes bool) Directory {
	var options []kvdirectory.LayerOption
	if allowManualPrefixes {
		options = append(options, kvdirectory.WithManualPrefixes())
	}
	return place{kvdirectory.NewLayer(kvsubspace.FromBytes(nodeSS.Bytes()), kvsubspace.FromBytes(contentSS.Bytes()), options...)}
}

// CreateOrOpen is Directory.CreateOrOpen at Root.
func CreateOrOpen(t fdb.Transactor, path []string, layer []byte) (DirectorySubspace, error) {
	return Root().CreateOrOpen(t, path, layer)
}

// Open is Directory.Open at Root.
func Open(rt fdb.ReadTransactor, path []string, layer []byte) (DirectorySubspace, error) {
	return Root().Open(rt, path, layer)
}

// Create is Directory.Create at Root.
func Create(t fdb.Transactor, path []string, layer []byte) (DirectorySubspace, error) {
	return Root().Create(t, path, layer)
}

// Move is Directory.Move at Root.
func Move(t fdb.Transactor, oldPath []string, newPath []string) (DirectorySubspace, error) {
	return Root().Move(t, oldPath, newPath)
}

// Exists is Directory.Exists at Root.
func Exists(rt fdb.ReadTransactor, path []string) (bool, error) { return Root().Exists(rt, path) }

// List is Directory.List at Root.
func List(rt fdb.ReadTransactor, path []string) ([]string, error) { return Root().List(rt, path) }
