package fdb

import (
	"errors"
	"testing"

	"github.com/plinthdb/plinth/kv"
)

// A program compares the errors of its own functions, even after a commit whose
// answer was lost.
func TestAnErrorOfTheFunctionIsDeliveredBareAfterALostAnswer(t *testing.T) {
	own := errors.New("the program's own")
	for name, c := range map[string]struct{ failed, ended, want error }{
		"an error without a number": {own, kv.ErrCommitUnknownResult.Because(own), own},
		"an error with a number": {
			carry(Error{Code: 2101}), kv.ErrCommitUnknownResult.Because(carry(Error{Code: 2101})), Error{Code: 2101},
		},
		"a retryable error at the limit": {
			carry(Error{Code: 1020}), kv.ErrCommitUnknownResult.Because(carry(Error{Code: 1020})), Error{Code: 1021},
		},
		"an error of the commit": {nil, kv.ErrCommitUnknownResult, Error{Code: 1021}},
	} {
		r := managed{failed: c.failed}
		if got := delivered(r.lastWord(c.ended)); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
