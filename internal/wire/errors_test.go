package wire

import (
	"errors"
	"fmt"
	"testing"
)

// What was certainly not committed and may succeed elsewhere is run again; a
// broken chain is no client's business, and the outermost error counts.
func TestErrorsSayWhetherToRunAgain(t *testing.T) {
	for _, c := range []struct {
		err              error
		retryable, maybe bool
	}{
		{ErrNotCommitted, true, false},
		{&ConflictError{}, true, false},
		{ErrGenerationEnded.Because(ErrIO), true, false},
		{ErrStaleRole.With("another role"), true, false},
		{ErrChainBroken, false, false},
		{ErrDiskFull, false, false},
		{ErrCommitUnknownResult.Because(ErrDiskFull), true, true},
		{fmt.Errorf("wrapped: %w", ErrTransactionTimedOut), false, true},
		{errors.New("no number"), false, false},
	} {
		if Retryable(c.err) != c.retryable || MaybeCommitted(c.err) != c.maybe {
			t.Errorf("%v: retryable %v, maybe committed %v", c.err, Retryable(c.err), MaybeCommitted(c.err))
		}
	}
}

// TestRetryableErrorsAreFoundationDBs goes over all numbers: those after which
// on_error of FoundationDB 7.3 and 7.4 goes on, and two of Plinth's own.
func TestRetryableErrorsAreFoundationDBs(t *testing.T) {
	retryable := map[int]bool{
		1007: true, 1009: true, 1020: true, 1021: true, 1037: true, 1038: true, 1039: true, 1042: true, 1051: true,
		1078: true, 1079: true, 1213: true, 1223: true, 1235: true, 1242: true, 9005: true, 9006: true,
	}
	// FoundationDB has 1021 and 1039. A time-out or an expired idempotency id
	// leaves it open too, but they are not run again.
	maybe := map[int]bool{1021: true, 1022: true, 1031: true, 1039: true}
	for code := -1; code < 10_000; code++ {
		err := &Error{Code: code}
		if Retryable(err) != retryable[code] || MaybeCommitted(err) != maybe[code] {
			t.Errorf("%d: retryable %v, maybe committed %v", code, Retryable(err), MaybeCommitted(err))
		}
	}
}
