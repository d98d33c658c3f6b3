package kv_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/plinthdb/plinth/kv"
)

func TestHooksRunOnceWithTheVersionOfTheCommit(t *testing.T) {
	db, _ := open(t)
	var order []string
	tx := must(kv.Transact(background, db, func(tx *kv.Transaction) (*kv.Transaction, error) {
		for _, name := range []string{"first", "second"} {
			tx.OnCommit(func(version kv.Version) {
				if committed, err := tx.CommittedVersion(); err != nil || committed != version {
					t.Errorf("called with %d, committed at %d, %v", version, committed, err)
				}
				order = append(order, name+" "+get(t, db, "k"))
			})
		}
		tx.Set([]byte("k"), []byte("v"))
		return tx, nil
	}))(t)
	if want := []string{`first "v"`, `second "v"`}; !slices.Equal(order, want) {
		t.Errorf("%q ran, want %q", order, want)
	}
	tx.OnCommit(func(kv.Version) { t.Error("a hook that came too late ran") })
	mustBe(t, tx.Commit(), kv.ErrUsedDuringCommit)
}

func TestHooksOfReadersGetNoVersion(t *testing.T) {
	db, store := open(t)
	ran := 0
	must(kv.Transact(background, db, func(tx *kv.Transaction) ([]byte, error) {
		tx.OnCommit(func(version kv.Version) {
			if ran++; version != 0 {
				t.Errorf("version %d", version)
			}
		})
		return tx.Get([]byte("k")).Wait()
	}))(t)
	if ran != 1 || store.Calls("Commit") != 0 {
		t.Errorf("ran %d times, %d commits", ran, store.Calls("Commit"))
	}
}

func TestOnlyTheHooksOfTheCommittedTryRun(t *testing.T) {
	db, _ := open(t)
	runs, ran := 0, []int{}
	must(kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
		runs++
		run := runs
		tx.OnCommit(func(kv.Version) { ran = append(ran, run) })
		must(tx.Get([]byte("k")).Wait())(t)
		switch run {
		case 1:
			set(t, db, "k", "a conflict")
		case 2:
			return 0, kv.ErrProcessBehind
		}
		tx.Set([]byte("k"), nil)
		return 0, nil
	}, kv.WithMaxRetryDelay(0)))(t)
	if !slices.Equal(ran, []int{3}) {
		t.Errorf("the hooks of %d ran, of %d", ran, runs)
	}
	tx := db.Begin(background)
	defer tx.Cancel()
	tx.OnCommit(func(kv.Version) { t.Error("a hook of before the reset ran") })
	tx.Reset()
	tx.Set([]byte("k"), nil)
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
}

// Many goroutines fight over one key, and answers get lost: what the hooks
// counted is what was added.
func TestHooksRunExactlyOnceForEachCommit(t *testing.T) {
	db, store := open(t)
	var mu sync.Mutex
	calls, hooked := 0, map[kv.Version]int{}
	store.AfterCommit = func(context.Context) error {
		mu.Lock()
		defer mu.Unlock()
		if calls++; calls%3 == 0 {
			return kv.ErrCommitUnknownResult
		}
		return nil
	}
	const goroutines, each = 8, 25
	var group sync.WaitGroup
	for range goroutines {
		group.Go(func() {
			for range each {
				_, err := kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
					tx.OnCommit(func(version kv.Version) {
						mu.Lock()
						defer mu.Unlock()
						hooked[version]++
					})
					value, err := tx.Get([]byte("k")).Wait()
					tx.Set([]byte("k"), append(value, 'x'))
					return 0, err
				}, kv.WithMaxRetryDelay(0))
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	store.AfterCommit = nil
	value := must(db.Begin(background).Get([]byte("k")).Wait())(t)
	if len(value) != goroutines*each || len(hooked) != goroutines*each {
		t.Errorf("%d were added and %d hooked, of %d", len(value), len(hooked), goroutines*each)
	}
	for version, n := range hooked {
		if n != 1 {
			t.Errorf("%d hooks ran for version %d", n, version)
		}
	}
}

func TestNoHookRunsIfTheOutcomeIsUnknownOrAFailure(t *testing.T) {
	own := errors.New("own")
	for name, c := range map[string]struct {
		lost, fails error
		want        error
	}{
		"unknown":         {lost: kv.ErrCommitUnknownResult, want: kv.ErrCommitUnknownResult},
		"own error":       {fails: own, want: own},
		"invalid":         {fails: kv.ErrKeyTooLarge, want: kv.ErrKeyTooLarge},
		"failed for good": {lost: kv.ErrIO, want: kv.ErrIO},
	} {
		t.Run(name, func(t *testing.T) {
			db, store := open(t)
			store.AfterCommit = func(context.Context) error { return c.lost }
			_, err := kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
				tx.OnCommit(func(kv.Version) { t.Error("a hook ran") })
				tx.Set([]byte("k"), nil)
				return 0, c.fails
			}, kv.WithExactlyOnce(false), kv.WithRetryLimit(2), kv.WithMaxRetryDelay(0))
			mustBe(t, err, c.want)
		})
	}
}

func TestAPanicOfAHookPassesThroughAfterTheOthers(t *testing.T) {
	db, _ := open(t)
	var ran []string
	func() {
		defer func() { ran = append(ran, fmt.Sprint(recover())) }()
		_, err := kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
			tx.OnCommit(func(kv.Version) { panic("mine") })
			tx.OnCommit(func(kv.Version) { ran = append(ran, "the other") })
			tx.Set([]byte("k"), []byte("v"))
			return 0, nil
		})
		t.Errorf("no panic, error %v", err)
	}()
	if !slices.Equal(ran, []string{"the other", "mine"}) || get(t, db, "k") != `"v"` {
		t.Errorf("%q, value %s", ran, get(t, db, "k"))
	}
}

func TestHooksAreLimited(t *testing.T) {
	db, store := open(t)
	for name, c := range map[string]struct {
		hooks int
		last  func(kv.Version)
	}{
		"too many": {1000, func(kv.Version) { t.Error("the last hook ran") }},
		"nil":      {0, nil},
	} {
		_, err := kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
			for range c.hooks {
				tx.OnCommit(func(kv.Version) { t.Error("a hook ran") })
			}
			tx.OnCommit(c.last)
			tx.Set([]byte("k"), nil)
			return 0, nil
		})
		if !errors.Is(err, kv.ErrClientInvalidOperation) || store.Calls("Commit") > 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
