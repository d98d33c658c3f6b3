package typed

import (
	"errors"
	"fmt"

	"github.com/plinthdb/plinth/kv/tuple"
)

var (
	// ErrOutOfRange says that an integer does not fit the Go type of the key.
	ErrOutOfRange = errors.New("integer does not fit the type")
	// ErrLeftover says that bytes follow where a key or value should end.
	ErrLeftover = errors.New("bytes follow the last element")
	// ErrLength says that a value does not have the length that its codec
	// writes.
	ErrLength = errors.New("value has the wrong length")
	// ErrBrokenIndex says that an index has an entry for a row that is not
	// there, which happens when somebody writes to the map without its index.
	ErrBrokenIndex = errors.New("index entry has no row; somebody wrote to the map without this index")
	// ErrToken says that a continuation is not one that Page returned.
	ErrToken = errors.New("continuation was not made by Page of this map or index")
)

// DecodeError says that a row cannot be read as the types of its map.
type DecodeError struct {
	// Key is the whole key of the row.
	Key []byte
	// Part says what cannot be read: "key", "value" or "index entry".
	Part string
	// Err is what the codec said.
	Err error
}

// Error names the key and the part.
func (e *DecodeError) Error() string {
	return fmt.Sprintf("typed: %s of row %s: %v", e.Part, tuple.Printable(e.Key), e.Err)
}

// Unwrap returns Err.
func (e *DecodeError) Unwrap() error { return e.Err }

// EncodeError says that a key or value cannot be written.
type EncodeError struct {
	// Prefix is that of the map or index.
	Prefix []byte
	// Part says what cannot be written: "key", "value" or "index entry".
	Part string
	// Err is what the codec said.
	Err error
}

// Error names the map and the part.
func (e *EncodeError) Error() string {
	return fmt.Sprintf("typed: %s for the map at %s: %v", e.Part, tuple.Printable(e.Prefix), e.Err)
}

// Unwrap returns Err.
func (e *EncodeError) Unwrap() error { return e.Err }

// DuplicateError says that a unique index already has an entry for another
// row. The write was not made; the transaction may go on.
type DuplicateError struct {
	// Entry is the whole key of the entry.
	Entry []byte
	// Holder is the whole key of the row that has it.
	Holder []byte
}

// Error names the entry and its holder.
func (e *DuplicateError) Error() string {
	return fmt.Sprintf("typed: unique index entry %s belongs to row %s already", tuple.Printable(e.Entry), tuple.Printable(e.Holder))
}
