package wire

import "bytes"

// Limits on what one transaction may hold, FoundationDB's defaults.
const (
	// MaxKeyBytes is the longest key.
	MaxKeyBytes = 10_000
	// MaxValueBytes is the longest value.
	MaxValueBytes = 100_000
	// MaxTransactionBytes bounds a transaction's mutations and conflict ranges
	// together; what it reads does not count.
	MaxTransactionBytes = 10_000_000
)

// SystemPrefix begins every key of the system key space. User keys are below.
const SystemPrefix = "\xff"

// System keys that mean something to the store, with FoundationDB's names.
const (
	// DatabaseLockedKey is present while the database is locked. Its value is a
	// stamp and the sixteen bytes that name who has locked it.
	DatabaseLockedKey = "\xff/dbLocked"
	// MetadataVersionKey holds a stamp that programs renew when what they cache
	// has changed. Read versions come with its value.
	MetadataVersionKey = "\xff/metadataVersion"
	// ClusterIDKey holds the id of the store, a StoreID: drawn when the store is
	// made and never changed.
	ClusterIDKey = "\xff/clusterIdKey"
)

// KeyRange is the half-open range of keys Begin <= key < End. The slices are
// shared (W1).
type KeyRange struct {
	Begin, End []byte
}

// SingleKey returns the range that holds key alone. It allocates once.
func SingleKey(key []byte) KeyRange {
	buf := make([]byte, len(key)+1)
	copy(buf, key)
	return KeyRange{Begin: buf[:len(key):len(key)], End: buf}
}

// IsSingleKey reports whether r holds exactly the key r.Begin.
func (r KeyRange) IsSingleKey() bool {
	return len(r.End) == len(r.Begin)+1 && r.End[len(r.Begin)] == 0 && bytes.Equal(r.End[:len(r.Begin)], r.Begin)
}

// Empty reports whether r holds no key.
func (r KeyRange) Empty() bool { return bytes.Compare(r.Begin, r.End) >= 0 }

// Contains reports whether key lies in r.
func (r KeyRange) Contains(key []byte) bool {
	return bytes.Compare(r.Begin, key) <= 0 && bytes.Compare(key, r.End) < 0
}

// Overlaps reports whether some key lies in both ranges.
func (r KeyRange) Overlaps(o KeyRange) bool {
	return bytes.Compare(r.Begin, o.End) < 0 && bytes.Compare(o.Begin, r.End) < 0
}

// KeyAfter returns the first key that sorts after key.
func KeyAfter(key []byte) []byte {
	buf := make([]byte, len(key)+1)
	copy(buf, key)
	return buf
}

// KeySelector names a key by its place relative to another: start at the last
// key that is less than Key (or equal to it, with OrEqual), then move Offset
// keys forward. FoundationDB's four constructors are
//
//	last less than       (k, false, 0)   last less or equal     (k, true, 0)
//	first greater than   (k, true, 1)    first greater or equal (k, false, 1)
type KeySelector struct {
	Key     []byte
	OrEqual bool
	Offset  int
}

// FirstGreaterOrEqual selects the first key that is not below key.
func FirstGreaterOrEqual(key []byte) KeySelector { return KeySelector{Key: key, Offset: 1} }

// KeyValue is one row. The slices are shared (W1).
type KeyValue struct {
	Key, Value []byte
}
