package scenario

import (
	"context"
	"math/rand/v2"
	"path"
	"sync"
	"time"

	"github.com/plinthdb/plinth/internal/sim/disk"
	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/internal/sim/world"
)

// DiskMayFail reports whether the seed has faults that show as errors of the
// disk.
func (s *Swarm) DiskMayFail() bool {
	return s.FullDisk > 0 || s.DiskErrors > 0 || s.FailedSyncs > 0 || s.Disk.CapacityBytes > 0
}

// weather is what is wrong with the disk at the moment, put together from
// faults that come and go by themselves.
type weather struct {
	disk *disk.Disk
	mu   struct {
		sync.Mutex
		now disk.Faults
	}
}

func (w *weather) change(f func(now *disk.Faults)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(&w.mu.now)
	w.disk.SetFaults(w.mu.now)
}

// Nemesis lets the faults of a seed befall a process and its disk.
type Nemesis struct {
	World   *world.World
	Swarm   Swarm
	Disk    *disk.Disk
	Process *world.Process

	stop   context.CancelFunc
	faults sync.WaitGroup
}

// Start starts one goroutine for each kind of fault that the seed has.
func (n *Nemesis) Start(ctx context.Context) {
	ctx, n.stop = context.WithCancel(ctx)
	s := n.Swarm
	w := &weather{disk: n.Disk}
	n.fault(ctx, "kill", s.Kills, func(*rand.Rand) { n.Process.Kill() })
	n.fault(ctx, "powerloss", s.PowerLosses, func(*rand.Rand) { n.Process.PowerLoss() })
	n.fault(ctx, "failedsync", s.FailedSyncs, func(rng *rand.Rand) {
		if n.Disk.FailNextSync(ctx) == nil && sleep(ctx, logarithmic(rng, 10*time.Microsecond, 300*time.Millisecond)) == nil {
			n.Process.PowerLoss()
		}
	})
	n.fault(ctx, "slow", s.SlowDisk, func(rng *rand.Rand) {
		slowdown := logarithmic(rng, 2.0, 200.0)
		n.World.Count(func(r *report.Report) { r.SlowDisks++ })
		w.change(func(now *disk.Faults) { now.Slowdown = slowdown })
		_ = sleep(ctx, logarithmic(rng, 10*time.Millisecond, 3*time.Second))
		w.change(func(now *disk.Faults) { now.Slowdown = 0 })
	})
	n.fault(ctx, "full", s.FullDisk, func(rng *rand.Rand) {
		w.change(func(now *disk.Faults) { now.Full = true })
		_ = sleep(ctx, logarithmic(rng, 10*time.Millisecond, time.Second))
		w.change(func(now *disk.Faults) { now.Full = false })
	})
	n.fillUp(ctx)
	n.fault(ctx, "rot", s.Rot, func(*rand.Rand) { n.Disk.Rot(isLog) })
	n.fault(ctx, "flips", s.ReadFlips, func(rng *rand.Rand) {
		rate := 1 / logarithmic(rng, 3.0, 1000.0)
		w.change(func(now *disk.Faults) { now.ReadFlips = rate })
		_ = sleep(ctx, logarithmic(rng, 10*time.Millisecond, 3*time.Second))
		w.change(func(now *disk.Faults) { now.ReadFlips = 0 })
	})
	n.fault(ctx, "errors", s.DiskErrors, func(rng *rand.Rand) {
		var f disk.Faults
		for _, rate := range []*float64{&f.ReadErrors, &f.WriteErrors, &f.SyncErrors} {
			if rng.IntN(2) == 0 {
				*rate = 1 / logarithmic(rng, 1.0, 1000.0)
			}
		}
		w.change(func(now *disk.Faults) {
			now.ReadErrors, now.WriteErrors, now.SyncErrors = f.ReadErrors, f.WriteErrors, f.SyncErrors
		})
		_ = sleep(ctx, logarithmic(rng, 10*time.Millisecond, time.Second))
		w.change(func(now *disk.Faults) { now.ReadErrors, now.WriteErrors, now.SyncErrors = 0, 0, 0 })
	})
}

// fillUp gives a small disk its size. Somebody looks after it now and then, and
// makes it larger if it was full meanwhile.
func (n *Nemesis) fillUp(ctx context.Context) {
	capacity := max(n.Swarm.Disk.CapacityBytes, n.Disk.UsedBytes())
	if n.Swarm.Disk.CapacityBytes == 0 {
		return
	}
	n.Disk.SetCapacity(capacity)
	refused := n.Disk.Stats().Refused
	n.fault(ctx, "room", n.Swarm.RoomAfter, func(rng *rand.Rand) {
		if now := n.Disk.Stats().Refused; now > refused {
			refused, capacity = now, capacity+logarithmic(rng, 1<<10, capacity)
			n.Disk.SetCapacity(capacity)
		}
	})
}

// Stop ends the faults and makes the disk healthy, and large enough for all.
func (n *Nemesis) Stop() {
	n.stop()
	n.faults.Wait()
	n.Disk.SetFaults(disk.Faults{})
	n.Disk.SetCapacity(0)
}

// isLog tells the segments of the write-ahead log from the other files: see
// disk.Disk.Rot, and what package wal says that it cannot find out.
func isLog(name string) bool { return path.Ext(name) == ".wal" }

// fault strikes at random times, every mean on average, until ctx ends; never
// if mean is 0.
func (n *Nemesis) fault(ctx context.Context, name string, mean time.Duration, strike func(rng *rand.Rand)) {
	if mean == 0 {
		return
	}
	rng := n.World.Rand("fault/" + name)
	n.faults.Go(func() {
		for sleep(ctx, time.Duration(rng.ExpFloat64()*float64(mean))) == nil {
			n.World.Trace("fault %s", name)
			strike(rng)
		}
	})
}
