package kv

// Set gives key a value. Both are copied.
func (tx *Transaction) Set(key, value []byte) {}

// Clear removes key, if it is there.
func (tx *Transaction) Clear(key []byte) {}

// ClearRange removes all keys of r, at the cost of one write.
func (tx *Transaction) ClearRange(r KeyRange) {}

// SetVersionstampedKey sets a key that holds the stamp of the commit. The last
// four bytes of key are not part of it: they say, as a little-endian integer,
// at which byte of the rest the ten bytes of the stamp go. Until the commit
// the keys that this may become cannot be read: ErrAccessedUnreadable.
func (tx *Transaction) SetVersionstampedKey(key, value []byte) {}

// SetVersionstampedValue gives key a value that holds the stamp of the commit.
// The last four bytes of value are not part of it: they say, as a
// little-endian integer, at which byte of the rest the ten bytes of the stamp
// go. Until the commit the key cannot be read: ErrAccessedUnreadable.
func (tx *Transaction) SetVersionstampedValue(key, value []byte) {}

// AddReadConflictRange makes the commit fail if somebody writes to r between
// the read version and the commit, as if r had been read.
func (tx *Transaction) AddReadConflictRange(r KeyRange) {}

// AddReadConflictKey is AddReadConflictRange on one key.
func (tx *Transaction) AddReadConflictKey(key []byte) {}

// AddWriteConflictRange makes concurrent transactions that read in r fail, as
// if r had been written.
func (tx *Transaction) AddWriteConflictRange(r KeyRange) {}

// AddWriteConflictKey is AddWriteConflictRange on one key.
func (tx *Transaction) AddWriteConflictKey(key []byte) {}
