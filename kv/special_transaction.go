package kv

import (
	"slices"

	"github.com/plinthdb/plinth/internal/wire"
)

// The sets of keys that the transaction module shows.
const (
	conflictingKeysPrefix = specialBegin + "/transaction/conflicting_keys/"
	readConflictPrefix    = specialBegin + "/transaction/read_conflict_range/"
	writeConflictPrefix   = specialBegin + "/transaction/write_conflict_range/"
)

// readTransactionModule shows what the transaction conflicts with. A range read
// counts as far as it has shown rows, GetKey once it was waited for; the keys of
// a versionstamped key are all that it may become.
func (a *attempt) readTransactionModule(KeyRange) ([]KeyValue, error) {
	conflicting := a.tx.ConflictingKeys()
	a.mu.Lock()
	reads := slices.Clone(a.mu.readConflicts)
	for _, s := range a.mu.scans {
		reads = s.ranges(reads, &a.mu.arena)
	}
	writes := slices.Clone(a.mu.writeConflicts)
	for _, param := range a.mu.stampedKeys {
		writes = append(writes, stampedKeys(param, a.mu.version))
	}
	a.mu.Unlock()
	rows := appendKeySet(nil, conflictingKeysPrefix, conflicting)
	rows = appendKeySet(rows, readConflictPrefix, mergeRanges(reads))
	return appendKeySet(rows, writeConflictPrefix, mergeRanges(writes)), nil
}

// appendKeySet appends ranges, in order and apart, as rows below prefix: "1"
// where keys begin to be in the set, "0" where they cease to be.
func appendKeySet(rows []KeyValue, prefix string, ranges []wire.KeyRange) []KeyValue {
	for _, r := range ranges {
		rows = append(rows,
			KeyValue{Key: append([]byte(prefix), r.Begin...), Value: []byte("1")},
			KeyValue{Key: append([]byte(prefix), r.End...), Value: []byte("0")})
	}
	return rows
}
