package fdb

import "github.com/plinthdb/plinth/kv"

// ReadTransaction is what a transaction can read: a Transaction, or a Snapshot,
// whose reads do not conflict with anybody's writes.
type ReadTransaction interface {
	// Get reads the value of a key.
	Get(key KeyConvertible) FutureByteSlice
	// GetKey finds the key that a selector names.
	GetKey(sel Selectable) FutureKey
	// GetRange reads the rows of a range.
	GetRange(r Range, options RangeOptions) RangeResult
	// GetReadVersion returns the version of all reads.
	GetReadVersion() FutureInt64
	// GetDatabase returns the database.
	GetDatabase() Database
	// Snapshot returns a reader that adds no conflicts.
	Snapshot() Snapshot
	// GetEstimatedRangeSizeBytes returns about how many bytes a range holds.
	GetEstimatedRangeSizeBytes(r ExactRange) FutureInt64
	// GetRangeSplitPoints returns keys that part a range into pieces of about
	// chunkSize bytes, the bounds of the range among them.
	GetRangeSplitPoints(r ExactRange, chunkSize int64) FutureKeyArray
	// Options returns what sets the options of the transaction.
	Options() TransactionOptions
	// Cancel ends the transaction.
	Cancel()

	ReadTransactor
}

var (
	_ ReadTransaction = Transaction{}
	_ ReadTransaction = Snapshot{}
)

// Snapshot is a Transaction whose reads do not conflict: what they read may be
// changed by others before the commit.
type Snapshot struct{ *transaction }

// Get reads the value of key: nil if it is absent, empty but not nil if it is
// present without content.
func (t Transaction) Get(key KeyConvertible) FutureByteSlice {
	tx := t.current()
	return t.get(tx, tx, key)
}

// Get is Transaction.Get without a conflict.
func (s Snapshot) Get(key KeyConvertible) FutureByteSlice {
	tx := s.current()
	return s.get(tx, tx.Snapshot(), key)
}

func (t *transaction) get(tx *kv.Transaction, r kv.Reader, key KeyConvertible) FutureByteSlice {
	k := keyBytes(key)
	if t.hasNot(k) {
		return newFuture(t, func() ([]byte, error) { return nil, errOutsideLegalRange })
	}
	if len(k) > kv.MaxKeyBytes {
		return t.getAbsent(r, cutKey(k))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.newByteSliceLocked()
	f.tx, f.store = tx, t.handle.store
	f.future = r.Get(k) // under the mutex: the last one noted is the last one issued
	t.mu.lastGet, t.mu.gets, t.mu.read = f.future, true, true
	return f
}

// getAbsent reads a key that is too long to be there. What else may be wrong
// with the read shows in that of an empty range at its place.
func (t *transaction) getAbsent(r kv.Reader, key []byte) FutureByteSlice {
	rows := r.Range(kv.KeyRange{Begin: key, End: key}, kv.RangeOptions{})
	return noted(t, func() ([]byte, error) {
		_, err := rows.Slice()
		return nil, err
	})
}

// newByteSliceLocked returns a future out of a block of them: transactions tend
// to have several.
func (t *transaction) newByteSliceLocked() *byteSlice {
	const mostInBlock = 16
	n := len(t.mu.block)
	if n == cap(t.mu.block) {
		t.mu.block, n = make([]byteSlice, 0, min(2*n, mostInBlock)), 0
	}
	t.mu.block = t.mu.block[:n+1]
	return &t.mu.block[n]
}

// GetKey finds the key that sel names. A selector that runs off the front gives
// the empty key, one that runs off the back "\xff".
func (t Transaction) GetKey(sel Selectable) FutureKey { return t.getKey(t.current(), sel) }

// GetKey is Transaction.GetKey without a conflict.
func (s Snapshot) GetKey(sel Selectable) FutureKey { return s.getKey(s.current().Snapshot(), sel) }

func (t *transaction) getKey(r kv.Reader, sel Selectable) FutureKey {
	key := r.GetKey(kvSelector(sel))
	return noted(t, func() (Key, error) {
		k, err := key.Wait()
		return k, err
	})
}

// GetReadVersion returns the version of all reads of the transaction. After a
// commit it is the same still (API versions below 700 give it a new one).
func (t Transaction) GetReadVersion() FutureInt64 { return t.readVersion() }

// GetReadVersion is Transaction.GetReadVersion.
func (s Snapshot) GetReadVersion() FutureInt64 { return s.readVersion() }

func (t *transaction) readVersion() FutureInt64 {
	tx := t.current()
	t.handle.store.keepTime()
	return noted(t, func() (int64, error) {
		version, err := tx.ReadVersion()
		if err != nil {
			return t.versionAfterCommit(err)
		}
		return int64(version), nil
	})
}

// SetReadVersion makes the transaction read at a version got from
// GetReadVersion or GetCommittedVersion of another.
func (t Transaction) SetReadVersion(version int64) { t.current().SetReadVersion(kv.Version(version)) }

// Snapshot returns the transaction's Snapshot.
func (t Transaction) Snapshot() Snapshot { return Snapshot(t) }

// Snapshot returns s itself.
func (s Snapshot) Snapshot() Snapshot { return s }

// GetDatabase returns the database of the transaction.
func (s Snapshot) GetDatabase() Database { return Database{s.handle} }

// Options returns what sets the options of the transaction.
func (s Snapshot) Options() TransactionOptions { return TransactionOptions(s) }

// Cancel ends the transaction, see Transaction.Cancel.
func (s Snapshot) Cancel() { s.current().Cancel() }

// ReadTransact runs f with this Snapshot, see Transaction.ReadTransact.
func (s Snapshot) ReadTransact(f func(ReadTransaction) (interface{}, error)) (r interface{}, e error) {
	return protect(f, ReadTransaction(s))
}

// GetApproximateSize returns about how many bytes count against the limit of
// the transaction's size so far.
func (t Transaction) GetApproximateSize() FutureInt64 {
	size := int64(t.current().ApproximateSize())
	return newFuture(t.transaction, func() (int64, error) { return size, nil })
}

// Watch returns a future that is ready when the value of key is no longer the
// one that a Get at this place would return. It is armed by the commit, and
// fails if that does. Cancel a watch that is not needed any more: a database has
// a limit of them (error 1032).
func (t Transaction) Watch(key KeyConvertible) FutureNil {
	watch := t.current().Watch(keyBytes(key))
	ended := t.handle.store.embedded.Ended()
	f := newFutureNil(t.transaction, func() error {
		select {
		case <-watch.Done():
		case <-ended:
			watch.Cancel() // it may never have been armed
			return errDatabaseClosed
		}
		return watch.Err()
	})
	f.stop = watch.Cancel
	t.cancelWhenDropped()
	return watchFuture{f, watch}
}

// watchFuture knows by itself whether it is ready.
type watchFuture struct {
	futureNil
	watch *kv.Watch
}

// IsReady implements Future.
func (f watchFuture) IsReady() bool {
	select {
	case <-f.watch.Done():
		f.settle()
		return true
	default:
		return false
	}
}

// Cancel implements Future.
func (f watchFuture) Cancel() {
	if !f.IsReady() {
		f.futureNil.Cancel()
	}
}
