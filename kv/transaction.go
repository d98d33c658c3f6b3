package kv

import "errors"

// errUnfinished is returned by what is not built yet.
var errUnfinished = errors.New("kv: this part of the client is not built yet")

// Transaction is a set of reads at one version and of writes that become
// visible together, at one later version, if nothing that it read was changed
// in between. It is safe for concurrent use.
//
// Writing methods return no error. The first invalid write (a key or value too
// large, an inverted range, a reserved key, a transaction grown too large) is
// remembered: every later read and Commit return it, and nothing is sent.
type Transaction struct {
}

var _ Reader = (*Transaction)(nil)

// Get implements Reader; it adds a read conflict on key.
func (tx *Transaction) Get(key []byte) Future[[]byte] {
	return Future[[]byte]{failed[[]byte]{errUnfinished}}
}

// GetKey implements Reader; it adds a read conflict on the keys between the
// selector's key and the result.
func (tx *Transaction) GetKey(selector KeySelector) Future[[]byte] {
	return Future[[]byte]{failed[[]byte]{errUnfinished}}
}

// Range implements Reader; it adds a read conflict on what was iterated over,
// up to the last row if the iteration ended early.
func (tx *Transaction) Range(r KeyRange, options RangeOptions) *RangeResult { return &RangeResult{} }

// RangeSelectors implements Reader, see Range.
func (tx *Transaction) RangeSelectors(begin, end KeySelector, options RangeOptions) *RangeResult {
	return &RangeResult{}
}

// ReadVersion implements Reader.
func (tx *Transaction) ReadVersion() (Version, error) { return 0, errUnfinished }

// Snapshot implements Reader.
func (tx *Transaction) Snapshot() Reader { return tx }

// SetReadVersion makes the transaction read at v, a version got from
// ReadVersion or CommittedVersion of another. It must come before any read.
func (tx *Transaction) SetReadVersion(v Version) {}

// Commit makes the writes visible and durable. A transaction without writes or
// write conflicts sends nothing. After ErrNotCommitted and every other error
// that is not MaybeCommitted, nothing of it will ever be visible.
func (tx *Transaction) Commit() error { return errUnfinished }

// OnError readies the transaction for another try after err: if err is
// Retryable and the retry limit is not reached, it waits for the back-off,
// resets the transaction and returns nil. Otherwise it returns err, or the end
// of the context.
func (tx *Transaction) OnError(err error) error { return err }

// Reset forgets all reads and writes, as if the transaction had just begun.
// Options, time-out and the count of retries stay.
func (tx *Transaction) Reset() {}

// Cancel ends the transaction: whatever is under way or follows fails with
// ErrTransactionCancelled. After Commit has returned it only frees resources;
// during it the outcome is unknown. It may be called several times.
func (tx *Transaction) Cancel() {}

// CommittedVersion returns the version of the last successful Commit. A
// transaction that wrote nothing has none: ErrNoCommitVersion.
func (tx *Transaction) CommittedVersion() (Version, error) { return 0, errUnfinished }

// Versionstamp returns the future stamp of the commit, which takes the place
// left for it by SetVersionstampedKey and SetVersionstampedValue. Call it
// before the commit and wait for it afterwards.
func (tx *Transaction) Versionstamp() Future[Stamp] {
	return Future[Stamp]{failed[Stamp]{errUnfinished}}
}

// ApproximateSize returns the bytes of mutations and conflict ranges so far,
// which count against the size limit.
func (tx *Transaction) ApproximateSize() int { return 0 }
