package scenario

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/plinthdb/plinth/internal/sim/disk"
	"github.com/plinthdb/plinth/internal/sim/workload"
	"github.com/plinthdb/plinth/kv"
)

// Swarm is what one seed's world is like. Extreme worlds matter more than
// average ones, so sizes are drawn on a logarithmic scale and each fault is
// absent from many seeds: kills, losses of power, slow, full and failing disks
// and failed syncs from half of them, rot from three quarters, wrong reads and
// lost disks from seven eighths.
type Swarm struct {
	// Disk is the disk of the process, Sizes are those of its store.
	Disk  disk.Config
	Sizes Sizes
	// Safety and Liveness are the lengths of the phases; they are not drawn.
	Safety, Liveness time.Duration
	// MinCommits is how many transactions that write a run must commit; it is not
	// drawn.
	MinCommits uint64
	// Clients is the number of clients of all workloads, but each workload has
	// one at least; Rate is the number of transactions a second that all of them
	// together begin at most.
	Clients int
	Rate    float64
	// Habits are what the clients do besides, Defaults their database's options.
	Habits   workload.Habits
	Defaults workload.Defaults
	// Kills, PowerLosses, SlowDisk, FullDisk and DiskErrors are the average
	// times between two faults of a kind; 0 is never.
	Kills, PowerLosses, SlowDisk, FullDisk, DiskErrors time.Duration
	// FailedSyncs likewise: a single sync that fails, and soon after a loss of
	// power, before later ones can cover it up.
	FailedSyncs time.Duration
	// Rot, ReadFlips and LostDisks likewise: bits of the disk that go wrong for
	// good, times when reads return wrong bits, and disks that are replaced by
	// empty ones. A seed has Rot or ReadFlips, never both: a wrong bit in the log
	// is told by what was written behind it, and that must not be wrong as well.
	Rot, ReadFlips, LostDisks time.Duration
	// RoomAfter is the average time between two looks at a disk of limited
	// capacity (Disk.CapacityBytes): it gets larger if it was full meanwhile.
	RoomAfter time.Duration
	// Downtime is the longest time between a death and the next boot.
	Downtime time.Duration
	// ArmProbability and FireProbability are those of fault.Point sites. Mostly
	// they are FoundationDB's; but some bugs need two sites at once, which few
	// seeds would arm together.
	ArmProbability, FireProbability float64
}

// Draw draws the configuration of a seed.
func Draw(rng *rand.Rand) Swarm {
	keep := [...]float64{0, 0.1, 0.5, 0.9, 1}
	s := Swarm{
		Disk: disk.Config{
			Name:            "d0",
			Sync:            latency(rng, 20*time.Microsecond, 10*time.Millisecond),
			Write:           latency(rng, time.Microsecond, 200*time.Microsecond),
			Read:            latency(rng, time.Microsecond, 500*time.Microsecond),
			KeepProbability: keep[rng.IntN(len(keep))],
			TearProbability: rng.Float64(),
		},
		Sizes:   drawSizes(rng),
		Clients: logarithmic(rng, 3, 25),
		Rate:    logarithmic(rng, 35.0, 90.0),
		Habits: workload.Habits{
			Dawdle:         sometimes(rng, time.Millisecond, 2*time.Second),
			PadProbability: [...]float64{0, 0.02, 0.2}[rng.IntN(3)],
			PadBytes:       logarithmic(rng, 10, 30_000),

			TransactProbability: [...]float64{0, 0.5, 0.9, 1}[rng.IntN(4)],
			InStep:              rng.IntN(2) == 0,
		},
		Defaults:        drawDefaults(rng),
		Kills:           sometimes(rng, 500*time.Millisecond, 10*time.Second),
		PowerLosses:     sometimes(rng, 500*time.Millisecond, 10*time.Second),
		SlowDisk:        sometimes(rng, time.Second, 10*time.Second),
		FullDisk:        sometimes(rng, 300*time.Millisecond, 10*time.Second),
		DiskErrors:      sometimes(rng, 300*time.Millisecond, 10*time.Second),
		FailedSyncs:     sometimes(rng, 500*time.Millisecond, 10*time.Second),
		Downtime:        logarithmic(rng, time.Millisecond, 3*time.Second),
		ArmProbability:  [...]float64{0.1, 0.25, 0.25, 0.6, 1}[rng.IntN(5)],
		FireProbability: [...]float64{0.05, 0.25, 0.25, 0.5}[rng.IntN(4)],
	}
	switch rng.IntN(8) {
	case 0, 1:
		s.Rot = logarithmic(rng, 100*time.Millisecond, 10*time.Second)
	case 2:
		s.ReadFlips = logarithmic(rng, 300*time.Millisecond, 10*time.Second)
	}
	if rng.IntN(8) == 0 {
		s.LostDisks = logarithmic(rng, 2*time.Second, 20*time.Second)
	}
	if !s.hasFaults() {
		// Liveness, of which every seed has more, shows what is right without any.
		s.Kills = logarithmic(rng, 500*time.Millisecond, 3*time.Second)
	}
	if rng.IntN(6) == 0 {
		s.Disk.CapacityBytes = logarithmic[int64](rng, 256<<10, 8<<20)
		s.RoomAfter = logarithmic(rng, 30*time.Millisecond, 3*time.Second)
	}
	return s
}

