package kv

import (
	"bytes"
	"context"

	"github.com/plinthdb/plinth/internal/wire"
)

// LockID names who has locked a database: draw it at random.
type LockID [16]byte

// LockDatabase locks the database: until UnlockDatabase with the same id, only
// transactions WithLockAware can commit writes, and only they and those
// WithReadLockAware get a read version from the store. Others get
// ErrDatabaseLocked, which Transact takes for a reason to try again: it waits for
// the end of the lock, its context or its time-out. A transaction that needs to
// ask for no version, since it has one from before the lock, was given one by
// SetReadVersion or takes one WithCachedReadVersion, still reads; it cannot
// commit writes. The lock is a key (DatabaseLockedKey) and outlives the process.
//
// Locking again with the same id does nothing. If somebody else has locked the
// database the error is ErrDatabaseLocked.
func LockDatabase(ctx context.Context, db *Database, id LockID) error {
	return changeLock(ctx, db, id, func(tx *Transaction, locked bool) {
		if locked {
			return
		}
		tx.SetVersionstampedValue([]byte(DatabaseLockedKey), lockParam(id))
	})
}

// UnlockDatabase takes the lock with this id away. It does nothing if the
// database is not locked. If somebody else has locked it the error is
// ErrDatabaseLocked.
func UnlockDatabase(ctx context.Context, db *Database, id LockID) error {
	return changeLock(ctx, db, id, func(tx *Transaction, locked bool) {
		if locked {
			tx.Clear([]byte(DatabaseLockedKey))
		}
	})
}

// changeLock runs change, which is told whether id holds the lock, unless
// somebody else does.
func changeLock(ctx context.Context, db *Database, id LockID, change func(tx *Transaction, locked bool)) error {
	refused, err := Transact(ctx, db, func(tx *Transaction) (error, error) {
		holder, locked, err := lockHolder(tx)
		switch {
		case err != nil:
			return nil, err
		case locked && !bytes.Equal(holder, id[:]):
			return wire.ErrDatabaseLocked.With("database is locked by %x, not by %x", holder, id), nil
		}
		change(tx, locked)
		return nil, nil
	}, WithSystemKeys(true), WithLockAware(true))
	if err != nil {
		return err
	}
	return refused
}

// lockParam is the versionstamped value of the lock's key.
func lockParam(id LockID) []byte {
	param := make([]byte, wire.StampBytes, wire.StampBytes+len(id)+4)
	return append(append(param, id[:]...), 0, 0, 0, 0)
}

// lockHolder returns the id of the lock, if there is one.
func lockHolder(r Reader) (id []byte, locked bool, err error) {
	value, err := r.Get([]byte(DatabaseLockedKey)).Wait()
	if err != nil || value == nil {
		return nil, false, err
	}
	return value[min(wire.StampBytes, len(value)):], true, nil
}
