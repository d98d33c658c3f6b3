package model

import (
	"errors"
	"fmt"
	"slices"
)

// failure is an error with a number of FoundationDB's.
type failure int

func (f failure) Error() string { return fmt.Sprintf("error %d", int(f)) }

// The numbers, as FoundationDB's documentation lists them.
const (
	errNotCommitted       failure = 1020
	errUnknownResult      failure = 1021
	errCancelled          failure = 1025
	errUnreadable         failure = 1036
	errInvalidOperation   failure = 2000
	errOutsideLegalRange  failure = 2004
	errInvertedRange      failure = 2005
	errReadVersionSet     failure = 2010
	errVersionInvalid     failure = 2011
	errUsedDuringCommit   failure = 2017
	errNoCommitVersion    failure = 2021
	errKeyTooLarge        failure = 2102
	errValueTooLarge      failure = 2103
	errExactWithoutLimits failure = 2210
)

// errWaitsForEver says that a program would hang.
var errWaitsForEver = errors.New("the program waits for a versionstamp before the commit")

// retryable are the numbers after which OnError readies another try.
var retryable = []int{1007, 1009, 1020, 1021, 1037, 1038, 1039, 1042, 1051, 1078, 1213}

// Error implements machine.Client.
func (s *Store) Error(code int) error { return failure(code) }

// ErrorCode implements machine.Client.
func (s *Store) ErrorCode(err error) (int, bool) {
	var f failure
	if !errors.As(err, &f) {
		return 0, false
	}
	return int(f), true
}

func isRetryable(code int) bool { return slices.Contains(retryable, code) }

func mayBeCommitted(code int) bool { return code == 1021 || code == 1039 }
