package simtest

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/plinthdb/plinth/internal/sim/scenario"
	"github.com/plinthdb/plinth/kv"
)

// openWorld returns a world whose store is open, without faults.
func openWorld(t *testing.T) *World {
	t.Helper()
	ctx, w := newWorld(t.Context(), setting{trace: func([]byte) {}}, newOptions([]Option{WithFaults()}))
	t.Cleanup(func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	})
	if err := w.setup(ctx, func(context.Context, *World) error { return nil }); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestLostMessagesMakeOutcomesUnknownAndReadsFailToBeRepeated(t *testing.T) {
	w := openWorld(t)
	read := w.db.Begin(t.Context())
	defer read.Cancel()
	if _, err := read.ReadVersion(); err != nil {
		t.Fatal(err)
	}
	write := w.db.Begin(t.Context())
	defer write.Cancel()
	if _, err := write.ReadVersion(); err != nil {
		t.Fatal(err)
	}
	write.Set([]byte("a"), nil)
	w.remote.setLoss(1)
	if _, err := read.Get([]byte("a")).Wait(); !kv.Retryable(err) {
		t.Errorf("a read without an answer: %v", err)
	}
	if err := write.Commit(); !errors.Is(err, kv.ErrCommitUnknownResult) {
		t.Errorf("a commit without an answer: %v", err)
	}
	w.remote.setLoss(0)
	if err := set(t.Context(), w.db, "b", ""); err != nil {
		t.Errorf("without loss: %v", err)
	}
}

// TestAClientLearnsWhereItsKeysAre, as with a store in its own process.
func TestAClientLearnsWhereItsKeysAre(t *testing.T) {
	w := openWorld(t)
	ask := func(want error) {
		t.Helper()
		tx := w.db.Begin(t.Context())
		defer tx.Cancel()
		r := kv.PrefixRange([]byte("a"))
		_, sizeErr := tx.EstimateRangeBytes(r).Wait()
		points, pointsErr := tx.SplitPoints(r, 1000).Wait()
		addresses, placeErr := tx.AddressesForKey([]byte("a")).Wait()
		for _, err := range []error{sizeErr, pointsErr, placeErr} {
			if !errors.Is(err, want) {
				t.Errorf("the error is %v, want %v", err, want)
			}
		}
		if want == nil && (len(points) != 2 || len(addresses) != 1) {
			t.Errorf("points %q, addresses %q", points, addresses)
		}
	}
	ask(nil)
	w.remote.setLoss(1)
	ask(kv.ErrProcessBehind)
}

func TestTheDatabaseOfAClientOutlivesTheStore(t *testing.T) {
	w := openWorld(t)
	old := w.db.Begin(t.Context())
	defer old.Cancel()
	if _, err := old.ReadVersion(); err != nil {
		t.Fatal(err)
	}
	if err := set(t.Context(), w.db, "a", "1"); err != nil {
		t.Fatal(err)
	}
	w.process.PowerLoss()
	if value, err := get(t.Context(), w.db, "a"); err != nil || value != "1" {
		t.Errorf("after a reboot a holds %q (%v)", value, err)
	}
	// What began before belongs to a generation that is over.
	old.Get([]byte("a"))
	old.Set([]byte("a"), []byte("2"))
	if err := old.Commit(); err != nil && !kv.Retryable(err) {
		t.Errorf("a transaction across a reboot: %v", err)
	}
}

func TestAWatchSurvivesTheDeathOfTheStore(t *testing.T) {
	w := openWorld(t)
	watch, err := kv.Transact(t.Context(), w.db, func(tx *kv.Transaction) (*kv.Watch, error) {
		return tx.Watch([]byte("a")), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.process.Kill()
	if err := set(t.Context(), w.db, "a", "1"); err != nil {
		t.Fatal(err)
	}
	if err := watch.Wait(t.Context()); err != nil {
		t.Errorf("the watch failed: %v", err)
	}
}

func TestAStoreThatFailsByItsDiskDiesWhileTheDiskMayFail(t *testing.T) {
	w := openWorld(t)
	inc, err := w.process.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := &client{world: w}
	if c.dying(inc, kv.ErrIO) || inc.Dead() {
		t.Error("it died although its disk cannot fail")
	}
	w.swarm.FullDisk = time.Second
	w.beginFaults()
	if c.dying(inc, errors.New("something else")) || c.dying(inc, nil) || inc.Dead() {
		t.Error("it died of something else")
	}
	if !c.dying(inc, kv.ErrIO) || !inc.Dead() {
		t.Error("it lives on a disk that has failed")
	}
	if !w.endFaults() || !w.diskMayFail(1) || w.diskMayFail(w.process.Boots()+1) {
		t.Error("T2: who suffers from earlier faults is not told from who does not")
	}
}

func TestOnlyPassingErrorsArePartOfLife(t *testing.T) {
	for _, err := range []error{kv.ErrNotCommitted, kv.ErrCommitUnknownResult, kv.ErrTransactionTimedOut, context.Canceled, context.DeadlineExceeded} {
		if !passing(err) {
			t.Errorf("%v fails a test", err)
		}
	}
	for _, err := range []error{errors.New("x"), kv.ErrIO, kv.ErrValueTooLarge} {
		if passing(err) {
			t.Errorf("%v does not fail a test", err)
		}
	}
}

func TestOptionsLeaveOutWhatTheyRuleOut(t *testing.T) {
	for seed := range uint64(100) {
		draw := func(options ...Option) scenario.Swarm {
			s := scenario.Draw(rand.New(rand.NewPCG(seed, 0)))
			o := newOptions(options)
			o.restrict(&s)
			return s
		}
		s, all := draw(WithFaults(Kill), WithUsualSizes()), draw()
		if all.Rot+all.ReadFlips+all.LostDisks != 0 {
			t.Errorf("T5: seed %d loses what was acknowledged: %+v", seed, all)
		}
		if s.Kills != all.Kills || s.PowerLosses+s.SlowDisk+s.FullDisk+s.DiskErrors+s.FailedSyncs != 0 || s.ArmProbability != 0 {
			t.Errorf("seed %d has %+v, want kills only", seed, s)
		}
		if s.Sizes != (scenario.Sizes{}) || all.Sizes == s.Sizes {
			t.Errorf("seed %d has sizes %+v", seed, s.Sizes)
		}
	}
}
