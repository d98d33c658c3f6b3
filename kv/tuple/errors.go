package tuple

import (
	"errors"
	"fmt"
	"strings"
)

// What a DecodeError may wrap.
var (
	// ErrTruncated says that the input ends inside an element.
	ErrTruncated = errors.New("input ends inside the element")
	// ErrUnknownCode says that no element begins with this byte.
	ErrUnknownCode = errors.New("unknown type code")
	// ErrReservedCode says that the type code is on the published list but
	// that no binding writes it; the text says what it stands for.
	ErrReservedCode = errors.New("reserved type code")
	// ErrNotCanonical says that an integer takes more bytes than it needs.
	ErrNotCanonical = errors.New("integer is not in its shortest form")
	// ErrWrongType says that the element is not of the type that a Cut function
	// was asked for, or is an integer that does not fit it.
	ErrWrongType = errors.New("element is not of the wanted type")
)

// What an EncodeError may wrap.
var (
	// ErrUnsupportedType says that an element is of a type that has no
	// encoding.
	ErrUnsupportedType = errors.New("type cannot be a tuple element")
	// ErrIntegerTooLarge says that an integer's magnitude is above 255 bytes.
	ErrIntegerTooLarge = errors.New("integer has more than 255 bytes")
	// ErrIncomplete says that a tuple holds an incomplete Versionstamp; pack
	// it with PackWithVersionstamp, for a versionstamped operation.
	ErrIncomplete = errors.New("versionstamp is incomplete")
)

// ErrTooDeep is wrapped by a DecodeError or EncodeError for tuples that nest
// deeper than MaxDepth.
var ErrTooDeep = fmt.Errorf("tuples nest deeper than %d levels", MaxDepth)

// ErrIncompleteCount is returned by PackWithVersionstamp for a tuple that does
// not hold exactly one incomplete Versionstamp.
var ErrIncompleteCount = errors.New("tuple must hold exactly one incomplete versionstamp")

// DecodeError says where and why bytes are not an encoded tuple.
type DecodeError struct {
	// Offset is where the element that cannot be read begins.
	Offset int
	// Code is the byte at Offset.
	Code byte
	// Err is ErrTruncated, ErrUnknownCode, ErrNotCanonical or ErrTooDeep, or
	// wraps ErrReservedCode or, from a Cut function, ErrWrongType.
	Err error
}

// Error names the offset and the type code.
func (e *DecodeError) Error() string {
	return fmt.Sprintf("tuple: offset %d, type code 0x%02x: %v", e.Offset, e.Code, e.Err)
}

// Unwrap returns Err.
func (e *DecodeError) Unwrap() error { return e.Err }

// EncodeError says which element of a tuple cannot be encoded, and why.
type EncodeError struct {
	// Path holds the indexes that lead to the element: one for an element of
	// the tuple itself, more inside nested tuples.
	Path []int
	// Element is the element.
	Element Element
	// Err is ErrUnsupportedType, ErrIntegerTooLarge, ErrIncomplete or
	// ErrTooDeep.
	Err error
}

// pathShown is how many indexes of a path an error spells out.
const pathShown = 8

// Error names the element's index and type.
func (e *EncodeError) Error() string {
	var path strings.Builder
	for n, i := range e.Path {
		if n == pathShown {
			path.WriteString(".…")
			break
		}
		if n > 0 {
			path.WriteByte('.')
		}
		fmt.Fprint(&path, i)
	}
	return fmt.Sprintf("tuple: element %s (%T): %v", path.String(), e.Element, e.Err)
}

// Unwrap returns Err.
func (e *EncodeError) Unwrap() error { return e.Err }

// ElementError says that a tuple has no element of the wanted type at an
// index. At returns it.
type ElementError struct {
	// Index is the one asked for, Len the number of elements.
	Index, Len int
	// Want and Got are Go types; Got is empty if the index is out of range.
	Want, Got string
	// Reason says more, if the type alone does not.
	Reason string
}

// Error names index, wanted and present type.
func (e *ElementError) Error() string {
	if e.Got == "" {
		return fmt.Sprintf("tuple: no element %d in a tuple of %d", e.Index, e.Len)
	}
	s := fmt.Sprintf("tuple: element %d is %s, not %s", e.Index, e.Got, e.Want)
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	return s
}
