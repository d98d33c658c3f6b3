package scenario

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/internal/sim/world"
)

func TestGoroutinesLeftBehindAreFound(t *testing.T) {
	before := listGoroutines()
	if left := listGoroutines().since(before); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	release, started := make(chan struct{}), make(chan struct{})
	go func() {
		close(started)
		<-release
	}()
	<-started
	if left := listGoroutines().since(before); len(left) != 1 {
		t.Errorf("left: %v, want one", left)
	}
	close(release)
	known := parseGoroutines("goroutine 7 [select]:\ngithub.com/cockroachdb/pebble/v2.(*ConcurrencyLimitScheduler).periodicGranter(0x1)\n")
	if left := known.since(before); len(left) != 0 {
		t.Errorf("a known leak counts: %v", left)
	}
}

func TestSeedsDrawDifferentWorldsWithinBounds(t *testing.T) {
	draw := func(seed uint64) Swarm { return Draw(rand.New(rand.NewPCG(seed, 0))) }
	if draw(1) != draw(1) {
		t.Error("one seed drew two worlds")
	}
	without := 0
	for seed := range uint64(200) {
		s := draw(seed)
		if s == draw(seed+1) {
			t.Errorf("seeds %d and %d drew the same world", seed, seed+1)
		}
		if s.Kills == 0 {
			without++
		}
		if s.Clients < 1 || s.Rate < 15 || s.Rate > 100 || s.Sizes.MaxBatchCount < 1 || s.Sizes.MaxInFlight < 1 ||
			s.Disk.Sync.Min <= 0 || s.Disk.KeepProbability < 0 || s.Disk.KeepProbability > 1 {
			t.Errorf("seed %d drew %+v", seed, s)
		}
	}
	if without < 50 || without > 150 {
		t.Errorf("%d of 200 seeds have no kills, want about half", without)
	}
}

func TestPebbleScenarioFindsLostWrites(t *testing.T) {
	ctx, w := world.New(t.Context(), 1, func([]byte) {})
	swarm := Draw(rand.New(rand.NewPCG(1, 0)))
	s := &pebbleRun{world: w, disk: newDisk(w, swarm)}
	if err := s.check(); err != nil {
		t.Fatal(err)
	}
	s.mu.acknowledged[3][4], s.mu.written[3][4] = 1, 2
	var violation *report.Violation
	if err := s.check(); !errors.As(err, &violation) || violation.Invariant != "P1" {
		t.Errorf("check = %v, want a violation of P1", err)
	}
	if ctx.Err() == nil {
		t.Error("the violation did not end the run")
	}
}
