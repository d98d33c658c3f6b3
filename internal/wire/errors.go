package wire

import (
	"errors"
	"fmt"
)

// Error is an error with a number, FoundationDB's, so that programs written
// for its numbers keep working. Compare with errors.Is against the named
// values below: two Errors are the same when their codes are.
type Error struct {
	// Code is the number, e.g. 1020.
	Code int
	// Name is FoundationDB's name for the number, e.g. "not_committed".
	Name string
	// Text says what happened and, where there is one, the remedy.
	Text string

	cause error
}

// Error returns "text (name, code)".
func (e *Error) Error() string {
	s := fmt.Sprintf("%s (%s, %d)", e.Text, e.Name, e.Code)
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Is reports whether target is an Error with the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Unwrap returns the cause given to Because, if any.
func (e *Error) Unwrap() error { return e.cause }

// With returns an error of the same code whose text is the given one: use it
// to name the thing that is wrong.
func (e *Error) With(format string, args ...any) *Error {
	return &Error{Code: e.Code, Name: e.Name, Text: fmt.Sprintf(format, args...)}
}

// Because returns an error of the same code and text that wraps cause.
func (e *Error) Because(cause error) *Error {
	return &Error{Code: e.Code, Name: e.Name, Text: e.Text, cause: cause}
}

// Retryable reports whether err says that running the transaction again, from
// a new read version, may succeed. It includes the unknown outcomes. The numbers
// are those after which on_error of FoundationDB 7.3 or 7.4 goes on, Plinth's
// own stores returning it or not, since programs pass numbers that they got
// elsewhere or made up; and two of Plinth's own.
func Retryable(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case 1007, 1009, 1020, 1021, 1037, 1038, 1039, 1042, 1051, 1078, 1213, 9005, 9006:
		return true
	case 1079, // blob_granule_request_failed, up to 7.4
		1223, // proxy_tag_throttled, up to 7.4
		1235, // transaction_throttled_hot_shard, from 7.4 on
		1242: // transaction_rejected_range_locked, from 7.4 on
		return true
	}
	return false
}

// MaybeCommitted reports whether a transaction that got err may have been
// committed all the same.
func MaybeCommitted(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Code == 1021 || e.Code == 1022 || e.Code == 1031 || e.Code == 1039)
}

func named(code int, name, text string) *Error { return &Error{Code: code, Name: name, Text: text} }

