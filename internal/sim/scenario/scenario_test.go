package scenario

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/internal/sim/workload"
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
	without, small := 0, 0
	for seed := range uint64(200) {
		s := draw(seed)
		if s == draw(seed+1) {
			t.Errorf("seeds %d and %d drew the same world", seed, seed+1)
		}
		if s.Kills == 0 {
			without++
		}
		if !s.hasFaults() {
			t.Errorf("nothing befalls seed %d", seed)
		}
		if s.Disk.CapacityBytes > 0 {
			small++
		}
		if s.Rot > 0 && s.ReadFlips > 0 {
			t.Errorf("seed %d has both kinds of wrong bits", seed)
		}
		if s.Clients < 3 || s.Clients > 25 || s.Rate < 35 || s.Rate > 90 || s.Sizes.MaxBatchCount < 1 || s.Sizes.MaxInFlight < 1 ||
			s.Disk.Sync.Min <= 0 || s.Disk.KeepProbability < 0 || s.Disk.KeepProbability > 1 {
			t.Errorf("seed %d drew %+v", seed, s)
		}
	}
	if small < 15 || small > 60 {
		t.Errorf("%d of 200 seeds have a small disk, want a sixth", small)
	}
	if without < 50 || without > 150 {
		t.Errorf("%d of 200 seeds have no kills, want about half", without)
	}
}

func TestWorkloadsShareTheClientsAndTheRateOfASeed(t *testing.T) {
	s := Swarm{Clients: 12, Rate: 120}
	for _, c := range []struct {
		workloads, clients int
		pause              time.Duration
	}{{1, 12, 100 * time.Millisecond}, {5, 2, 10 * time.Second / 120}, {24, 1, 200 * time.Millisecond}} {
		if clients, pause := s.share(c.workloads); clients != c.clients || pause != c.pause {
			t.Errorf("each of %d workloads has %d clients that pause %v, want %d and %v", c.workloads, clients, pause, c.clients, c.pause)
		}
	}
}

func TestSeedsDrawAllOrSomeOfTheWorkloads(t *testing.T) {
	names := []string{"A", "B", "C", "D", "E", "F", "G", "H"}
	counts := make(map[int]int)
	for seed := range uint64(400) {
		drawn := drawWorkloads(rand.New(rand.NewPCG(seed, 0)), names)
		counts[len(drawn)]++
		if len(drawn) == 0 || !slices.IsSorted(drawn) || len(slices.Compact(slices.Clone(drawn))) != len(drawn) {
			t.Errorf("seed %d drew %v", seed, drawn)
		}
	}
	if counts[1] < 30 || counts[2] < 30 || counts[len(names)] < 80 || len(counts) != len(names) {
		t.Errorf("numbers of workloads drawn: %v", counts)
	}
}

func TestWorkloadsThatDisturbOthersAreDrawnByThemselves(t *testing.T) {
	alone := 0
	for seed := range uint64(400) {
		drawn := drawWorkloads(rand.New(rand.NewPCG(seed, 0)), workload.Names())
		switch {
		case !slices.ContainsFunc(drawn, workload.Alone):
		case len(drawn) > 1:
			t.Errorf("seed %d drew %v", seed, drawn)
		default:
			alone++
		}
	}
	if alone < 3 || alone > 30 {
		t.Errorf("%d of 400 seeds drew a workload that runs by itself", alone)
	}
}

func TestProgressIsThatEveryClientHasCommittedSince(t *testing.T) {
	for _, c := range []struct {
		before, after []uint64
		want          bool
	}{
		{[]uint64{1, 2}, []uint64{2, 3}, true},
		{[]uint64{1, 2}, []uint64{2, 2}, false},
		{[]uint64{}, []uint64{1, 1}, true}, // none had started
		{[]uint64{0}, []uint64{1}, true},
		{[]uint64{}, []uint64{1, 0}, false},
		{[]uint64{}, []uint64{}, false},
	} {
		if got := progressed(c.before, c.after); got != c.want {
			t.Errorf("from %v to %v: progress is %v", c.before, c.after, got)
		}
	}
}

func TestPebbleScenarioFindsLostWrites(t *testing.T) {
	ctx, w := world.New(t.Context(), 1, func([]byte) {})
	swarm := Draw(rand.New(rand.NewPCG(1, 0)))
	s := &pebbleRun{world: w, disk: NewDisk(w, swarm)}
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
