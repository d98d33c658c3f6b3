package kv_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
)

// asked is a model that notes the priorities of the read versions asked for.
type asked struct {
	*model.Store
	priorities []kv.Priority
	tags       [][]string
}

func (a *asked) ReadVersion(ctx context.Context, r wire.ReadVersionRequest) (wire.ReadVersionReply, error) {
	a.priorities = append(a.priorities, r.Priority)
	a.tags = append(a.tags, r.Tags)
	return a.Store.ReadVersion(ctx, r)
}

func TestThePriorityGoesWithEveryTry(t *testing.T) {
	backend := &asked{Store: model.New()}
	db := kv.NewDatabase(backend, kv.WithTransactionDefaults(kv.WithPriority(kv.PriorityBatch)))
	defer db.Close()
	read := func(options ...kv.TransactionOption) {
		t.Helper()
		tries := 0
		must(kv.ReadTransact(background, db, func(r kv.Reader) (int, error) {
			_, err := r.ReadVersion()
			if tries++; err == nil && tries < 2 {
				err = kv.ErrTransactionTooOld
			}
			return 0, err
		}, append(options, kv.WithMaxRetryDelay(0))...))(t)
	}
	read()
	read(kv.WithPriority(kv.PriorityDefault))
	read(kv.WithPriority(kv.PriorityImmediate))
	want := []kv.Priority{
		kv.PriorityBatch, kv.PriorityBatch, kv.PriorityDefault, kv.PriorityDefault, kv.PriorityImmediate, kv.PriorityImmediate,
	}
	if !slices.Equal(backend.priorities, want) {
		t.Errorf("read versions were asked for with the priorities %v, want %v", backend.priorities, want)
	}
}

// Nothing is sent for a transaction whose options make no sense, whichever way
// they were given.
func TestOptionsOutOfRangeFailTheTransaction(t *testing.T) {
	for name, option := range map[string]kv.TransactionOption{
		"negative time-out":    kv.WithTimeout(-time.Second),
		"negative retry delay": kv.WithMaxRetryDelay(-time.Second),
		"size limit too small": kv.WithSizeLimit(31),
		"size limit too large": kv.WithSizeLimit(kv.MaxTransactionBytes + 1),
		"unknown priority":     kv.WithPriority(kv.PriorityImmediate + 1),
	} {
		db, store := open(t)
		_, err := kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
			t.Errorf("%s: the function ran", name)
			return 0, nil
		}, option)
		if !errors.Is(err, kv.ErrInvalidOptionValue) {
			t.Errorf("%s: %v", name, err)
		}
		tx := db.Begin(background)
		tx.Set([]byte("a"), nil)
		tx.SetOptions(option)
		if err := tx.Commit(); !errors.Is(err, kv.ErrInvalidOptionValue) {
			t.Errorf("%s, set late: %v", name, err)
		}
		tx.Cancel()
		db, _ = open(t, kv.WithTransactionDefaults(option))
		if _, err := db.Begin(background).ReadVersion(); !errors.Is(err, kv.ErrInvalidOptionValue) {
			t.Errorf("%s, as a default: %v", name, err)
		}
		if n := store.Calls("ReadVersion") + store.Calls("Commit"); n != 0 {
			t.Errorf("%s: %d calls", name, n)
		}
	}
}

// Two transactions with one id would be told of one commit, so the second
// write would be lost.
func TestAnIdempotencyIDCannotBeADefault(t *testing.T) {
	id := kv.WithIdempotencyID([]byte("an id for all of them"))
	for name, options := range map[string][]kv.TransactionOption{
		"alone":            {id},
		"before the other": {id, kv.WithExactlyOnce(true)},
	} {
		db, store := open(t, kv.WithTransactionDefaults(options...))
		if err := setWith(db); !errors.Is(err, kv.ErrInvalidOptionValue) {
			t.Errorf("%s: %v", name, err)
		}
		if n := store.Calls("Commit"); n != 0 {
			t.Errorf("%s: %d commits", name, n)
		}
	}
	db, _ := open(t, kv.WithTransactionDefaults(kv.WithExactlyOnce(true), kv.WithDebugID("all")))
	if err := setWith(db, id); err != nil {
		t.Errorf("an id of the transaction's own: %v", err)
	}
}

// A version that is at hand does not let a transaction start past the store,
// which may have to hold it back.
func TestATransactionThatGivesWayTakesNoCachedReadVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := &asked{Store: model.New()}
		db := kv.NewDatabase(backend, kv.WithTransactionDefaults(kv.WithCachedReadVersion(time.Second)))
		defer db.Close()
		expectStarts(t, db, backend, func(tx *kv.Transaction) error {
			_, err := tx.ReadVersion()
			return err
		})
	})
}

