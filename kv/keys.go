package kv

import (
	"bytes"

	"github.com/plinthdb/plinth/internal/wire"
)

// The limits of a transaction, FoundationDB's defaults.
const (
	// MaxKeyBytes is the longest key.
	MaxKeyBytes = wire.MaxKeyBytes
	// MaxValueBytes is the longest value.
	MaxValueBytes = wire.MaxValueBytes
	// MaxTransactionBytes bounds a transaction's mutations and conflict ranges
	// together. What it reads does not count.
	MaxTransactionBytes = wire.MaxTransactionBytes
)

// The keys of the system begin with \xff; to reach them takes
// WithReadSystemKeys or WithSystemKeys. Those from \xff\xff on are special keys,
// which are made up when they are read.
const (
	// MetadataVersionKey holds a stamp that programs renew, by
	// SetVersionstampedValue with fourteen zero bytes, when something has changed
	// that others cache. Everybody may read it, and nothing is cheaper to read.
	MetadataVersionKey = wire.MetadataVersionKey
	// DatabaseLockedKey is there while the database is locked, see LockDatabase.
	DatabaseLockedKey = wire.DatabaseLockedKey
)

// Version orders everything in the store. It advances by about a million a
// second and never repeats or goes back.
type Version = wire.Version

// Stamp identifies one committed transaction; stamps sort in commit order.
type Stamp = wire.Stamp

// KeyValue is one row of a range read. The slices belong to the caller.
type KeyValue = wire.KeyValue

// KeyRange is the half-open range of keys Begin <= key < End. KeyRange{} holds
// nothing; AllKeys returns the range of all user keys.
type KeyRange = wire.KeyRange

// KeySelector names a key by its place relative to another, see
// FirstGreaterOrEqual and its siblings.
type KeySelector = wire.KeySelector

// AllKeys returns the range of all user keys.
func AllKeys() KeyRange { return KeyRange{Begin: []byte{}, End: []byte(wire.SystemPrefix)} }

// SystemKeys returns the range of all keys of the system; see WithReadSystemKeys.
func SystemKeys() KeyRange {
	return KeyRange{Begin: []byte(wire.SystemPrefix), End: []byte(wire.MaxKey)}
}

// SingleKey returns the range that holds key alone.
func SingleKey(key []byte) KeyRange { return wire.SingleKey(key) }

// PrefixRange returns the range of the keys that begin with prefix. A prefix
// of nothing but \xff bytes has no end within the key space: its range ends
// where the keys of MaxKeyBytes do.
func PrefixRange(prefix []byte) KeyRange {
	if len(prefix) == 0 {
		return AllKeys()
	}
	end, ok := Strinc(prefix)
	if !ok {
		end = bytes.Repeat([]byte{0xff}, MaxKeyBytes+1)
	}
	return KeyRange{Begin: bytes.Clone(prefix), End: end}
}

// Strinc returns the first key that sorts after every key that begins with
// prefix. There is none, and ok is false, if prefix has no byte below 0xff.
func Strinc(prefix []byte) (key []byte, ok bool) {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			key = bytes.Clone(prefix[:i+1])
			key[i]++
			return key, true
		}
	}
	return nil, false
}

// KeyAfter returns the first key that sorts after key.
func KeyAfter(key []byte) []byte { return wire.KeyAfter(key) }

// LastLessThan selects the last key below key.
func LastLessThan(key []byte) KeySelector { return KeySelector{Key: key} }

// LastLessOrEqual selects the last key that is not above key.
func LastLessOrEqual(key []byte) KeySelector { return KeySelector{Key: key, OrEqual: true} }

// FirstGreaterThan selects the first key above key.
func FirstGreaterThan(key []byte) KeySelector {
	return KeySelector{Key: key, OrEqual: true, Offset: 1}
}

// FirstGreaterOrEqual selects the first key that is not below key.
func FirstGreaterOrEqual(key []byte) KeySelector { return wire.FirstGreaterOrEqual(key) }
