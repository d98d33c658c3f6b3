package wire

// CommitRequest is a transaction as a commit proxy gets it.
type CommitRequest struct {
	// ReadVersion is the version of every read; for a blind write any recent
	// version.
	ReadVersion    Version
	ReadConflicts  []KeyRange
	WriteConflicts []KeyRange
	// Mutations is a mutation list (see Mutations), in the order in which the
	// transaction made them.
	Mutations []byte
	// HasVersionstamps says that the list holds versionstamped mutations. The
	// proxy then writes a new list.
	HasVersionstamps bool
	// IdempotencyID, if any, is stored with the commit, for a client that does
	// not get the answer. The last range of ReadConflicts and that of
	// WriteConflicts are then IdempotencyConflict of it.
	IdempotencyID []byte
	// ReportConflicts asks that an ErrNotCommitted say which read ranges
	// conflicted, see ConflictError.
	ReportConflicts bool
	// HasSystemKeys says that the list writes keys of the system, so that the
	// proxy looks for those that concern itself. See DatabaseLockedKey.
	HasSystemKeys bool
	// LockAware lets the transaction commit although the database is locked.
	LockAware bool
	// FirstInBatch asks that no transaction comes before this one at its
	// version, so the place in its stamp is 0.
	FirstInBatch bool
}

// Bytes is the size that counts against MaxTransactionBytes and against the
// proxy's memory. The conflict ranges of an idempotency id are not in it.
func (r *CommitRequest) Bytes() int {
	n := len(r.Mutations) - r.idempotencyBytes()
	for _, c := range r.ReadConflicts {
		n += len(c.Begin) + len(c.End)
	}
	for _, c := range r.WriteConflicts {
		n += len(c.Begin) + len(c.End)
	}
	return n
}

// CommitReply says when a transaction was committed.
type CommitReply struct {
	Version Version
	Stamp   Stamp
}

// ConflictError is an ErrNotCommitted that names the read ranges that
// conflicted.
type ConflictError struct {
	Ranges []KeyRange
}

// Error returns the text of ErrNotCommitted.
func (e *ConflictError) Error() string { return ErrNotCommitted.Error() }

// Unwrap makes errors.Is(err, ErrNotCommitted) and errors.As to *Error true.
func (e *ConflictError) Unwrap() error { return ErrNotCommitted }

// ReadVersionReply is the answer of a read-version proxy.
type ReadVersionReply struct {
	Version Version
	// Locked says that the database is locked: transactions that are not
	// lock-aware fail with ErrDatabaseLocked.
	Locked bool
	// MetadataVersion is the value of the metadata version key, a stamp; empty
	// if it was never set.
	MetadataVersion []byte
}