// drawDefaults draws the options of the database. The limits are wide enough
// for every workload to go on.
func drawDefaults(rng *rand.Rand) workload.Defaults {
	d := workload.Defaults{NoHotKeyQueue: rng.IntN(8) == 0, ReadAhead: rng.IntN(2) == 0}
	if rng.IntN(4) == 0 {
		d.RetryLimit = logarithmic(rng, 1, 20)
	}
	if rng.IntN(4) == 0 {
		d.MaxRetryDelay = logarithmic(rng, time.Millisecond, time.Second)
	}
	if rng.IntN(8) == 0 {
		d.Timeout = logarithmic(rng, 10*time.Second, 20*time.Second)
	}
	if rng.IntN(8) == 0 {
		d.SizeLimitBytes = logarithmic(rng, 300_000, kv.MaxTransactionBytes)
	}
	return d
}

// hasFaults reports whether any kind of fault that can break something befalls
// the seed.
func (s *Swarm) hasFaults() bool {
	return s.Kills > 0 || s.PowerLosses > 0 || s.FullDisk > 0 || s.DiskErrors > 0 || s.FailedSyncs > 0 || s.Rot > 0 || s.ReadFlips > 0 || s.LostDisks > 0
}

// share returns how many clients each of so many workloads gets, and how long
// each client pauses on average.
func (s *Swarm) share(workloads int) (clients int, pause time.Duration) {
	clients = max(1, s.Clients/workloads)
	return clients, time.Duration(float64(clients*workloads) / s.Rate * float64(time.Second))
}

// aloneEvery is how many seeds there are for one with a workload that must run
// by itself.
const aloneEvery = 40

// drawWorkloads draws which workloads run: all of them, one or two, any number,
// or one that must run by itself.
func drawWorkloads(rng *rand.Rand, names []string) []string {
	var alone []string
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		if workload.Alone(name) {
			alone = append(alone, name)
		}
		return workload.Alone(name)
	})
	if len(alone) > 0 && rng.IntN(aloneEvery) == 0 {
		return []string{alone[rng.IntN(len(alone))]}
	}
	count := len(names)
	switch rng.IntN(4) {
	case 0:
	case 1:
		count = min(count, 1+rng.IntN(2))
	default:
		count = 1 + rng.IntN(count)
	}
	drawn := make([]string, count)
	for i, at := range rng.Perm(len(names))[:count] {
		drawn[i] = names[at]
	}
	slices.Sort(drawn)
	return drawn
}

// logarithmic draws from low to high so that every order of magnitude is
// equally likely.
func logarithmic[T ~int | ~int64 | ~float64](rng *rand.Rand, low, high T) T {
	return T(float64(low) * math.Exp(rng.Float64()*math.Log(float64(high)/float64(low))))
}

// sometimes draws like logarithmic, or 0 for every other seed.
func sometimes(rng *rand.Rand, low, high time.Duration) time.Duration {
	d := logarithmic(rng, low, high)
	if rng.IntN(2) == 0 {
		return 0
	}
	return d
}

func latency(rng *rand.Rand, low, high time.Duration) disk.Latency {
	d := logarithmic(rng, low, high)
	return disk.Latency{Min: d / 2, Mean: d / 2}
}
