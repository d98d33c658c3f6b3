package scenario

import (
	"context"
	"errors"
	"time"

	"github.com/plinthdb/plinth/internal/sim/world"
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
			downtime := time.Duration(rng.Float64() * float64(r.swarm.Downtime))
			if sleep(ctx, downtime+backoff) != nil {
				return
			}
			healthy := !shared.DiskMayFail(r.process.Boots() + 1)
			if healthy && rng.Float64() < checkProbability {
				_, err := r.process.Check(ctx)
				if err != nil && ctx.Err() == nil && !r.process.Flipped() {
					_ = r.world.Violated("scenario", "S5", "after a crash: %v", err)
				}
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

// boot boots the process once. Once faults have ended that must succeed (S2).
// It returns an error if the store found damage in its files.
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
	case healthy && !r.process.Flipped():
		_ = r.world.Violated("scenario", "S2", "the store does not open on a healthy disk: %v", err)
	}
	return false, nil
}