// expectStarts runs transactions that need not ask the store for their start,
// since a version is at hand, and expects those to ask that give way to others.
func expectStarts(t *testing.T, db *kv.Database, backend *asked, run func(tx *kv.Transaction) error) {
	t.Helper()
	for i, c := range []struct {
		option kv.TransactionOption
		asks   bool
	}{
		{kv.WithPriority(kv.PriorityDefault), true}, // nobody knows a version yet
		{kv.WithPriority(kv.PriorityDefault), false},
		{kv.WithPriority(kv.PriorityImmediate), false},
		{kv.WithPriority(kv.PriorityBatch), true},
		{kv.WithTag("tag"), true},
		{kv.WithRetryLimit(1), false},
	} {
		before := len(backend.priorities)
		tx := db.Begin(background, c.option)
		if err := run(tx); err != nil {
			t.Error(err)
		}
		tx.Cancel()
		if asks := len(backend.priorities) > before; asks != c.asks {
			t.Errorf("step %d asks for a version: %v, want %v", i, asks, c.asks)
		}
	}
}

// namedErrors is every exported error, by the number that its comment gives.
func namedErrors() map[int]error {
	return map[int]error{
		1007: kv.ErrTransactionTooOld, 1009: kv.ErrFutureVersion, 1020: kv.ErrNotCommitted, 1021: kv.ErrCommitUnknownResult,
		1022: kv.ErrCommitResultExpired,
		1025: kv.ErrTransactionCancelled, 1031: kv.ErrTransactionTimedOut, 1032: kv.ErrTooManyWatches, 1034: kv.ErrWatchesDisabled,
		1036: kv.ErrAccessedUnreadable, 1037: kv.ErrProcessBehind, 1038: kv.ErrDatabaseLocked, 1039: kv.ErrClusterVersionChanged,
		1042: kv.ErrCommitProxyMemoryLimit, 1051: kv.ErrBatchThrottled, 1078: kv.ErrGRVProxyMemoryLimit, 1213: kv.ErrTagThrottled,
		1510: kv.ErrIO, 1522: kv.ErrFileCorrupt, 2000: kv.ErrClientInvalidOperation, 2004: kv.ErrKeyOutsideLegalRange,
		2005: kv.ErrInvertedRange, 2006: kv.ErrInvalidOptionValue, 2007: kv.ErrInvalidOption, 2010: kv.ErrReadVersionAlreadySet,
		2011: kv.ErrVersionInvalid, 2012: kv.ErrRangeLimitsInvalid, 2017: kv.ErrUsedDuringCommit, 2018: kv.ErrInvalidMutationType,
		2021: kv.ErrNoCommitVersion, 2023: kv.ErrTransactionReadOnly, 2101: kv.ErrTransactionTooLarge, 2102: kv.ErrKeyTooLarge,
		2030: kv.ErrMapperBadIndex, 2032: kv.ErrMapperBadRange, 2041: kv.ErrKeyNotTuple,
		2042: kv.ErrValueNotTuple, 2043: kv.ErrMapperNotTuple, 2108: kv.ErrUnsupportedOperation, 2109: kv.ErrTooManyTags,
		2110: kv.ErrTagTooLong, 2111: kv.ErrTooManyTagThrottles, 2112: kv.ErrSpecialCrossModuleRead, 2113: kv.ErrSpecialNoModule, 2114: kv.ErrSpecialWriteDisabled,
		2115: kv.ErrSpecialNoWriteModule, 2116: kv.ErrSpecialCrossModule, 2117: kv.ErrSpecialAPIFailure,
		2103: kv.ErrValueTooLarge, 2210: kv.ErrExactModeWithoutLimits, 4100: kv.ErrInternal, 9001: kv.ErrDatabaseClosed,
		9002: kv.ErrDirectoryInUse, 9003: kv.ErrNewerFormat, 9004: kv.ErrDiskFull,
	}
}

// The numbers are FoundationDB's, and so is what a program may conclude.
func TestErrorsSayWhetherToTryAgainAndWhatMayHaveHappened(t *testing.T) {
	retryable := []int{1007, 1009, 1020, 1021, 1037, 1038, 1039, 1042, 1051, 1078, 1213}
	maybeCommitted := []int{1021, 1022, 1031, 1039}
	for code, err := range namedErrors() {
		wrapped := fmt.Errorf("while moving: %w", err)
		var numbered *kv.Error
		if !errors.As(wrapped, &numbered) || numbered.Code != code {
			t.Errorf("%v has not the number %d", err, code)
		}
		for otherCode, other := range namedErrors() {
			if errors.Is(wrapped, other) != (code == otherCode) {
				t.Errorf("%v passes for %v, or not for itself", err, other)
			}
		}
		if kv.Retryable(wrapped) != slices.Contains(retryable, code) {
			t.Errorf("%v: retryable is %v", err, kv.Retryable(wrapped))
		}
		if kv.MaybeCommitted(wrapped) != slices.Contains(maybeCommitted, code) {
			t.Errorf("%v: may be committed is %v", err, kv.MaybeCommitted(wrapped))
		}
	}
	for _, err := range []error{nil, context.Canceled, errors.New("the program's own")} {
		if kv.Retryable(err) || kv.MaybeCommitted(err) {
			t.Errorf("%v is none of the store's errors", err)
		}
	}
}
