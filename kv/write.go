package kv

import (
	"bytes"

	"github.com/plinthdb/plinth/internal/wire"
)

// Set gives key a value. Both are copied.
func (tx *Transaction) Set(key, value []byte) {
	if isSpecial(key) {
		tx.current.Load().writeSpecial(wire.SingleKey(key), append([]byte{}, value...))
		return
	}
	tx.current.Load().mutateKey(wire.SetValue, key, value)
}

// Clear removes key, if it is there.
func (tx *Transaction) Clear(key []byte) {
	if isSpecial(key) {
		tx.current.Load().writeSpecial(wire.SingleKey(key), nil)
		return
	}
	tx.current.Load().clearKey(key)
}

// ClearRange removes all keys of r, at the cost of one write.
func (tx *Transaction) ClearRange(r KeyRange) {
	if isSpecial(r.Begin) && string(r.Begin) < string(r.End) && string(r.End) <= specialEnd {
		tx.current.Load().writeSpecial(cloneRange(r), nil)
		return
	}
	tx.current.Load().clearRange(r, true)
}

// SetVersionstampedKey sets a key that holds the stamp of the commit. The last
// four bytes of key are not part of it: they say, as a little-endian integer,
// at which byte of the rest the ten bytes of the stamp go. Until the commit
// the keys that this may become cannot be read: ErrAccessedUnreadable.
func (tx *Transaction) SetVersionstampedKey(key, value []byte) {
	tx.Atomic(MutationSetVersionstampedKey, key, value)
}

// SetVersionstampedValue gives key a value that holds the stamp of the commit.
// The last four bytes of value are not part of it: they say, as a
// little-endian integer, at which byte of the rest the ten bytes of the stamp
// go. Until the commit the key cannot be read: ErrAccessedUnreadable.
func (tx *Transaction) SetVersionstampedValue(key, value []byte) {
	tx.Atomic(MutationSetVersionstampedValue, key, value)
}

// Atomic applies the operation op to the value of key at the time of the
// commit. It reads nothing, so it never conflicts: use it for what many
// transactions change at once. The named methods, Add and so on, are easier to
// read. A type that is none of the operations gives ErrInvalidMutationType.
func (tx *Transaction) Atomic(op MutationType, key, operand []byte) {
	a := tx.current.Load()
	switch {
	case op.IsAtomic():
		a.mutateKey(op, key, operand)
	case op == wire.SetVersionstampedKey:
		a.setStampedKey(key, operand)
	case op == wire.SetVersionstampedValue:
		a.setStampedValue(key, operand)
	default:
		a.refuse(wire.ErrInvalidMutationType.With("mutation type %d is not an atomic operation", op))
	}
}

// AddReadConflictRange makes the commit fail if somebody writes to r between
// the read version and the commit, as if r had been read.
func (tx *Transaction) AddReadConflictRange(r KeyRange) { tx.current.Load().addConflict(r, false) }

// AddReadConflictKey is AddReadConflictRange on one key.
func (tx *Transaction) AddReadConflictKey(key []byte) {
	tx.AddReadConflictRange(wire.SingleKey(key))
}

// AddWriteConflictRange makes concurrent transactions that read in r fail, as
// if r had been written.
func (tx *Transaction) AddWriteConflictRange(r KeyRange) { tx.current.Load().addConflict(r, true) }

// AddWriteConflictKey is AddWriteConflictRange on one key.
func (tx *Transaction) AddWriteConflictKey(key []byte) {
	tx.AddWriteConflictRange(wire.SingleKey(key))
}

// NextWriteWithoutConflict lets the next write of the transaction add no write
// conflict: transactions that read what it changes are not told. It is for
// writes whose readers protect themselves otherwise, as allocators do;
// FoundationDB's name is next_write_no_write_conflict_range. It concerns one
// Set, Clear, ClearRange or atomic operation of this try of the transaction.
func (tx *Transaction) NextWriteWithoutConflict() {
	a := tx.current.Load()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mu.nextWithoutConflict = true
}

