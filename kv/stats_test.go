package kv_test

import (
	"context"
	"errors"
	"maps"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plinthdb/plinth/kv"
)

// balance fails unless every transaction has ended in one way.
func balance(t *testing.T, s kv.Stats) {
	t.Helper()
	var failures uint64
	for _, n := range s.Failures {
		failures += n
	}
	ended := s.Committed + s.ReadOnly + s.Failed
	if s.Started != ended || s.Failed != failures || s.Transaction.Count() != ended {
		t.Errorf("%d were begun and %d have ended; %d failed, by number %d; %d times",
			s.Started, ended, s.Failed, failures, s.Transaction.Count())
	}
}

func TestStatsCountWhatATransactionDoes(t *testing.T) {
	db, store := open(t)
	runs := 0
	must(kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
		runs++
		for _, key := range []string{"a", "k"} {
			tx.Get([]byte(key))
		}
		must(tx.Get([]byte("k")).Wait())(t)
		if runs == 1 {
			set(t, db, "k", "12345")
		}
		must(tx.GetKey(kv.LastLessThan([]byte("k"))).Wait())(t)
		must(tx.Range(kv.AllKeys(), kv.RangeOptions{}).Slice())(t)
		tx.Set([]byte("mine"), []byte("v"))
		return 0, nil
	}))(t)
	get(t, db, "k")
	store.AfterCommit = loseFirst(1)
	set(t, db, "k", "lost, found")
	s := db.Stats()
	balance(t, s)
	for name, c := range map[string]struct{ got, want uint64 }{
		"started":      {s.Started, 4},
		"committed":    {s.Committed, 3},
		"read only":    {s.ReadOnly, 1},
		"conflicts":    {s.Conflicts, 1},
		"retries":      {s.Retries[1020], 1},
		"lost answers": {s.LostAnswers, 1},
		"unknown":      {s.Unknown, 0},
		"keys":         {s.KeysRead, 2*3 + 1},
		"rows":         {s.RowsRead, 1}, // on the second try
		"bytes":        {s.BytesRead, 2*5 + 6 + 5},
		"gets":         {s.Get.Count(), 3},
		"ranges":       {s.GetRange.Count(), 2},
		"selectors":    {s.GetKey.Count(), 2},
		"commits":      {s.Commit.Count(), 4},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", name, c.got, c.want)
		}
	}
	if s.BytesWritten < 30 || s.BytesWritten > 100 {
		t.Errorf("%d bytes written", s.BytesWritten)
	}
}

func TestStatsTellHowTransactionsFail(t *testing.T) {
	db, store := open(t)
	own := errors.New("own")
	run := func(f func(tx *kv.Transaction) error, options ...kv.TransactionOption) {
		defer func() { _ = recover() }()
		_, _ = kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
			tx.Set([]byte("k"), nil)
			return 0, f(tx)
		}, append(options, kv.WithMaxRetryDelay(0))...)
	}
	run(func(*kv.Transaction) error { return own })
	run(func(*kv.Transaction) error { panic(own) })
	run(func(*kv.Transaction) error { return kv.ErrProcessBehind }, kv.WithRetryLimit(2))
	store.AfterCommit = func(context.Context) error { return kv.ErrCommitUnknownResult }
	run(func(*kv.Transaction) error { return nil }, kv.WithExactlyOnce(false), kv.WithRetryLimit(0))
	store.AfterCommit = nil
	store.Hook = hookOn("Commit", func(context.Context) error { return kv.ErrTransactionTooOld })
	tx := db.Begin(background)
	tx.Set([]byte("k"), nil)
	mustBe(t, tx.Commit(), kv.ErrTransactionTooOld)
	tx.Cancel()
	tx.Cancel()
	s := db.Stats()
	balance(t, s)
	if want := map[int]uint64{0: 1, 1025: 1, 1037: 1, 1021: 1, 1007: 1}; !maps.Equal(s.Failures, want) {
		t.Errorf("failures %v, want %v", s.Failures, want)
	}
	if want := map[int]uint64{1037: 2}; !maps.Equal(s.Retries, want) || s.Unknown != 1 || s.TooOld != 1 {
		t.Errorf("retries %v, want %v; %d unknown, %d too old", s.Retries, want, s.Unknown, s.TooOld)
	}
}

// Cancel comes while the commit is under way: how that ends is what counts.
func TestACommitThatIsCancelledCountsAsItEnds(t *testing.T) {
	for _, lost := range []error{nil, kv.ErrIO} {
		db, store := open(t)
		tx := db.Begin(background)
		store.AfterCommit = func(context.Context) error {
			tx.Cancel()
			tx.Cancel()
			return lost
		}
		tx.Set([]byte("k"), nil)
		if err := tx.Commit(); !errors.Is(err, lost) {
			t.Errorf("%v: %v", lost, err)
		}
		tx.Cancel()
		s := db.Stats()
		balance(t, s)
		if want := map[bool]uint64{true: 1}[lost == nil]; s.Committed != want || s.ReadOnly != 0 {
			t.Errorf("%v: %d committed, %d read only", lost, s.Committed, s.ReadOnly)
		}
	}
}

