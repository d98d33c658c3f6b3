package kv_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/plinthdb/plinth/kv"
)

// lockSpecialKey shows and sets the lock of the database.
var lockSpecialKey = []byte(special + "/management/db_locked")

// What the special key of the lock switches on lasts as long as the attempt,
// whatever SetOptions says; the next attempt begins without it (K13).
func TestSetOptionsTakesNothingFromWhoUsesTheLockAsASpecialKey(t *testing.T) {
	set := func(tx *kv.Transaction) { tx.Set([]byte("k"), []byte("v")) }
	look := func(tx *kv.Transaction) { must(tx.Get(lockSpecialKey).Wait())(t) }
	for name, c := range map[string]struct {
		locked        bool
		before, after func(tx *kv.Transaction)
	}{
		"lock":               {false, func(tx *kv.Transaction) { tx.Set(lockSpecialKey, []byte(hex.EncodeToString(lockA[:]))) }, func(*kv.Transaction) {}},
		"unlock":             {true, func(tx *kv.Transaction) { tx.Clear(lockSpecialKey) }, func(*kv.Transaction) {}},
		"unlock, system key": {true, func(tx *kv.Transaction) { tx.Clear(lockSpecialKey) }, func(tx *kv.Transaction) { tx.Set([]byte("\xff/k"), nil) }},
		"unlock, write":      {true, func(tx *kv.Transaction) { tx.Clear(lockSpecialKey) }, set},
		"read and write":     {true, look, set},
	} {
		for _, option := range []kv.TransactionOption{kv.WithTimeout(time.Hour), kv.WithLockAware(false), kv.WithReadLockAware(true)} {
			db, _ := open(t)
			if c.locked {
				if err := kv.LockDatabase(background, db, lockA); err != nil {
					t.Fatal(err)
				}
			}
			tx := db.Begin(background, kv.WithSpecialKeyWrites(true))
			c.before(tx)
			tx.SetOptions(option)
			c.after(tx)
			if err := tx.Commit(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			tx.Cancel()
		}
	}
	db, _ := open(t)
	if err := kv.LockDatabase(background, db, lockA); err != nil {
		t.Fatal(err)
	}
	tx := db.Begin(background)
	defer tx.Cancel()
	look(tx)
	tx.SetOptions(kv.WithTimeout(time.Hour))
	tx.Reset()
	set(tx)
	mustBe(t, tx.Commit(), kv.ErrDatabaseLocked)
}

// As in FoundationDB, who reads the special key of the lock may write although
// the database is locked, unless he said that he only reads (K13).
func TestWhoReadsTheSpecialKeyOfTheLockIsAwareOfIt(t *testing.T) {
	db, _ := open(t)
	if err := kv.LockDatabase(background, db, lockA); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		look   bool
		option kv.TransactionOption
		want   error
	}{
		"who does not look": {false, kv.WithLockAware(false), kv.ErrDatabaseLocked},
		"who looks":         {true, kv.WithLockAware(false), nil},
		"who only reads":    {true, kv.WithReadLockAware(true), kv.ErrTransactionReadOnly},
	} {
		tx := db.Begin(background, c.option)
		if c.look {
			if id := must(tx.Get(lockSpecialKey).Wait())(t); string(id) != hex.EncodeToString(lockA[:]) {
				t.Errorf("%s: locked by %q", name, id)
			}
		}
		tx.Set([]byte("k"), []byte("v"))
		if err := tx.Commit(); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		tx.Cancel()
	}
}

// Who cannot have the lock is told so, and is not made to wait for its end.
func TestALockThatSomebodyElseHoldsIsAFailureOfTheSpecialKey(t *testing.T) {
	db, _ := open(t)
	if err := kv.LockDatabase(background, db, lockA); err != nil {
		t.Fatal(err)
	}
	tries, message := 0, []byte(nil)
	_, err := kv.Transact(background, db, func(tx *kv.Transaction) (struct{}, error) {
		tries++
		tx.Set(lockSpecialKey, []byte(hex.EncodeToString(lockB[:])))
		err := tx.Commit()
		message = must(tx.Get([]byte(special + "/error_message")).Wait())(t)
		return struct{}{}, err
	}, kv.WithSpecialKeyWrites(true), kv.WithRetryLimit(3))
	mustBe(t, err, kv.ErrSpecialAPIFailure)
	if tries != 1 {
		t.Errorf("%d tries", tries)
	}
	var failure struct {
		Retriable        bool
		Command, Message string
	}
	if err := json.Unmarshal(message, &failure); err != nil {
		t.Fatal(err)
	}
	holder := hex.EncodeToString(lockA[:])
	if failure.Command != "lock" || failure.Retriable || !strings.Contains(failure.Message, "locked by "+holder) {
		t.Errorf("message %+v", failure)
	}
	mustBe(t, setWith(db), kv.ErrDatabaseLocked)
}
