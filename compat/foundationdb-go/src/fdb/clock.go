package fdb

import (
	"context"
	"time"

	"github.com/plinthdb/plinth/kv"
)

// clockInterval is how long versions stand still at most, once a program has
// looked at one. The store lets them make up for a second of idleness, so it must
// be shorter.
const clockInterval = 500 * time.Millisecond

// clockKey is what the clock's commits name, and nobody reads.
const clockKey = "\xff/plinth/compat/clock"

// keepTime lets versions go on while nobody commits, until the store is closed.
// FoundationDB's do, by about a million a second, and programs use them as a
// clock, for leases. It costs a small commit twice a second, so only programs
// that ask for a version pay.
func (s *store) keepTime() {
	if s.ticking.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.mu.closed && !s.ticking.Swap(true) {
		s.group.Go(s.tick)
	}
}

func (s *store) tick() {
	ticker := time.NewTicker(clockInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.advance()
		case <-s.embedded.Ended():
			return
		}
	}
}

// advance lets the version go on to now, by a commit that writes nothing. If it
// fails the next one makes up for it.
func (s *store) advance() {
	tx := s.db.Begin(context.Background(), kv.WithSystemKeys(true), kv.WithLockAware(true))
	defer tx.Cancel()
	tx.AddWriteConflictKey([]byte(clockKey))
	_ = tx.Commit()
}
