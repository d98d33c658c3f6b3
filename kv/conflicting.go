package kv

import (
	"slices"

	"github.com/plinthdb/plinth/internal/wire"
)

// ConflictingKeys returns the ranges that the transaction read and that
// somebody else wrote before it could commit, in order and without overlaps. It
// answers after a Commit that failed with ErrNotCommitted, for a transaction
// with WithReportConflictingKeys, until the end of the next Commit or a Reset:
// the function that Transact runs again can look what it lost on. Otherwise
// there are none.
//
// The ranges are whole ones of the transaction, each with a key in it that was
// written. As special keys they are below
// "\xff\xff/transaction/conflicting_keys/".
func (tx *Transaction) ConflictingKeys() []KeyRange {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return slices.Clone(tx.mu.conflicting)
}

// noteConflicting remembers what a commit lost on, nothing if e is nil.
func (tx *Transaction) noteConflicting(e *wire.ConflictError) {
	var ranges []KeyRange
	if e != nil {
		ranges = mergeRanges(e.Ranges)
	}
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.mu.conflicting = ranges
}
