package blob

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/plinthdb/plinth/kv/tuple"
)

var (
	// ErrNotExist says that there is no blob of that name. It is fs.ErrNotExist.
	ErrNotExist = fs.ErrNotExist
	// ErrChanged says that the blob was replaced or deleted since the Reader was
	// opened; open it again.
	ErrChanged = errors.New("blob was replaced or deleted while it was read; open it again")
	// ErrAbandoned says that an upload was taken for given up, because it wrote
	// nothing for the time of its lease, and was removed; or, if an earlier
	// error left open whether it had been committed, that it was committed and
	// replaced since.
	ErrAbandoned = errors.New("upload wrote nothing for the time of its lease and was removed; give it a longer lease")
	// ErrPrecondition says that the condition of IfAbsent or IfMatch was not
	// met: somebody else stored the blob, or deleted it.
	ErrPrecondition = errors.New("blob is not the one that the condition asks for")
	// ErrTooLarge says that Set, Append or Get was used for more than one
	// transaction can take; Put and Open are for any size.
	ErrTooLarge = errors.New("too large for one transaction; Put and Open take any size")
	// ErrClosed says that a Writer was used after Commit or Close, or after an
	// error.
	ErrClosed = errors.New("writer is closed")
	// ErrNewerFormat says that a blob was stored by a newer version of this
	// package.
	ErrNewerFormat = errors.New("blob was stored by a newer version of this package; upgrade to read it")
)

// Error says what failed on which blob.
type Error struct {
	// Op is what was tried, such as "put".
	Op string
	// Name is that of the blob.
	Name string
	// Err is one of the errors of this package or of package kv.
	Err error
}

// Error names operation and blob.
func (e *Error) Error() string { return fmt.Sprintf("blob: %s %q: %v", e.Op, e.Name, e.Err) }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// at returns err as an *Error, and nil as nil.
func at(op, name string, err error) error {
	var named *Error
	if err == nil || errors.As(err, &named) {
		return err
	}
	return &Error{Op: op, Name: name, Err: err}
}

// DamagedError says that a row of this package's does not hold what it must.
// Somebody else wrote to the subspace.
type DamagedError struct {
	// Key is the whole key of the row.
	Key []byte
	// Err is what is wrong with it.
	Err error
}

// Error names the key.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("row %s is damaged: %v", tuple.Printable(e.Key), e.Err)
}

// Unwrap returns Err.
func (e *DamagedError) Unwrap() error { return e.Err }