// mutateKey adds a mutation of one key.
func (a *attempt) mutateKey(typ wire.MutationType, key, param []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.acceptLocked(a.checkWriteKeyLocked(key), checkValue(key, param)) {
		return
	}
	a.addMutationLocked(wire.Mutation{Type: typ, Param1: key, Param2: param})
	a.addKeyConflictLocked(key)
	a.checkSizeLocked()
}

// clearKey adds the clear of one key.
func (a *attempt) clearKey(key []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.acceptLocked(a.checkWriteKeyLocked(key)) {
		return
	}
	r := a.mu.arena.singleKey(key)
	a.addMutationLocked(wire.Mutation{Type: wire.ClearRange, Param1: r.Begin, Param2: r.End})
	if a.conflictsLocked() {
		a.addWriteConflictLocked(r)
	}
	a.checkSizeLocked()
}

// clearRange adds the clear of a range, which may conflict or not.
func (a *attempt) clearRange(r wire.KeyRange, mayConflict bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	conflicts := mayConflict && a.conflictsLocked() // an empty range counts as a write here
	if !a.acceptLocked(checkWriteRange(r, a.mu.options.writeEnd())) || r.Empty() {
		return
	}
	r = a.mu.arena.keyRange(r)
	a.addMutationLocked(wire.Mutation{Type: wire.ClearRange, Param1: r.Begin, Param2: r.End})
	if conflicts {
		a.addWriteConflictLocked(r)
	}
	a.checkSizeLocked()
}

// setStampedKey adds a SetVersionstampedKey. Its conflict range depends on the
// read version, so it is made at the commit.
func (a *attempt) setStampedKey(param, value []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	content, _, ok := wire.SplitStampOffset(param)
	if !ok {
		a.refuseLocked(stampError("key", param))
		return
	}
	if !a.acceptLocked(checkReadKey(content, wire.SystemPrefix), checkValue(content, value)) {
		return
	}
	param = a.mu.arena.clone(param)
	a.addMutationLocked(wire.Mutation{Type: wire.SetVersionstampedKey, Param1: param, Param2: value})
	a.mu.stamped = true
	if a.conflictsLocked() {
		a.mu.stampedKeys = append(a.mu.stampedKeys, param)
		a.mu.conflictBytes += 2*len(content) + 1
	}
	a.checkSizeLocked()
}

// setStampedValue adds a SetVersionstampedValue.
func (a *attempt) setStampedValue(key, param []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	content, _, ok := wire.SplitStampOffset(param)
	if !ok {
		a.refuseLocked(stampError("value", param))
		return
	}
	if !a.acceptLocked(a.checkStampedKeyLocked(key, param), checkValue(key, content)) {
		return
	}
	a.addMutationLocked(wire.Mutation{Type: wire.SetVersionstampedValue, Param1: key, Param2: param})
	a.mu.stamped = true
	a.addKeyConflictLocked(key)
	a.checkSizeLocked()
}

// addConflict adds a conflict range that the user asked for.
func (a *attempt) addConflict(r wire.KeyRange, write bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	end := a.mu.options.readEnd()
	if write {
		end = a.mu.options.writeEnd()
	} else if r.IsSingleKey() && string(r.Begin) == wire.MetadataVersionKey {
		end = wire.MaxKey
	}
	if !a.acceptLocked(checkWriteRange(r, end)) || r.Empty() {
		return
	}
	r = a.mu.arena.keyRange(r)
	if write {
		a.addWriteConflictLocked(r)
	} else {
		a.addReadConflictLocked(r)
	}
	a.checkSizeLocked()
}

// conflictsLocked reports whether the write that is under way is to add a write
// conflict. It is asked once for each write.
func (a *attempt) conflictsLocked() bool {
	without := a.mu.nextWithoutConflict
	a.mu.nextWithoutConflict = false
	return !without
}

// addKeyConflictLocked adds a write conflict on key if the write that is under
// way is to add one, and unless the last one is the same.
func (a *attempt) addKeyConflictLocked(key []byte) {
	if !a.conflictsLocked() {
		return
	}
	if n := len(a.mu.writeConflicts); n > 0 && a.mu.writeConflicts[n-1].Contains(key) {
		return
	}
	a.addWriteConflictLocked(a.mu.arena.singleKey(key))
}

