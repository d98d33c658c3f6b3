package machine

import "github.com/plinthdb/plinth/kv/tuple"

// Client is a client of a store, as the machine uses it. Values that travel
// between machine and client are of the types of kv/tuple, whatever types the
// client has of its own.
//
// Every error with a number of FoundationDB's must be recognized by ErrorCode;
// any other error ends the program that runs.
type Client interface {
	// Begin starts a transaction.
	Begin() (Transaction, error)
	// Update runs f in a transaction of its own and commits it, with the
	// client's usual retries.
	Update(f func(Transaction) error) error
	// Read runs f with a reader of one version, with the client's usual
	// retries.
	Read(f func(Reader) error) error
	// Error returns the client's error with a number.
	Error(code int) error
	// ErrorCode returns the number of an error; ok is false if it has none.
	ErrorCode(err error) (code int, ok bool)
	// Tuples returns the client's tuple layer.
	Tuples() Tuples
	// Directories returns the client's default directory layer.
	Directories() Directory
	// NewDirectories returns a directory layer that keeps its tree in nodes and
	// gives out prefixes in contents.
	NewDirectories(nodes, contents Subspace, allowManualPrefixes bool) Directory
	// Subspace returns the subspace of prefix followed by the encoding of t.
	Subspace(prefix []byte, t tuple.Tuple) (Subspace, error)
	// UnitTests tests what there is no operation for: options, watches,
	// cancellation, retry limits, time-outs and locality. It leaves nothing in the
	// database. Its error has no number.
	UnitTests() error
}

// Future is something on its way. What it returns is a value for the stack: a
// nil stands for no value, be it that of an absent key or of an operation that
// only ends.
type Future func() (value any, err error)

// Reader reads at one version.
type Reader interface {
	// Get reads a key.
	Get(key []byte) Future
	// GetKey finds the key that a selector names.
	GetKey(s Selector) Future
	// Range reads the rows between two keys.
	Range(begin, end []byte, o RangeOptions) ([]KeyValue, error)
	// RangePrefix reads the rows whose keys begin with prefix.
	RangePrefix(prefix []byte, o RangeOptions) ([]KeyValue, error)
	// RangeSelectors reads the rows between two selected keys.
	RangeSelectors(begin, end Selector, o RangeOptions) ([]KeyValue, error)
	// ReadVersion returns the version of all reads.
	ReadVersion() (int64, error)
	// EstimatedRangeSize returns about how many bytes lie between two keys.
	EstimatedRangeSize(begin, end []byte) (int64, error)
	// RangeSplitPoints returns keys that part the rows between two keys into
	// chunks, from the first of the two to the second.
	RangeSplitPoints(begin, end []byte, chunkBytes int64) ([][]byte, error)
}

// Transaction reads and writes. Writes that return nothing may fail later, with
// a read or the commit, as FoundationDB's do.
type Transaction interface {
	Reader
	// Snapshot returns a reader of the same version that adds no conflicts.
	Snapshot() Reader

	// Set gives a key a value.
	Set(key, value []byte)
	// Clear clears a key.
	Clear(key []byte)
	// ClearRange clears the keys from begin to before end.
	ClearRange(begin, end []byte)
	// ClearPrefix clears the keys that begin with prefix. It is an error if the
	// client has no range for that.
	ClearPrefix(prefix []byte) error
	// Atomic does the atomic operation with FoundationDB's name, such as
	// BYTE_MIN. There is none by that name if ok is false.
	Atomic(name string, key, operand []byte) (ok bool)
	// AddReadConflict declares the keys from begin to before end as read.
	AddReadConflict(begin, end []byte) error
	// AddWriteConflict declares the keys from begin to before end as written.
	AddWriteConflict(begin, end []byte) error
	// AddReadConflictKey declares a key as read.
	AddReadConflictKey(key []byte) error
	// AddWriteConflictKey declares a key as written.
	AddWriteConflictKey(key []byte) error
	// NextWriteWithoutConflict sets next_write_no_write_conflict_range.
	NextWriteWithoutConflict()
	// SetReadVersion makes the transaction read at a version.
	SetReadVersion(version int64)

	// Commit begins to commit.
	Commit() Future
	// OnError readies the transaction for another try after the error with this
	// number.
	OnError(code int) Future
	// Reset makes a new transaction of it.
	Reset()
	// Cancel ends the transaction.
	Cancel()
	// CommittedVersion returns the version of the commit. Without one it is -1,
	// or an error.
	CommittedVersion() (int64, error)
	// ApproximateSize asks for the size of the transaction.
	ApproximateSize() error
	// Versionstamp returns the future stamp of the commit, ten bytes.
	Versionstamp() Future
}

