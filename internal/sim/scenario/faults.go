package scenario

import (
	"context"
	"math/rand/v2"
	"path"
	"sync"
	"time"

	"github.com/plinthdb/plinth/internal/sim/disk"
)

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

// startFaults starts one goroutine for each kind of fault that this seed has.
func (r *storeRun) startFaults(ctx context.Context) {
	ctx, r.stopFaults = context.WithCancel(ctx)
	s := r.swarm
	w := &weather{disk: r.disk}
	r.life.shared.BeginFaults(s.FullDisk > 0 || s.DiskErrors > 0 || s.FailedSyncs > 0)
	r.fault(ctx, "kill", s.Kills, func(*rand.Rand) { r.process.Kill() })
	r.fault(ctx, "powerloss", s.PowerLosses, func(*rand.Rand) { r.process.PowerLoss() })
	r.fault(ctx, "failedsync", s.FailedSyncs, func(rng *rand.Rand) {
		if r.disk.FailNextSync(ctx) == nil && sleep(ctx, logarithmic(rng, 10*time.Microsecond, 300*time.Millisecond)) == nil {
			r.process.PowerLoss()
		}
	})
	r.fault(ctx, "slow", s.SlowDisk, func(rng *rand.Rand) {
		slowdown := logarithmic(rng, 2.0, 200.0)
		w.change(func(now *disk.Faults) { now.Slowdown = slowdown })
		_ = sleep(ctx, logarithmic(rng, 10*time.Millisecond, 3*time.Second))
		w.change(func(now *disk.Faults) { now.Slowdown = 0 })
	})
	r.fault(ctx, "full", s.FullDisk, func(rng *rand.Rand) {
		w.change(func(now *disk.Faults) { now.Full = true })
		_ = sleep(ctx, logarithmic(rng, 10*time.Millisecond, time.Second))
		w.change(func(now *disk.Faults) { now.Full = false })
	})
	r.fault(ctx, "rot", s.Rot, func(*rand.Rand) { r.disk.Rot(isLog) })
	r.fault(ctx, "flips", s.ReadFlips, func(rng *rand.Rand) {
		rate := 1 / logarithmic(rng, 3.0, 1000.0)
		w.change(func(now *disk.Faults) { now.ReadFlips = rate })
		_ = sleep(ctx, logarithmic(rng, 10*time.Millisecond, 3*time.Second))
		w.change(func(now *disk.Faults) { now.ReadFlips = 0 })
	})
	r.fault(ctx, "errors", s.DiskErrors, func(rng *rand.Rand) {
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

// isLog tells the segments of the write-ahead log from the other files: see
// disk.Disk.Rot, and what package wal says that it cannot find out.
func isLog(name string) bool { return path.Ext(name) == ".wal" }

// fault strikes at random times, every mean on average, until ctx ends; never
// if mean is 0.
func (r *storeRun) fault(ctx context.Context, name string, mean time.Duration, strike func(rng *rand.Rand)) {
	if mean == 0 {
		return
	}
	rng := r.world.Rand("fault/" + name)
	r.faults.Go(func() {
		for sleep(ctx, time.Duration(rng.ExpFloat64()*float64(mean))) == nil {
			r.world.Trace("fault %s", name)
			strike(rng)
		}
	})
}