// firstMutationBytes is the first capacity of a mutation list.
const firstMutationBytes = 256

// addMutationLocked encodes m at the end of the list that the log will hold.
func (a *attempt) addMutationLocked(m wire.Mutation) {
	if a.mu.mutations == nil {
		a.mu.mutations = make([]byte, 0, max(firstMutationBytes, 2*(len(m.Param1)+len(m.Param2))))
	}
	a.mu.mutations = wire.AppendMutation(a.mu.mutations, m)
	if string(m.Param1) >= wire.SystemPrefix || m.Type == wire.ClearRange && string(m.Param2) > wire.SystemPrefix {
		a.mu.system = true
	}
}

// acceptLocked reports whether a write with these checks can be added. The
// first check that failed is remembered.
func (a *attempt) acceptLocked(checks ...error) bool {
	if a.usableLocked() != nil {
		return false
	}
	for _, err := range checks {
		if err != nil {
			a.invalidateLocked(err)
			return false
		}
	}
	return true
}

// refuse remembers err as an invalid operation.
func (a *attempt) refuse(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refuseLocked(err)
}

func (a *attempt) refuseLocked(err error) { a.acceptLocked(err) }

// sizeLocked returns what counts against the size limit.
func (a *attempt) sizeLocked() int { return len(a.mu.mutations) + a.mu.conflictBytes }

func (a *attempt) checkSizeLocked() {
	if size, limit := a.sizeLocked(), a.mu.options.sizeLimitBytes; size > limit {
		a.invalidateLocked(wire.ErrTransactionTooLarge.With(
			"transaction of %d bytes exceeds the limit of %d; split it into smaller ones", size, limit))
	}
}

// checkWriteKeyLocked returns why key cannot be written.
func (a *attempt) checkWriteKeyLocked(key []byte) error {
	if string(key) == wire.MetadataVersionKey {
		return metadataVersionError()
	}
	return checkReadKey(key, a.mu.options.writeEnd())
}

// checkStampedKeyLocked returns why key cannot be given a versionstamped value
// with the parameter param. The metadata version is everybody's to renew.
func (a *attempt) checkStampedKeyLocked(key, param []byte) error {
	if string(key) != wire.MetadataVersionKey {
		return checkReadKey(key, a.mu.options.writeEnd())
	}
	if string(param) != metadataVersionParam {
		return metadataVersionError()
	}
	return nil
}

// metadataVersionParam is the only parameter that the metadata version is
// written with: room for the stamp, and its place.
const metadataVersionParam = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

func metadataVersionError() error {
	return wire.ErrClientInvalidOperation.With("the metadata version is only written with SetVersionstampedValue and fourteen zero bytes")
}

// checkWriteRange returns why r, which must lie below end, cannot be written.
func checkWriteRange(r wire.KeyRange, end string) error {
	for _, key := range [2][]byte{r.Begin, r.End} {
		if len(key) > MaxKeyBytes+1 {
			return wire.ErrKeyTooLarge.With("range bound %s is longer than the limit of %d bytes", printable(key), MaxKeyBytes)
		}
	}
	if bytes.Compare(r.Begin, r.End) > 0 {
		return invertedError(r)
	}
	return checkBoundKey(r.End, end)
}

func invertedError(r wire.KeyRange) error {
	return wire.ErrInvertedRange.With("range begins at %s, after its end %s", printable(r.Begin), printable(r.End))
}

// checkValue returns why value cannot be key's.
func checkValue(key, value []byte) error {
	if len(value) > MaxValueBytes {
		return wire.ErrValueTooLarge.With("value of %d bytes for key %s exceeds the limit of %d",
			len(value), printable(key), MaxValueBytes)
	}
	return nil
}

func stampError(what string, param []byte) error {
	return wire.ErrClientInvalidOperation.With(
		"versionstamped %s %s: its last four bytes must give a place at which the %d bytes of the stamp fit into the rest",
		what, printable(param), wire.StampBytes)
}
