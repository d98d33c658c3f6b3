package kv

// Reader reads the store at one version. *Transaction is one; so are what
// Transaction.Snapshot returns and what ReadTransact passes.
//
// Take a Reader where a function only reads: it then serves both kinds of
// transaction.
type Reader interface {
	// Get returns the future value of key. A key that is absent gives a nil
	// value; one that is present with no content gives an empty value that is
	// not nil.
	//
	// Nothing is sent yet. The first wait on a Get of the transaction sends
	// all that were issued until then as one message: issue first, then wait.
	// The value is the one that the key had when Get was called, the
	// transaction's own writes before the call included.
	Get(key []byte) Future[[]byte]

	// GetKey returns the future key that the selector names, again with the
	// transaction's own writes. A selector that runs off the front gives the
	// empty key, one that runs off the back the end of the key space, "\xff".
	GetKey(selector KeySelector) Future[[]byte]

	// Range reads the rows of a range in key order. The rows are those that
	// the range held when Range was called, own writes included: what is
	// written while iterating does not show.
	Range(r KeyRange, options RangeOptions) *RangeResult

	// RangeSelectors is Range between two selected keys: begin inclusive, end
	// exclusive. If begin selects a key at or after end the range is empty.
	RangeSelectors(begin, end KeySelector, options RangeOptions) *RangeResult

	// ReadVersion returns the version of all reads, asking for it if nothing
	// was read yet.
	ReadVersion() (Version, error)

	// Snapshot returns a reader of the same version that adds no read
	// conflicts: what it reads may be changed by others before the commit.
	Snapshot() Reader
}

// RangeOptions says how much of a range to read, and in which direction. The
// zero value reads all of it forwards.
type RangeOptions struct {
	// Limit is the greatest number of rows; 0 is no limit.
	Limit int
	// LimitBytes ends the read at the first row with which keys and values
	// make up this many bytes or more; 0 is no limit.
	LimitBytes int
	// Reverse reads from the end of the range to its beginning.
	Reverse bool
	// Mode says in what pieces the rows are fetched.
	Mode StreamingMode
}
