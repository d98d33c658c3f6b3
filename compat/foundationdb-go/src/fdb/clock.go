package fdb

import (
	"sync/atomic"
	"time"

	"github.com/plinthdb/plinth/kv"
)

// clockInterval is how long versions stand still at most, once a program has
// looked at one. The store lets them make up for a second of idleness, so it must
// be shorter.
const clockInterval = 500 * time.Millisecond

// clockKey is what the clock's commits name, and nobody reads.
const clockKey = "\xff/plinth/compat/clock"

// clockPatience is how many intervals the clock goes on after the last look: for
// ten minutes.
const clockPatience = int(10 * time.Minute / clockInterval)

// clock says whether versions have to go on by themselves. Its zero value
// stands still.
type clock struct {
	running atomic.Bool // somebody ticks
	looked  atomic.Bool // since the last tick
	idle    int         // ticks since the last look, of whoever ticks
}

// look notes that the program looks at a version. It reports true if the caller
// has to tick from now on.
func (c *clock) look() (start bool) {
	if !c.looked.Load() {
		c.looked.Store(true)
	}
	return !c.running.Load() && !c.running.Swap(true)
}

// tick notes that an interval has passed. It reports false if nobody has looked
// for so long that the clock stops.
func (c *clock) tick() (goOn bool) {
	c.idle++
	if c.looked.Swap(false) {
		c.idle = 0
	}
	if c.idle < clockPatience {
		return true
	}
	c.idle = 0
	c.running.Store(false)
	return c.looked.Load() && !c.running.Swap(true) // who looked in between saw it running
}

// keepTime lets versions go on while nobody commits, until the program has not
// looked at one for ten minutes, or the store is closed. FoundationDB's always
// go on, by about a million a second, and programs use them as a clock, for
// leases. It costs a small commit twice a second, so only programs that ask for
// a version pay.
func (s *store) keepTime() {
	if !s.clock.look() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.mu.closed {
		s.group.Go(s.tick)
	}
}

func (s *store) tick() {
	ticker := time.NewTicker(clockInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if !s.clock.tick() {
				return
			}
			s.advance()
		case <-s.embedded.Ended():
			return
		}
	}
}

// advance lets the version go on to now, by a commit that writes nothing. If it
// fails the next one makes up for it.
func (s *store) advance() {
	tx := s.db.Begin(s.ctx, kv.WithSystemKeys(true), kv.WithLockAware(true))
	defer tx.Cancel()
	tx.AddWriteConflictKey([]byte(clockKey))
	_ = tx.Commit()
}