func TestATransactionCountsAnewOnceItHasEnded(t *testing.T) {
	db, _ := open(t)
	tx := db.Begin(background)
	defer tx.Cancel()
	tx.Reset() // goes on
	if s := db.Stats(); s.Started != 1 || s.Transaction.Count() != 0 {
		t.Errorf("%d were begun, %d have ended", s.Started, s.Transaction.Count())
	}
	for range 3 {
		tx.Set([]byte("k"), nil)
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		tx.Reset()
	}
	tx.Cancel()
	tx.Reset() // does not revive it
	s := db.Stats()
	balance(t, s)
	if s.Started != 4 || s.Committed != 3 || s.Failures[1025] != 1 {
		t.Errorf("%+v", s)
	}
}

func TestStatsBalanceAfterAnyMixture(t *testing.T) {
	db, store := open(t)
	var calls atomic.Int64
	store.AfterCommit = func(context.Context) error {
		if calls.Add(1)%5 == 0 {
			return kv.ErrCommitUnknownResult
		}
		return nil
	}
	each(8, func(i int) {
		for n := range 20 {
			ctx, cancel := context.WithCancel(background)
			_, _ = kv.Transact(ctx, db, func(tx *kv.Transaction) (int, error) {
				if err := addOne(tx, "k"); err != nil {
					return 0, err
				}
				switch (i + n) % 5 {
				case 0:
					return 0, errors.New("own")
				case 1:
					cancel()
				}
				return 0, nil
			}, kv.WithMaxRetryDelay(0))
			cancel()
		}
	})
	s := db.Stats()
	balance(t, s)
	if s.Started != 8*20 || s.Failures[0] != 8*4 || s.Failed == 8*4 {
		t.Errorf("%+v", s)
	}
}

// The clock of the bubble is exact.
func TestLatenciesFallIntoTheirBuckets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store := open(t)
		for _, d := range []time.Duration{0, time.Microsecond, time.Microsecond + 1, 2 * time.Microsecond, 3 * time.Microsecond, time.Minute} {
			store.Hook = hookOn("GetValues", func(context.Context) error {
				if d > 0 {
					<-time.After(d)
				}
				return nil
			})
			get(t, db, "k")
		}
		s := db.Stats().Get
		last := len(s.Counts) - 1
		if s.Counts[0] != 2 || s.Counts[1] != 2 || s.Counts[2] != 1 || s.Counts[last] != 1 || s.Count() != 6 {
			t.Errorf("counts %v", s.Counts)
		}
		if want := time.Minute + 7*time.Microsecond + 1; s.Sum != want {
			t.Errorf("sum %v, want %v", s.Sum, want)
		}
		if kv.LatencyBound(0) != time.Microsecond || kv.LatencyBound(last-1) != 16777216*time.Microsecond {
			t.Errorf("bounds %v, %v", kv.LatencyBound(0), kv.LatencyBound(last-1))
		}
	})
}

func TestStatsTellOfHotKeysAndWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store := open(t)
		slow(store)
		each(16, func(int) { increment(t, db, "hot") })
		watch := must(kv.Transact(background, db, func(tx *kv.Transaction) (*kv.Watch, error) { return tx.Watch([]byte("w")), nil }))(t)
		s := db.Stats()
		if s.HotKeys != 1 || s.HotKeyWait.Count() == 0 || s.HotKeyWait.Sum < cycle || s.Watches != 1 {
			t.Errorf("%d hot keys, %d waits of %v, %d watches", s.HotKeys, s.HotKeyWait.Count(), s.HotKeyWait.Sum, s.Watches)
		}
		watch.Cancel()
		if n := db.Stats().Watches; n != 0 {
			t.Errorf("%d watches after the end of the one", n)
		}
	})
}

func TestMadeUpErrorNumbersAreBounded(t *testing.T) {
	db, _ := open(t)
	for code := range 1000 {
		_, _ = kv.ReadTransact(background, db, func(kv.Reader) (int, error) { return 0, &kv.Error{Code: 50_000 + code} })
	}
	s := db.Stats()
	balance(t, s)
	if len(s.Failures) > 200 || s.Failures[50_000] != 1 || s.Failures[0] < 800 {
		t.Errorf("%d numbers, %d without one", len(s.Failures), s.Failures[0])
	}
}
