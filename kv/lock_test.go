package kv_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plinthdb/plinth/kv"
)

var lockA, lockB = kv.LockID{1, 2, 3}, kv.LockID{4, 5, 6}

// A lock keeps out who is not aware of it and asks for a version or commits,
// until the same id takes it away.
func TestALockedDatabaseKeepsOthersOut(t *testing.T) {
	db, _ := open(t)
	before := db.Begin(background)
	defer before.Cancel()
	before.Set([]byte("k"), []byte("before"))
	if err := kv.LockDatabase(background, db, lockA); err != nil {
		t.Fatal(err)
	}
	mustBe(t, before.Commit(), kv.ErrDatabaseLocked)
	_, err := db.Begin(background).ReadVersion()
	mustBe(t, err, kv.ErrDatabaseLocked)
	for name, err := range map[string]error{
		"again":           kv.LockDatabase(background, db, lockA),
		"aware":           setWith(db, kv.WithLockAware(true)),
		"aware, then not": setWith(db, kv.WithLockAware(true), kv.WithReadLockAware(true)),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	mustBe(t, kv.LockDatabase(background, db, lockB), kv.ErrDatabaseLocked)
	mustBe(t, kv.UnlockDatabase(background, db, lockB), kv.ErrDatabaseLocked)
	mustBe(t, setWith(db, kv.WithReadLockAware(true)), kv.ErrTransactionReadOnly)
	reader := db.Begin(background, kv.WithReadLockAware(true))
	defer reader.Cancel()
	if value := must(reader.Get([]byte("k")).Wait())(t); string(value) != "v" {
		t.Errorf("value %q", value)
	}
	if err := reader.Commit(); err != nil {
		t.Errorf("commit without writes: %v", err)
	}
	for range 2 {
		if err := kv.UnlockDatabase(background, db, lockA); err != nil {
			t.Fatal(err)
		}
	}
	if err := setWith(db); err != nil {
		t.Errorf("after the lock: %v", err)
	}
}

// setWith sets k to v in one try of a transaction with options.
func setWith(db *kv.Database, options ...kv.TransactionOption) error {
	tx := db.Begin(background, options...)
	defer tx.Cancel()
	tx.Set([]byte("k"), []byte("v"))
	return tx.Commit()
}

// A lock keeps nobody from reading at a version that he need not ask for, but
// from committing (K13).
func TestALockKeepsKnownVersionsFromCommittingOnly(t *testing.T) {
	synctest.Test(t, readsUnderALock)
}

func readsUnderALock(t *testing.T) {
	db, _ := open(t)
	set(t, db, "k", "v")
	known := must(db.Begin(background).ReadVersion())(t)
	if err := kv.LockDatabase(background, db, lockA); err != nil {
		t.Fatal(err)
	}
	begin := map[string]func() *kv.Transaction{
		"set": func() *kv.Transaction {
			tx := db.Begin(background)
			tx.SetReadVersion(known)
			return tx
		},
		"cached": func() *kv.Transaction { return db.Begin(background, kv.WithCachedReadVersion(4*time.Second)) },
	}
	for name, begin := range begin {
		tx := begin()
		if value, err := tx.Get([]byte("k")).Wait(); err != nil || string(value) != "v" {
			t.Errorf("%s: value %q, error %v", name, value, err)
		}
		tx.Set([]byte("k"), []byte("changed"))
		mustBe(t, tx.Commit(), kv.ErrDatabaseLocked)
		tx.Cancel()
		reader := begin()
		must(reader.Get([]byte("k")).Wait())(t)
		if err := reader.Commit(); err != nil {
			t.Errorf("%s, commit without writes: %v", name, err)
		}
		reader.Cancel()
	}
}

// Transact takes a lock for a reason to try again.
func TestTransactWaitsForTheEndOfALock(t *testing.T) {
	db, store := open(t)
	if err := kv.LockDatabase(background, db, lockA); err != nil {
		t.Fatal(err)
	}
	tries := 0
	store.Hook = hookOn("ReadVersion", func(context.Context) error {
		tries++
		return nil
	})
	ctx, cancel := context.WithCancelCause(background)
	_, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (int, error) {
		_, err := tx.Get([]byte("k")).Wait()
		if !errors.Is(err, kv.ErrDatabaseLocked) {
			t.Errorf("a locked database was read: %v", err)
		}
		if tries == 3 {
			cancel(errors.New("enough"))
		}
		return 0, err
	}, kv.WithMaxRetryDelay(time.Microsecond))
	mustBe(t, err, kv.ErrTransactionCancelled)
	if tries != 3 {
		t.Errorf("%d tries", tries)
	}
}
