package kv

import "github.com/plinthdb/plinth/internal/wire"

// Error is an error with FoundationDB's number and name. Compare with
// errors.Is against the values below, or take the number with errors.As.
type Error = wire.Error

// Retryable reports whether running the transaction again, from a new read
// version, may succeed. Transact does that by itself.
func Retryable(err error) bool { return wire.Retryable(err) }

// MaybeCommitted reports whether a transaction whose Commit or Transact
// returned err may have been committed all the same.
func MaybeCommitted(err error) bool { return wire.MaybeCommitted(err) }

// The errors that a client can meet, by number. Treat them as constants.
var (
	ErrTransactionTooOld      = wire.ErrTransactionTooOld      // 1007, retryable
	ErrFutureVersion          = wire.ErrFutureVersion          // 1009, retryable
	ErrNotCommitted           = wire.ErrNotCommitted           // 1020, retryable: a conflict
	ErrCommitUnknownResult    = wire.ErrCommitUnknownResult    // 1021, retryable, may be committed
	ErrCommitResultExpired    = wire.ErrCommitResultExpired    // 1022, may be committed
	ErrTransactionCancelled   = wire.ErrTransactionCancelled   // 1025
	ErrTransactionTimedOut    = wire.ErrTransactionTimedOut    // 1031, may be committed
	ErrTooManyWatches         = wire.ErrTooManyWatches         // 1032
	ErrWatchesDisabled        = wire.ErrWatchesDisabled        // 1034
	ErrAccessedUnreadable     = wire.ErrAccessedUnreadable     // 1036
	ErrProcessBehind          = wire.ErrProcessBehind          // 1037, retryable
	ErrDatabaseLocked         = wire.ErrDatabaseLocked         // 1038, retryable
	ErrClusterVersionChanged  = wire.ErrClusterVersionChanged  // 1039, retryable, may be committed
	ErrCommitProxyMemoryLimit = wire.ErrCommitProxyMemoryLimit // 1042, retryable
	ErrBatchThrottled         = wire.ErrBatchThrottled         // 1051, retryable
	ErrGRVProxyMemoryLimit    = wire.ErrGRVProxyMemoryLimit    // 1078, retryable
	ErrTagThrottled           = wire.ErrTagThrottled           // 1213, retryable
	ErrIO                     = wire.ErrIO                     // 1510
	ErrFileCorrupt            = wire.ErrFileCorrupt            // 1522
	ErrClientInvalidOperation = wire.ErrClientInvalidOperation // 2000
	ErrKeyOutsideLegalRange   = wire.ErrKeyOutsideLegalRange   // 2004
	ErrInvertedRange          = wire.ErrInvertedRange          // 2005
	ErrInvalidOptionValue     = wire.ErrInvalidOptionValue     // 2006
	ErrInvalidOption          = wire.ErrInvalidOption          // 2007
	ErrReadVersionAlreadySet  = wire.ErrReadVersionAlreadySet  // 2010
	ErrVersionInvalid         = wire.ErrVersionInvalid         // 2011
	ErrRangeLimitsInvalid     = wire.ErrRangeLimitsInvalid     // 2012
	ErrUsedDuringCommit       = wire.ErrUsedDuringCommit       // 2017
	ErrInvalidMutationType    = wire.ErrInvalidMutationType    // 2018
	ErrNoCommitVersion        = wire.ErrNoCommitVersion        // 2021
	ErrTransactionReadOnly    = wire.ErrTransactionReadOnly    // 2023
	ErrMapperBadIndex         = wire.ErrMapperBadIndex         // 2030
	ErrMapperBadRange         = wire.ErrMapperBadRange         // 2032
	ErrKeyNotTuple            = wire.ErrKeyNotTuple            // 2041
	ErrValueNotTuple          = wire.ErrValueNotTuple          // 2042
	ErrMapperNotTuple         = wire.ErrMapperNotTuple         // 2043
	ErrTransactionTooLarge    = wire.ErrTransactionTooLarge    // 2101
	ErrKeyTooLarge            = wire.ErrKeyTooLarge            // 2102
	ErrValueTooLarge          = wire.ErrValueTooLarge          // 2103
	ErrUnsupportedOperation   = wire.ErrUnsupportedOperation   // 2108
	ErrTooManyTags            = wire.ErrTooManyTags            // 2109
	ErrTagTooLong             = wire.ErrTagTooLong             // 2110
	ErrTooManyTagThrottles    = wire.ErrTooManyTagThrottles    // 2111
	ErrSpecialCrossModuleRead = wire.ErrSpecialCrossModuleRead // 2112
	ErrSpecialNoModule        = wire.ErrSpecialNoModule        // 2113
	ErrSpecialWriteDisabled   = wire.ErrSpecialWriteDisabled   // 2114
	ErrSpecialNoWriteModule   = wire.ErrSpecialNoWriteModule   // 2115
	ErrSpecialCrossModule     = wire.ErrSpecialCrossModule     // 2116
	ErrSpecialAPIFailure      = wire.ErrSpecialAPIFailure      // 2117
	ErrExactModeWithoutLimits = wire.ErrExactModeWithoutLimits // 2210
	ErrInternal               = wire.ErrInternal               // 4100
	ErrDatabaseClosed         = wire.ErrDatabaseClosed         // 9001
	ErrDirectoryInUse         = wire.ErrDirectoryInUse         // 9002
	ErrNewerFormat            = wire.ErrNewerFormat            // 9003
	ErrDiskFull               = wire.ErrDiskFull               // 9004
)
