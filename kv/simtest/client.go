package simtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/kv"
)

// Step is what a client does, again and again: one transaction, or a few. rng
// is the client's own. ctx ends when the step should.
//
// An error fails the test, unless it only says that the step did not get
// through: one that is kv.Retryable or kv.MaybeCommitted, or the end of a
// context. A step that waits for something must end when ctx does.
type Step func(ctx context.Context, db *kv.Database, rng *rand.Rand) error

// client is one goroutine that does steps.
type client struct {
	world    *World
	name     string
	step     Step
	embedded bool
	rng      *rand.Rand
	// steps counts those that got through.
	steps atomic.Uint64
}

// run does steps, with pauses in between, until enough ends, or fails the test. ctx ends what is under
// way.
func (c *client) run(ctx, enough context.Context, pause time.Duration) {
	for sleep(enough, time.Duration(c.rng.ExpFloat64()*float64(pause))) == nil {
		through, err := c.once(ctx, enough)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !passing(err) {
			c.world.fail(fmt.Errorf("client %q: %w", c.name, err))
			return
		}
		if through && err == nil {
			c.steps.Add(1)
		}
		c.world.world.Trace("client %s step %d: %v", c.name, c.steps.Load(), err)
	}
}

// once does one step and reports whether it was not cut off.
func (c *client) once(ctx, enough context.Context) (through bool, err error) {
	if !c.embedded {
		return true, c.step(ctx, c.world.db, c.rng)
	}
	inc, err := c.world.process.Wait(enough)
	if err != nil {
		return false, nil // enough
	}
	stepCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(inc.Context(), func() { cancel(inc.Death()) })()
	err = c.step(stepCtx, inc.DB(), c.rng)
	if inc.Dead() || c.dying(inc, err) {
		return false, nil
	}
	return true, err
}

// dying reports whether the store of inc, with which a step failed with err, has
// failed by a fault of its disk. Its process then dies.
func (c *client) dying(inc *world.Incarnation, err error) bool {
	if err == nil || !c.world.diskMayFail(inc.Number()) {
		return false
	}
	local := c.world.opener.of(inc)
	if !isStoreFailure(err) && (local == nil || local.Err() == nil) {
		return false
	}
	inc.Abandon(err)
	return true
}

// passing reports whether err only says that a step did not get through.
func passing(err error) bool {
	return kv.Retryable(err) || kv.MaybeCommitted(err) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// sleep waits for d, or returns the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
