// Package directory gives each part of a program's data a short key prefix and
// a name: a path, as files have one.
//
// A directory is a [subspace.Subspace] that is found by its path. Where its
// keys lie has nothing to do with the path: a prefix of two or three bytes is
// allocated when the directory is created, stays the same when it is moved, and
// is never given to another one.
//
//	users, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (*directory.DirectorySubspace, error) {
//		return directory.Root().CreateOrOpen(tx, []string{"app", "users"}, nil)
//	})
//	key := users.Pack(tuple.Tuple{42, "mail"})
//
// Everything happens in the caller's transaction: a directory and what is put
// into it become visible together. Open, Exists and List take any [kv.Reader].
// A DirectorySubspace never changes, and may be kept and used in many
// transactions. It remembers path and prefix; if others move or remove the
// directory meanwhile, the path leads elsewhere, and the prefix stays. So a
// program that keeps one may go on writing to a directory that is gone: open it
// in the same transaction where that matters.
//
// Root is the tree that FoundationDB's bindings use by default. NewLayer makes
// others, beside data that is not in directories.
//
// # Layers
//
// A directory can be marked with what its content is, some bytes called its
// layer. A layer given to Open or CreateOrOpen must be the directory's:
// otherwise the error is a *LayerError. With nil none is compared; the empty
// layer []byte{} matches directories that were created without one.
//
// # Partitions
//
// The layer "partition" is special. All prefixes below such a directory begin
// with the partition's own, so that everything in it lies together. In return
// nothing can be moved into it or out of it, its prefixes are longer, and its
// root cannot hold keys. Using it as a subspace is a mistake in the program:
// those methods that can return an error return ErrPartitionRoot, the others
// (Bytes, Contains, Pack, Range and Sub) panic with that error.
// DirectorySubspace.Subspace does without the panics; PrefixRange is the range
// of everything inside.
//
// # Errors
//
// Errors of this package are an *[Error] that wraps one of the values Err….
// An error of the store is returned as it is. A transaction that got one of
// this package's errors may go on and commit (D5).
//
// # Compatibility
//
// Keys and values are, byte for byte, those of FoundationDB's bindings
// (version 1.0.0 of its directory layer, described in the Developer Guide and
// defined by bindings/python/fdb/directory_impl.py): each reads what the other
// writes. With N the subspace of nodes, \xfe by default, and C that of content:
//
//	N(p)                        the node of the directory with prefix p
//	N(p, "layer")               its layer, a byte string as key element
//	N(p, 0, name)               the prefix of its subdirectory name
//	N(n)                        the root's node, n being N's own prefix
//	N(n, "version")             three little-endian 32-bit integers: 1, 0, 0
//	N(n, "hca", 0, start)       how many numbers were allocated from start on
//	N(n, "hca", 1, number)      a number that is taken
//	C(number)                   an allocated prefix
//	p\xfe, p                    N and C inside the partition with prefix p
//
// # Invariants
//
//	D1   Of the prefixes of two directories, neither begins with the other. This
//	     holds for automatic and manual prefixes together, but for directories
//	     inside a partition, whose prefixes begin with the partition's.
//	D2   Two committed transactions never allocate the same number, nor does one
//	     twice, whatever has been removed in between.
//	D3   Numbers stay small: a window of numbers is left when half of it is
//	     taken. The windows have 64 numbers below 255, 1,024 below 65,535, and
//	     8,192 above.
//	D4   A directory's node exists exactly as long as its parent's entry of it.
//	D5   An operation that fails with an *Error leaves all directories as they
//	     were.
//	D6   Open, Exists and List write nothing, and need nothing but a Reader.
//	D7   Operations that write to directories of one transaction run one after
//	     another, whichever goroutines call them.
//	D8   Remove leaves no key that begins with the prefix of what was removed,
//	     and no metadata of it.
//	D9   All that lies below a partition, metadata and content, begins with the
//	     partition's prefix.
//	D10  A tree written by a newer version is not read if the first number of
//	     its version is higher, and not written if the second is.
package directory
