package host

import (
	"errors"
	"time"
)

const (
	// epochSeconds is when every run begins: 2026-01-01T00:00:00Z.
	epochSeconds = 1_767_225_600
	// lookCost is what one look at the clock costs, so that time passes even
	// in a loop that waits for it.
	lookCost = time.Microsecond
	// busyLimit is how long the program may go on without ever having nothing
	// to do, by its own clock and by the real one: no run needs a tenth of it, the
	// latter on a machine that has many other things to do.
	busyLimit     = 2 * time.Second
	busyWallLimit = 5 * time.Minute
)

var errBusy = errors.New("the program looks at the clock again and again and never waits: a busy loop")

// clock is the time of one run. It passes when the program looks at it, and
// when the program has nothing to do but wait.
type clock struct {
	now   time.Duration
	looks uint64
	// rested is when the program last waited, by its own clock and by the real
	// one.
	rested     time.Duration
	restedWall time.Time
	// check is called at each look and each wait; it panics to stop the run.
	check func()
}

func (c *clock) look() time.Duration {
	c.check()
	c.looks++
	c.now += lookCost
	if c.now-c.rested > busyLimit {
		panic(errBusy)
	}
	return c.now
}

func (c *clock) walltime() (seconds int64, nanoseconds int32) {
	now := c.look()
	return epochSeconds + int64(now/time.Second), int32(now % time.Second)
}

// nanotime starts above zero, which the Go runtime takes for "no time".
func (c *clock) nanotime() int64 { return int64(time.Second + c.look()) }

func (c *clock) sleep(ns int64) {
	c.check()
	if ns > 0 {
		c.now += time.Duration(ns)
		c.rested, c.restedWall = c.now, time.Now()
	}
}
