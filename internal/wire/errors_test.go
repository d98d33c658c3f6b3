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
