package fdb

import (
	"bytes"

	"github.com/plinthdb/plinth/kv"
)

// Set gives key a value.
func (t Transaction) Set(key KeyConvertible, value []byte) { t.writing().Set(keyBytes(key), value) }

// Clear removes key, if it is there.
func (t Transaction) Clear(key KeyConvertible) {
	k := keyBytes(key)
	if len(k) > kv.MaxKeyBytes { // it is not there, but may belong to the system
		t.ClearRange(KeyRange{Key(k), Key(k)})
		return
	}
	t.writing().Clear(k)
}

// ClearRange removes all keys of a range, at the cost of one write.
func (t Transaction) ClearRange(er ExactRange) { t.writing().ClearRange(cut(kvRange(er))) }

// Add adds param to the value, both as little-endian integers of param's
// length.
func (t Transaction) Add(key KeyConvertible, param []byte) { t.writing().Add(keyBytes(key), param) }

// BitAnd stores value AND param, in param's length; an absent key gets param
// (under API versions below 510 it counts as zeros).
func (t Transaction) BitAnd(key KeyConvertible, param []byte) {
	t.padAbsent(key, param)
	t.current().BitAnd(keyBytes(key), param)
}

// And is BitAnd.
//
// Deprecated: use BitAnd.
func (t Transaction) And(key KeyConvertible, param []byte) { t.BitAnd(key, param) }

// BitOr stores value OR param, in param's length.
func (t Transaction) BitOr(key KeyConvertible, param []byte) {
	t.writing().BitOr(keyBytes(key), param)
}

// Or is BitOr.
//
// Deprecated: use BitOr.
func (t Transaction) Or(key KeyConvertible, param []byte) { t.BitOr(key, param) }

// BitXor stores value XOR param, in param's length.
func (t Transaction) BitXor(key KeyConvertible, param []byte) {
	t.writing().BitXor(keyBytes(key), param)
}

// Xor is BitXor.
//
// Deprecated: use BitXor.
func (t Transaction) Xor(key KeyConvertible, param []byte) { t.BitXor(key, param) }

// AppendIfFits appends param to the value, unless the result would be longer
// than a value may be.
func (t Transaction) AppendIfFits(key KeyConvertible, param []byte) {
	t.writing().AppendIfFits(keyBytes(key), param)
}

// Max stores the greater of value and param as little-endian unsigned integers,
// in param's length.
func (t Transaction) Max(key KeyConvertible, param []byte) { t.writing().Max(keyBytes(key), param) }

// Min stores the lesser of value and param as little-endian unsigned integers,
// in param's length; an absent key gets param (under API versions below 510 it
// counts as zero).
func (t Transaction) Min(key KeyConvertible, param []byte) {
	t.padAbsent(key, param)
	t.current().Min(keyBytes(key), param)
}

// ByteMin stores whichever of value and param sorts first.
func (t Transaction) ByteMin(key KeyConvertible, param []byte) {
	t.writing().ByteMin(keyBytes(key), param)
}

// ByteMax stores whichever of value and param sorts last.
func (t Transaction) ByteMax(key KeyConvertible, param []byte) {
	t.writing().ByteMax(keyBytes(key), param)
}

// CompareAndClear removes key if its value equals param.
func (t Transaction) CompareAndClear(key KeyConvertible, param []byte) {
	t.writing().CompareAndClear(keyBytes(key), param)
}

// padAbsent makes an absent key as many zeros as param has bytes, under the API
// versions whose And and Min treat it so. A value that is there gets param's
// length, as the operation itself would make it.
func (t *transaction) padAbsent(key KeyConvertible, param []byte) {
	if t.version >= versionAbsentOperand {
		return
	}
	t.mu.Lock()
	without := t.mu.withoutConflict
	t.mu.withoutConflict = false
	t.mu.Unlock()
	t.current().BitOr(keyBytes(key), make([]byte, len(param)))
	if without { // it takes two writes to make one
		t.current().NextWriteWithoutConflict()
	}
}

// writing returns the transaction of kv for a write that padAbsent has no part
// in.
func (t *transaction) writing() *kv.Transaction {
	if t.version < versionAbsentOperand {
		t.mu.Lock()
		t.mu.withoutConflict = false
		t.mu.Unlock()
	}
	return t.current()
}

// SetVersionstampedKey sets a key into which the commit puts its stamp of ten
// bytes. The last four bytes of key are no part of it: they give the place of
// the stamp, little-endian (two bytes under API versions below 520).
func (t Transaction) SetVersionstampedKey(key KeyConvertible, param []byte) {
	k := keyBytes(key)
	if t.version < versionStampOffset {
		k = append(bytes.Clone(k), 0, 0) // four bytes of place out of two
	}
	t.writing().SetVersionstampedKey(k, param)
}

// SetVersionstampedValue sets a value into which the commit puts its stamp of
// ten bytes. The last four bytes of param are no part of it: they give the place
// of the stamp, little-endian (under API versions below 520 there is no place:
// the stamp is at the beginning).
func (t Transaction) SetVersionstampedValue(key KeyConvertible, param []byte) {
	if t.version < versionStampOffset {
		param = append(bytes.Clone(param), 0, 0, 0, 0)
	}
	t.writing().SetVersionstampedValue(keyBytes(key), param)
}

// AddReadConflictRange makes the commit fail if anybody writes in the range
// before it, as if the range had been read. An inverted range is error 2005.
func (t Transaction) AddReadConflictRange(er ExactRange) error {
	r, err := conflictRange(er)
	if err == nil {
		t.current().AddReadConflictRange(r)
	}
	return err
}

// AddReadConflictKey is AddReadConflictRange for one key.
func (t Transaction) AddReadConflictKey(key KeyConvertible) error {
	k := keyBytes(key)
	if len(k) > kv.MaxKeyBytes {
		return t.AddReadConflictRange(KeyRange{Key(k), Key(k)})
	}
	t.current().AddReadConflictKey(k)
	return nil
}

// AddWriteConflictRange makes transactions fail that have read in the range and
// commit later, as if the range had been written. An inverted range is error
// 2005.
func (t Transaction) AddWriteConflictRange(er ExactRange) error {
	r, err := conflictRange(er)
	if err == nil {
		t.current().AddWriteConflictRange(r)
	}
	return err
}

// AddWriteConflictKey is AddWriteConflictRange for one key.
func (t Transaction) AddWriteConflictKey(key KeyConvertible) error {
	k := keyBytes(key)
	if len(k) > kv.MaxKeyBytes {
		return t.AddWriteConflictRange(KeyRange{Key(k), Key(k)})
	}
	t.current().AddWriteConflictKey(k)
	return nil
}

func conflictRange(er ExactRange) (kv.KeyRange, error) {
	r := kvRange(er)
	if bytes.Compare(r.Begin, r.End) > 0 {
		return r, errInvertedRange
	}
	return cut(r), nil
}