// Selector names a key by its place, as all of FoundationDB's bindings do.
type Selector struct {
	Key     []byte
	OrEqual bool
	Offset  int
}

// KeyValue is one row.
type KeyValue struct{ Key, Value []byte }

// RangeOptions says how much of a range to read.
type RangeOptions struct {
	// Limit is the greatest number of rows, 0 for all.
	Limit   int
	Reverse bool
	// Mode is the streaming mode, as FoundationDB's C library numbers it: -2 is
	// want_all, -1 iterator, 0 exact, 1 to 4 small to serial.
	Mode int
}

// ModeExact is the streaming mode that needs a limit.
const ModeExact = 0

// Tuples is a tuple layer. Elements are nil, []byte, string, int64, uint64,
// *big.Int, float32, float64, bool, tuple.UUID, tuple.Versionstamp and
// tuple.Tuple.
type Tuples interface {
	// Pack encodes a tuple.
	Pack(t tuple.Tuple) ([]byte, error)
	// PackWithVersionstamp encodes a tuple with exactly one incomplete
	// versionstamp. With another number of them it returns ErrNoStamp or
	// ErrManyStamps.
	PackWithVersionstamp(prefix []byte, t tuple.Tuple) ([]byte, error)
	// Unpack decodes a tuple.
	Unpack(packed []byte) (tuple.Tuple, error)
	// Range returns the bounds of the keys of all longer tuples that begin with
	// t.
	Range(t tuple.Tuple) (begin, end []byte, err error)
	// Compare orders two tuples.
	Compare(a, b tuple.Tuple) int
}

// Subspace is a subspace of keys, perhaps that of a directory. All errors are
// logged alike.
type Subspace interface {
	// Key returns the prefix.
	Key() ([]byte, error)
	// Pack returns the key of t.
	Pack(t tuple.Tuple) ([]byte, error)
	// Unpack returns the tuple of a key.
	Unpack(key []byte) (tuple.Tuple, error)
	// Range returns the bounds of all keys of longer tuples that begin with t.
	Range(t tuple.Tuple) (begin, end []byte, err error)
	// Contains reports whether key begins with the prefix.
	Contains(key []byte) (bool, error)
	// Sub returns the subspace of t.
	Sub(t tuple.Tuple) (Subspace, error)
}

// Directory is a directory layer, or a directory that was opened in one. Then
// it is a Subspace as well. Transactions are those of the same Client; all
// errors are logged alike.
type Directory interface {
	// CreateOrOpen opens or creates a directory. A nil layer is the default.
	CreateOrOpen(t Transaction, path []string, layer []byte) (Directory, error)
	// Create creates a directory; with a nil prefix that is allocated.
	Create(t Transaction, path []string, layer, prefix []byte) (Directory, error)
	// Open opens a directory. A nil layer is the default.
	Open(r Reader, path []string, layer []byte) (Directory, error)
	// Move moves a directory.
	Move(t Transaction, oldPath, newPath []string) (Directory, error)
	// MoveTo moves this directory to a path from the root.
	MoveTo(t Transaction, newAbsolutePath []string) (Directory, error)
	// Remove removes a directory, this one without a path. It is an error if
	// there is none.
	Remove(t Transaction, path []string) error
	// RemoveIfExists is Remove without that error.
	RemoveIfExists(t Transaction, path []string) error
	// List returns the names of the directories right below a path, in order.
	List(r Reader, path []string) ([]string, error)
	// Exists reports whether there is a directory at a path.
	Exists(r Reader, path []string) (bool, error)
	// Path returns the path of this directory from the root.
	Path() []string
	// Layer returns the layer of this directory, empty if it has none.
	Layer() []byte
}
