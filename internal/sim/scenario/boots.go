package scenario

import (
	"context"
	"errors"
	"time"

	"github.com/plinthdb/plinth/internal/sim/disk"
	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/kv"
)

const (
	// checkProbability is the chance that a dead store is checked before it is
	// opened again.
	checkProbability = 0.3
	// damageAttempts is how often in a row a store must be found damaged until
	// its disk is given up: a single read may have gone wrong.
	damageAttempts = 3
	// minBackoff is added to the time until the next boot; it doubles up to
	// maxBackoff while boots fail. A full disk would let a store fail a
	// thousand times a second, each time in the same way.
	minBackoff = time.Millisecond
	maxBackoff = 200 * time.Millisecond
)

// startBoots starts the supervisor, which boots the process whenever it is
// dead. Once faults have ended the first attempt must succeed (S2).
func (r *storeRun) startBoots(ctx context.Context) {
	ctx, r.stopBoots = context.WithCancel(ctx)
	rng, shared, attempts, backoff := r.world.Rand("supervisor"), r.life.shared, 0, minBackoff
	r.boots.Go(func() {
		for r.process.WaitDead(ctx) == nil {
			r.judgeDeath()
			downtime := time.Duration(rng.Float64() * float64(r.swarm.Downtime))
			if sleep(ctx, downtime+backoff) != nil {
				return
			}
			healthy := !shared.DiskMayFail(r.process.Boots() + 1)
			if rng.Float64() < checkProbability {
				r.checkCrashed(ctx)
			}
			up, damage := r.boot(healthy)
			backoff = min(2*backoff, maxBackoff)
			if up {
				backoff = minBackoff
			}
			if damage == nil {
				attempts = 0
				continue
			}
			if attempts++; attempts == damageAttempts {
				r.damaged <- damage
				return
			}
		}
	})
}

// checkCrashed verifies the directory of a dead process (S5). A violation is on
// record.
func (r *storeRun) checkCrashed(ctx context.Context) {
	_, err := r.process.Check(ctx)
	if err != nil && ctx.Err() == nil && !r.process.Flipped() {
		_ = r.world.Violated("scenario", "S5", "after a crash: %v", err)
	}
}

// judgeDeath holds it against a store if it has ended by itself without a reason
// (S9). A violation is on record.
func (r *storeRun) judgeDeath() {
	err := r.process.CauseOfDeath()
	switch {
	case err == nil, errors.Is(err, world.ErrKilled), errors.Is(err, disk.ErrDead):
	case world.IsDamage(err):
		_ = r.judgeDamage(err)
	case !r.life.shared.DiskMayFail(r.process.Boots()):
		_ = r.world.Violated("scenario", "S9", "the store has ended on a healthy disk: %v", err)
	case !isDiskFault(err):
		_ = r.world.Violated("scenario", "S9", "the store has not ended because of its disk: %v", err)
	}
}

// isDiskFault reports whether err says that the disk has failed or is full.
func isDiskFault(err error) bool { return errors.Is(err, kv.ErrIO) || errors.Is(err, kv.ErrDiskFull) }

// boot boots the process once. Once faults have ended that must succeed, before
// it can fail because of the disk only (S2). It returns an error if the store
// found damage in its files.
func (r *storeRun) boot(healthy bool) (up bool, damage error) {
	err := r.process.Boot()
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, world.ErrKilled):
		return false, nil
	case world.IsDamage(err):
		_ = r.judgeDamage(err) // a violation is on record
		return false, err
	case healthy:
		_ = r.judgeOpening(err)
	case !isDiskFault(err):
		_ = r.world.Violated("scenario", "S2", "the store does not open, and not because of its disk: %v", err)
	}
	return false, nil
}

// reopen boots the process when nothing can be wrong any more (S2), but bits of
// its disk.
func (r *storeRun) reopen() error { return r.judgeOpening(r.process.Boot()) }

// judgeOpening returns what a store said that was opened without faults. It is a
// violation, unless the store was killed or bits of its disk are wrong (S2).
func (r *storeRun) judgeOpening(err error) error {
	switch {
	case err == nil || errors.Is(err, world.ErrKilled) || r.process.Flipped():
		return err
	case world.IsDamage(err):
		return r.judgeDamage(err)
	}
	return r.world.Violated("scenario", "S2", "the store does not open on a healthy disk: %v", err)
}

// shutdown closes the process in an orderly way, when nothing can be wrong any
// more (S3).
func shutdown(ctx context.Context, w *world.World, process *world.Process) error {
	err := process.Shutdown(ctx)
	var violation *report.Violation
	if err == nil || errors.As(err, &violation) || ctx.Err() != nil || process.Flipped() {
		return err
	}
	return w.Violated("scenario", "S3", "an orderly end fails: %v", err)
}