// The named errors, by number. Treat them as constants.
var (
	ErrTransactionTooOld      = named(1007, "transaction_too_old", "transaction is too old to read or commit; run it again")
	ErrFutureVersion          = named(1009, "future_version", "read version has not reached the storage server yet; run it again")
	ErrNotCommitted           = named(1020, "not_committed", "transaction conflicts with another one; run it again")
	ErrCommitUnknownResult    = named(1021, "commit_unknown_result", "transaction may or may not have been committed")
	ErrCommitResultExpired    = named(1022, "commit_unknown_result_fatal", "transaction may or may not have been committed, and its idempotency id has expired: nobody can tell any more")
	ErrTransactionCancelled   = named(1025, "transaction_cancelled", "transaction was cancelled")
	ErrTransactionTimedOut    = named(1031, "transaction_timed_out", "transaction timed out; it may have been committed if it was committing")
	ErrTooManyWatches         = named(1032, "too_many_watches", "too many watches are outstanding on this database")
	ErrWatchesDisabled        = named(1034, "watches_disabled", "watches cannot be set when read-your-writes is disabled")
	ErrAccessedUnreadable     = named(1036, "accessed_unreadable", "the value is not known before the commit: it was written by a versionstamped operation")
	ErrProcessBehind          = named(1037, "process_behind", "storage server is too far behind; run the transaction again")
	ErrDatabaseLocked         = named(1038, "database_locked", "database is locked")
	ErrClusterVersionChanged  = named(1039, "cluster_version_changed", "the cluster changed while the transaction was under way")
	ErrCommitProxyMemoryLimit = named(1042, "commit_proxy_memory_limit_exceeded", "commit proxy has no memory left for this commit; run the transaction again later")
	ErrBatchThrottled         = named(1051, "batch_transaction_throttled", "batch-priority transactions are throttled; run it again later")
	ErrGRVProxyMemoryLimit    = named(1078, "grv_proxy_memory_limit_exceeded", "read-version proxy has no memory left for this request; run the transaction again later")
	ErrTagThrottled           = named(1213, "tag_throttled", "transactions with this tag are throttled; run it again later")
	ErrIO                     = named(1510, "io_error", "disk error")
	ErrFileCorrupt            = named(1522, "file_corrupt", "a file is corrupt")
	ErrInternal               = named(4100, "internal_error", "internal error")
	ErrClientInvalidOperation = named(2000, "client_invalid_operation", "invalid operation")
	ErrKeyOutsideLegalRange   = named(2004, "key_outside_legal_range", "key is outside the legal range")
	ErrInvertedRange          = named(2005, "inverted_range", "range begins after its end")
	ErrInvalidOptionValue     = named(2006, "invalid_option_value", "option value is not valid")
	ErrInvalidOption          = named(2007, "invalid_option", "option is not valid here")
	ErrReadVersionAlreadySet  = named(2010, "read_version_already_set", "read version is already set")
	ErrVersionInvalid         = named(2011, "version_invalid", "version is not valid")
	ErrRangeLimitsInvalid     = named(2012, "range_limits_invalid", "range limits are not valid")
	ErrUsedDuringCommit       = named(2017, "used_during_commit", "transaction was used while it was committing")
	ErrInvalidMutationType    = named(2018, "invalid_mutation_type", "mutation type is not valid")
	ErrNoCommitVersion        = named(2021, "no_commit_version", "transaction is read-only and has no commit version")
	ErrTransactionReadOnly    = named(2023, "transaction_read_only", "transaction is read-only")
	ErrMapperBadIndex         = named(2030, "mapper_bad_index", "index in K[...] or V[...] of a mapper is no number, or beyond the tuple")
	ErrMapperBadRange         = named(2032, "mapper_bad_range_decriptor", "\"{...}\" must be the last element of a mapper")
	ErrKeyNotTuple            = named(2041, "key_not_tuple", "key is not a packed tuple")
	ErrValueNotTuple          = named(2042, "value_not_tuple", "value is not a packed tuple")
	ErrMapperNotTuple         = named(2043, "mapper_not_tuple", "mapper is not a packed tuple")
	ErrTransactionTooLarge    = named(2101, "transaction_too_large", "transaction is too large")
	ErrKeyTooLarge            = named(2102, "key_too_large", "key is too large")
	ErrValueTooLarge          = named(2103, "value_too_large", "value is too large")
	ErrUnsupportedOperation   = named(2108, "unsupported_operation", "operation is not supported by this store")
	ErrTooManyTags            = named(2109, "too_many_tags", "transaction has too many tags")
	ErrTagTooLong             = named(2110, "tag_too_long", "transaction tag is too long")
	ErrTooManyTagThrottles    = named(2111, "too_many_tag_throttles", "there are too many limits on tags; take one away first")
	ErrSpecialCrossModuleRead = named(2112, "special_keys_cross_module_read", "read of special keys crosses modules; the option SpecialKeysRelaxed allows that")
	ErrSpecialNoModule        = named(2113, "special_keys_no_module_found", "no module of special keys lies where the read looks")
	ErrSpecialWriteDisabled   = named(2114, "special_keys_write_disabled", "special keys can be written only with the option SpecialKeyWrites")
	ErrSpecialNoWriteModule   = named(2115, "special_keys_no_write_module_found", "no module of special keys that can be written lies there")
	ErrSpecialCrossModule     = named(2116, "special_keys_cross_module_clear", "clear of special keys crosses modules")
	ErrSpecialAPIFailure      = named(2117, "special_keys_api_failure", "write of special keys was refused; read \"\\xff\\xff/error_message\" in the same transaction")
	ErrExactModeWithoutLimits = named(2210, "exact_mode_without_limits", "exact streaming mode needs a limit")
)

// Plinth's own errors, numbered from 9000 up, where FoundationDB has none.
var (
	ErrDatabaseClosed  = named(9001, "database_closed", "database is closed")
	ErrDirectoryInUse  = named(9002, "directory_in_use", "data directory is in use")
	ErrNewerFormat     = named(9003, "newer_format", "data directory was written by a newer version of Plinth")
	ErrDiskFull        = named(9004, "disk_full", "disk is full; make room, then open the store again")
	ErrGenerationEnded = named(9005, "generation_ended", "the generation has ended; run the transaction again")
	ErrStaleRole       = named(9006, "stale_role", "the call is for a role that was replaced or restarted; run the transaction again")
	ErrChainBroken     = named(9007, "chain_broken", "the predecessor of a version did not arrive in time; the generation has to end")
	ErrWrongShard      = named(9008, "wrong_shard", "the storage server does not hold this range")
)
