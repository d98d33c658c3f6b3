package fdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/plinthdb/plinth/kv"
)

// Error is an error with a number. Compare Code with the numbers of
// FoundationDB's documentation, or pass it to Transaction.OnError; Transact
// does that by itself.
type Error struct {
	Code int
}

// Error returns the number and what it means.
func (e Error) Error() string {
	return fmt.Sprintf("FoundationDB error code %d (%s)", e.Code, errorText(e.Code))
}

// ErrorPredicate is a class of errors.
type ErrorPredicate int

// The classes of errors.
const (
	// ErrorPredicateRetryable holds the errors after which the transaction may
	// succeed if it is run again.
	ErrorPredicateRetryable ErrorPredicate = 50000
	// ErrorPredicateMaybeCommitted holds the errors after which nobody knows
	// whether the transaction was committed.
	ErrorPredicateMaybeCommitted ErrorPredicate = 50001
	// ErrorPredicateRetryableNotCommitted holds the retryable errors after which
	// the transaction was certainly not committed.
	ErrorPredicateRetryableNotCommitted ErrorPredicate = 50002
)

// The numbers that this package itself returns.
var (
	errOperationCancelled   = Error{1101}
	errNoClusterFile        = Error{1515}
	errFileNotReadable      = Error{1513}
	errInvalidOperation     = Error{2000}
	errOutsideLegalRange    = Error{2004}
	errInvertedRange        = Error{2005}
	errInvalidOptionValue   = Error{2006}
	errInvalidDatabaseName  = Error{2013}
	errConnectionString     = Error{2104}
	errUnsupported          = Error{2108}
	errTenantsDisabled      = Error{2136}
	errAPIVersionUnset      = Error{2200}
	errAPIVersionAlreadySet = Error{2201}
	errAPIVersionNotKnown   = Error{2203}

	errDatabaseClosed = Error{9001}
	errDirectoryInUse = Error{9002}
)

// detailedError says more about an Error than its number does. It does not leave
// the package, see told.
type detailedError struct {
	number Error
	text   string
	cause  error
}

// detailed returns an error of a number with a text of its own.
func detailed(number Error, format string, args ...interface{}) error {
	return &detailedError{number: number, text: fmt.Sprintf(format, args...)}
}

// Error returns the number and the text.
func (e *detailedError) Error() string {
	return fmt.Sprintf("FoundationDB error code %d (%s)", e.number.Code, e.text)
}

// Unwrap returns the Error and the error of Plinth, if there is one.
func (e *detailedError) Unwrap() []error {
	if e.cause == nil {
		return []error{e.number}
	}
	return []error{e.number, e.cause}
}

// bare returns an error of kv as an Error, if it has a number.
func bare(err error) error {
	if err == nil {
		return nil
	}
	var numbered *kv.Error
	if errors.As(err, &numbered) {
		return Error{numbered.Code}
	}
	return err
}

// told returns err as a program gets it: an Error and nothing else, if it has a
// number, for programs assert that type and compare its values. What the number
// does not say goes to the program's default logger of log/slog.
func told(level slog.Level, err error) error {
	var more *detailedError
	var numbered *kv.Error
	switch {
	case errors.As(err, &more):
		tell(level, more.number, more.text)
		return more.number
	case errors.As(err, &numbered):
		tell(level, Error{numbered.Code}, err.Error())
		return Error{numbered.Code}
	}
	return err
}

func tell(level slog.Level, number Error, text string) {
	slog.Default().Log(context.Background(), level, "fdb: "+text, "code", number.Code)
}

// refused returns number as the error of a call that was not carried out. Why
// can be read at level debug: programs may call in a loop, and not look at the
// error.
func refused(number Error, format string, args ...interface{}) error {
	return told(slog.LevelDebug, detailed(number, format, args...))
}

// kvError returns e as an error of kv.
func kvError(e Error) *kv.Error {
	return &kv.Error{Code: e.Code, Name: fmt.Sprintf("error %d", e.Code), Text: errorText(e.Code)}
}
