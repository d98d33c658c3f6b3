package fdb

import (
	"bytes"
	"errors"

	kvtuple "github.com/plinthdb/plinth/kv/tuple"

	"github.com/plinthdb/plinth/kv"
)

// KeyConvertible is what stands for a key: a Key, a tuple, a subspace, a
// directory, or a type of the program's own.
type KeyConvertible interface {
	// FDBKey returns the key. A type of which no key can be made panics.
	FDBKey() Key
}

// Key is a key.
type Key []byte

// FDBKey returns the key itself: a Key is a KeyConvertible.
func (k Key) FDBKey() Key { return k }

// String returns the key for people to read.
func (k Key) String() string { return Printable(k) }

// KeyValue is a key with its value.
type KeyValue struct {
	Key   Key
	Value []byte
}

// Printable returns bytes for people to read: printable ASCII as it is, a
// backslash doubled, everything else as \xNN.
func Printable(d []byte) string { return kvtuple.Printable(d) }

// errNoStrinc says that no key sorts after all keys with a prefix.
var errNoStrinc = errors.New("no key sorts after all keys with this prefix: it has no byte below 0xff")

// Strinc returns the first key that sorts after all keys that begin with
// prefix. It is an error if there is none: if prefix is empty or has only bytes
// 0xff.
func Strinc(prefix []byte) ([]byte, error) {
	if key, ok := kv.Strinc(prefix); ok {
		return key, nil
	}
	return nil, errNoStrinc
}

// keyBytes returns the bytes of a key; nil stands for the empty key.
func keyBytes(k KeyConvertible) []byte {
	if k == nil {
		return nil
	}
	return k.FDBKey()
}

// Selectable is what stands for a KeySelector.
type Selectable interface {
	// FDBKeySelector returns the selector. It never fails: whether its key is
	// valid shows when it is used.
	FDBKeySelector() KeySelector
}

// KeySelector names a key of the database by its place: from the last key that
// is below Key (with OrEqual: not above it) go Offset keys on. The functions
// below make the usual ones.
type KeySelector struct {
	Key     KeyConvertible
	OrEqual bool
	Offset  int
}

// FDBKeySelector returns the selector itself: a KeySelector is a Selectable.
func (ks KeySelector) FDBKeySelector() KeySelector { return ks }

// LastLessThan selects the last key below key.
func LastLessThan(key KeyConvertible) KeySelector { return KeySelector{key, false, 0} }

// LastLessOrEqual selects the last key that is not above key.
func LastLessOrEqual(key KeyConvertible) KeySelector { return KeySelector{key, true, 0} }

// FirstGreaterThan selects the first key above key.
func FirstGreaterThan(key KeyConvertible) KeySelector { return KeySelector{key, true, 1} }

// FirstGreaterOrEqual selects the first key that is not below key.
func FirstGreaterOrEqual(key KeyConvertible) KeySelector { return KeySelector{key, false, 1} }

// kvSelector returns what s stands for; nil selects the first key there is.
func kvSelector(s Selectable) kv.KeySelector {
	if s == nil {
		return kv.FirstGreaterOrEqual(nil)
	}
	ks := s.FDBKeySelector()
	return kv.KeySelector{Key: keyBytes(ks.Key), OrEqual: ks.OrEqual, Offset: ks.Offset}
}

// Range is what stands for the keys from one selected key to before another.
type Range interface {
	// FDBRangeKeySelectors returns the selectors of the two keys.
	FDBRangeKeySelectors() (begin, end Selectable)
}

// ExactRange is what stands for the keys from one key to before another. It is
// a Range as well, by FirstGreaterOrEqual of the two.
type ExactRange interface {
	// FDBRangeKeys returns the two keys.
	FDBRangeKeys() (begin, end KeyConvertible)

	Range
}

// KeyRange is the ExactRange from Begin to before End.
type KeyRange struct {
	Begin KeyConvertible
	End   KeyConvertible
}

// FDBRangeKeys returns the bounds: a KeyRange is an ExactRange.
func (kr KeyRange) FDBRangeKeys() (KeyConvertible, KeyConvertible) { return kr.Begin, kr.End }

// FDBRangeKeySelectors returns the selectors of the bounds: a KeyRange is a
// Range.
func (kr KeyRange) FDBRangeKeySelectors() (Selectable, Selectable) {
	return FirstGreaterOrEqual(kr.Begin), FirstGreaterOrEqual(kr.End)
}

// SelectorRange is the Range from one selected key to before another.
type SelectorRange struct {
	Begin, End Selectable
}

// FDBRangeKeySelectors returns the selectors: a SelectorRange is a Range.
func (sr SelectorRange) FDBRangeKeySelectors() (Selectable, Selectable) { return sr.Begin, sr.End }

// PrefixRange returns the range of the keys that begin with prefix. It is an
// error if prefix is empty or has only bytes 0xff.
func PrefixRange(prefix []byte) (KeyRange, error) {
	end, err := Strinc(prefix)
	if err != nil {
		return KeyRange{}, err
	}
	return KeyRange{Begin: Key(bytes.Clone(prefix)), End: Key(end)}, nil
}

// kvRange returns the keys of an exact range.
func kvRange(r ExactRange) kv.KeyRange {
	begin, end := r.FDBRangeKeys()
	return kv.KeyRange{Begin: keyBytes(begin), End: keyBytes(end)}
}

// cut returns a range that holds the same keys, with bounds that kv takes for
// those of a range to write: no key is long enough to tell the difference.
func cut(r kv.KeyRange) kv.KeyRange {
	return kv.KeyRange{Begin: cutKey(r.Begin), End: cutKey(r.End)}
}

func cutKey(key []byte) []byte { return key[:min(len(key), kv.MaxKeyBytes+1)] }
