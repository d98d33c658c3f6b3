package scenario

import (
	"encoding/binary"
	"maps"
	"sync"

	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/internal/sim/world"
)

// echoBooks is what everybody in the echo service knows, outside the simulated
// network.
type echoBooks struct {
	world *world.World
	mu    struct {
		sync.Mutex
		sessions uint64
		// servings is by session, answers by user.
		servings map[uint64]echoServing
		answers  map[int]uint64
	}
}

// echoServing is what a server knows of a session: next is the number of the
// next request.
type echoServing struct {
	server     string
	boot, next uint64
}

func (b *echoBooks) newSession() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.sessions++
	return b.mu.sessions
}

// served notes that a server got a request (EC3).
func (b *echoBooks) served(server string, boot uint64, request []byte) {
	if len(request) < echoRequestHeadBytes {
		_ = b.world.Violated(EchoName, "EC3", "server %s got a request of %d bytes", server, len(request))
		return
	}
	session, number := binary.BigEndian.Uint64(request), binary.BigEndian.Uint64(request[8:])
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mu.servings == nil {
		b.mu.servings = make(map[uint64]echoServing)
	}
	s, known := b.mu.servings[session]
	if !known {
		s = echoServing{server: server, boot: boot}
	}
	if s.server != server || s.boot != boot || s.next != number {
		_ = b.world.Violated(EchoName, "EC3", "server %s, boot %d, got request %d of session %d, expected is %+v",
			server, boot, number, session, s)
		return
	}
	s.next++
	b.mu.servings[session] = s
}

func (b *echoBooks) answered(user int) {
	b.world.Count(func(c *report.Report) { c.Commits++ })
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mu.answers == nil {
		b.mu.answers = make(map[int]uint64)
	}
	b.mu.answers[user]++
}

func (b *echoBooks) unknown() { b.world.Count(func(c *report.Report) { c.Unknown++ }) }

// answers returns how many answers each user got.
func (b *echoBooks) answers() map[int]uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.mu.answers)
}

// progressed reports whether each of the users got an answer since before.
func (b *echoBooks) progressed(before map[int]uint64, users int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for user := range users {
		if b.mu.answers[user] == before[user] {
			return false
		}
	}
	return true
}
