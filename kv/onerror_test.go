package kv_test

import (
	"context"
	"errors"
	"testing"

	"github.com/plinthdb/plinth/kv"
)

// TestOnErrorTreatsEveryNumberAsFoundationDB goes over all numbers, also those
// that no store of Plinth returns: a program may pass what it likes.
func TestOnErrorTreatsEveryNumberAsFoundationDB(t *testing.T) {
	db, _ := open(t)
	retryable := map[int]bool{
		1007: true, 1009: true, 1020: true, 1021: true, 1037: true, 1038: true, 1039: true, 1042: true, 1051: true,
		1078: true, 1079: true, 1213: true, 1223: true, 1235: true, 1242: true, 9005: true, 9006: true,
	}
	for code := 1; code < 10_000; code++ {
		tx := db.Begin(background, kv.WithMaxRetryDelay(0))
		tx.Set([]byte("k"), nil)
		given := &kv.Error{Code: code}
		err := tx.OnError(given)
		switch hasWrites := tx.ApproximateSize() > 0; {
		case retryable[code] && (err != nil || hasWrites):
			t.Errorf("%d: %v, writes are left: %v", code, err, hasWrites)
		case !retryable[code] && (!errors.Is(err, given) || !hasWrites):
			t.Errorf("%d: %v, writes are left: %v", code, err, hasWrites)
		}
		tx.Cancel()
	}
}

func TestOnErrorWithoutAnErrorIsRefused(t *testing.T) {
	db, _ := open(t)
	tx := db.Begin(background)
	defer tx.Cancel()
	tx.Set([]byte("k"), nil)
	for _, none := range []error{nil, &kv.Error{}} {
		mustBe(t, tx.OnError(none), kv.ErrClientInvalidOperation)
	}
	mustBe(t, tx.OnError(context.Canceled), context.Canceled)
	if err := tx.Commit(); err != nil {
		t.Errorf("the transaction is not what it was: %v", err)
	}
}
