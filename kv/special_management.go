package kv

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/plinthdb/plinth/internal/wire"
)

const (
	managementPrefix = specialBegin + "/management/"
	// lockedKey shows the lock of the database, and sets it.
	lockedKey = managementPrefix + "db_locked"
)

// lockWrite is what a transaction is to do to the lock of the database when it
// commits.
type lockWrite struct {
	text    []byte // the id in hex; nil: unlock
	failure []byte // what was wrong with it, in JSON
}

// readManagement shows the lock. Nothing else of FoundationDB's management
// module is there: no servers to exclude, no data to distribute, no
// coordinators, no maintenance.
func (a *attempt) readManagement(r KeyRange) ([]KeyValue, error) {
	if !r.Contains([]byte(lockedKey)) {
		return nil, managementError(wire.ErrSpecialNoModule, r)
	}
	a.mu.Lock()
	pending, noOwn := a.mu.lockWrite, a.mu.options.noReadYourWrites
	a.mu.Unlock()
	row := []KeyValue{{Key: []byte(lockedKey)}}
	if pending != nil && !noOwn {
		if pending.text == nil {
			return nil, nil
		}
		row[0].Value = bytes.Clone(pending.text)
		return row, nil
	}
	id, locked, err := a.readLock()
	if err != nil || !locked {
		return nil, err
	}
	row[0].Value = hex.AppendEncode([]byte{}, id)
	return row, nil
}

func managementError(e *wire.Error, r KeyRange) error {
	return e.With("nothing to manage at %s: this store has db_locked alone, for it is one process with one server", printable(r.Begin))
}

// readLock reads the id of the lock as it is at the read version; the read
// conflicts with changes of it. As in FoundationDB, it makes the transaction
// aware of locks: nobody else could look.
func (a *attempt) readLock() (id []byte, locked bool, err error) {
	a.mu.Lock()
	if !a.mu.options.lockAware {
		a.mu.bySpecial.lockAware = true
		a.widenOptionsLocked()
	}
	a.mu.Unlock()
	value, err := a.getBelow([]byte(DatabaseLockedKey), false, wire.MaxKey).wait()
	if err != nil || value == nil {
		return nil, false, err
	}
	return value[min(wire.StampBytes, len(value)):], true, nil
}

// writeManagementLocked notes what is to happen to the lock. As in
// FoundationDB, that makes the transaction aware of locks.
func (a *attempt) writeManagementLocked(r KeyRange, value []byte) error {
	if !r.Contains([]byte(lockedKey)) {
		return managementError(wire.ErrSpecialNoWriteModule, r)
	}
	a.mu.lockWrite = &lockWrite{text: bytes.Clone(value)}
	a.mu.bySpecial.lockAware, a.mu.bySpecial.systemKeys = true, true
	a.widenOptionsLocked()
	return nil
}

// widenOptionsLocked adds what special keys have switched on to the options.
func (a *attempt) widenOptionsLocked() {
	o := &a.mu.options
	if a.mu.bySpecial.lockAware {
		o.lockAware, o.readOnly = true, false
	}
	if a.mu.bySpecial.systemKeys {
		o.readSystemKeys, o.writeSystemKeys = true, true
	}
}

// commitSpecial turns what was written to special keys into what commits. It
// returns ErrSpecialAPIFailure, with an error message to be read, for an id that
// is none and if another one holds the lock: ErrDatabaseLocked, which
// FoundationDB's own client has for the latter against its documentation, would
// make a loop wait for the end of that lock.
func (a *attempt) commitSpecial() error {
	a.mu.Lock()
	write := a.mu.lockWrite
	a.mu.Unlock()
	if write == nil {
		return nil
	}
	var id LockID
	if write.text != nil {
		n, err := hex.Decode(id[:], write.text[:min(len(write.text), 2*len(id))])
		if err != nil || n != len(id) || len(write.text) != 2*len(id) {
			return a.failSpecial("lock", "the id of a lock is 32 hex digits, not "+printable(write.text))
		}
	}
	holder, locked, err := a.readLock()
	switch {
	case err != nil:
		return err
	case write.text == nil && locked:
		a.clearKey([]byte(DatabaseLockedKey))
	case write.text != nil && !locked:
		a.setStampedValue([]byte(DatabaseLockedKey), lockParam(id))
	case write.text != nil && !bytes.Equal(holder, id[:]):
		return a.failSpecial("lock", fmt.Sprintf("database is locked by %x, not by %x", holder, id))
	}
	return nil
}

// failSpecial leaves an error message in FoundationDB's form.
func (a *attempt) failSpecial(command, message string) error {
	text, err := json.Marshal(map[string]any{"retriable": false, "command": command, "message": message})
	if err != nil {
		return wire.ErrInternal.Because(err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mu.lockWrite.failure = text
	return wire.ErrSpecialAPIFailure.With("%s", message)
}
