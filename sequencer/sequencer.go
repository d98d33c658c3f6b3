package sequencer

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wire"
)

// Config is what a sequencer is recruited with.
type Config struct {
	// Role is this recruitment's id.
	Role wire.RoleID
	// Floor is the version that the chain starts from; it counts as committed.
	Floor wire.Version
	// MapVersion is the version of the newest metadata change at recruitment.
	MapVersion wire.Version
	// RequestEmptyBatch asks some proxy to commit an empty batch soon. It must
	// not block. Nil if there are no metadata changes.
	RequestEmptyBatch func()
}

// Sequencer is the shell around an Allocator. All methods are safe for
// concurrent use.
type Sequencer struct {
	config Config
	start  time.Time
	done   chan struct{}
	// committed repeats the allocator's, so that read versions cost no lock.
	committed atomic.Int64

	mu struct {
		sync.Mutex
		closed    bool
		allocator *Allocator
		proxies   map[wire.RoleID]lastAnswer
		metadata  metadata
		// micros is the clock as it was read last; leapMicros is what fault sites
		// have added to it.
		micros, leapMicros int64
		// advanced is closed, and replaced, when the committed version grows
		// while somebody waits for that; nil if nobody does.
		advanced chan struct{}
	}
}

// maxProxies bounds the proxies that a generation can have: far more than are
// recruited, since the end of a commit proxy ends the generation.
const maxProxies = 1_000

// lastAnswer is what a proxy was answered last (S4).
type lastAnswer struct {
	number uint64
	reply  wire.CommitVersionReply
}

// New starts a sequencer. Close ends it.
func New(config Config) *Sequencer {
	if config.RequestEmptyBatch == nil {
		config.RequestEmptyBatch = func() {}
	}
	s := &Sequencer{config: config, start: time.Now(), done: make(chan struct{})}
	s.committed.Store(int64(config.Floor))
	s.mu.allocator = NewAllocator(config.Floor, 0)
	s.mu.proxies = make(map[wire.RoleID]lastAnswer)
	s.mu.metadata.dropped = config.MapVersion
	return s
}

// NextVersion hands out the next version, or repeats the last answer for a
// repeated request. It waits while too many versions are in flight (S3).
//
// It returns ErrStaleRole for another recruitment's id, for a request older
// than the last one, for a proxy that missed metadata changes, and for one
// proxy too many; ErrGenerationEnded after Close; the context's cause if that
// ends first.
func (s *Sequencer) NextVersion(ctx context.Context, req wire.CommitVersionRequest) (wire.CommitVersionReply, error) {
	for {
		reply, wait, err := s.tryNext(req)
		if err != nil || wait == nil {
			return reply, err
		}
		if err := s.waitFor(ctx, wait); err != nil {
			return reply, err
		}
	}
}

// tryNext answers at once, or returns the channel to wait on before the next
// attempt.
func (s *Sequencer) tryNext(req wire.CommitVersionRequest) (wire.CommitVersionReply, chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var none wire.CommitVersionReply
	if s.mu.closed {
		return none, nil, wire.ErrGenerationEnded
	}
	if req.Role != s.config.Role {
		return none, nil, wire.ErrStaleRole
	}
	last := s.mu.proxies[req.Proxy]
	switch {
	case req.Number == last.number && req.Number != 0:
		return last.reply, nil, nil
	case last.number == 0 && len(s.mu.proxies) >= maxProxies:
		return none, nil, wire.ErrStaleRole.With("%d proxies have asked for versions in this generation, which is the limit; it has to end", maxProxies)
	case req.Number != last.number+1:
		return none, nil, wire.ErrStaleRole.With("version request %d after request %d of the same proxy", req.Number, last.number)
	}
	changes, ok := s.mu.metadata.after(req.Applied)
	if !ok {
		return none, nil, wire.ErrStaleRole.With("the proxy has missed metadata changes after version %d", req.Applied)
	}
	prev, version, ok := s.mu.allocator.Next(s.microsLocked())
	if !ok {
		return none, s.advancedLocked(), nil
	}
	if s.mu.metadata.pending != nil {
		s.mu.metadata.bind(version)
		changes, _ = s.mu.metadata.after(req.Applied)
	}
	reply := wire.CommitVersionReply{Prev: prev, Version: version, Metadata: changes}
	s.mu.proxies[req.Proxy] = lastAnswer{number: req.Number, reply: reply}
	return reply, nil, nil
}

// microsLocked reads the clock. Fault sites let it stand still and leap ahead:
// nothing may rest on it but how dense versions are.
func (s *Sequencer) microsLocked() int64 {
	if fault.Point("sequencer.clock.stand") {
		return s.mu.micros
	}
	if fault.Point("sequencer.clock.leap") {
		s.mu.leapMicros += rand.Int64N(maxLeapMicros)
	}
	s.mu.micros = time.Since(s.start).Microseconds() + s.mu.leapMicros
	return s.mu.micros
}

// maxLeapMicros bounds one leap of the clock.
const maxLeapMicros = 50_000

// ReportCommitted notes that version is durable on every log group. It returns
// ErrStaleRole for another recruitment's id.
func (s *Sequencer) ReportCommitted(_ context.Context, role wire.RoleID, version wire.Version) error {
	if role != s.config.Role {
		return wire.ErrStaleRole
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.mu.allocator.Commit(version) {
		return nil
	}
	s.committed.Store(int64(version))
	if s.mu.advanced != nil {
		close(s.mu.advanced)
		s.mu.advanced = nil
	}
	return nil
}

// CommittedVersion returns the highest version that is known to be durable on
// every log group: every commit acknowledged before the call is at or below
// it. It returns ErrStaleRole for another recruitment's id.
func (s *Sequencer) CommittedVersion(_ context.Context, role wire.RoleID) (wire.Version, error) {
	if role != s.config.Role {
		return 0, wire.ErrStaleRole
	}
	return s.Committed(), nil
}

// Committed is CommittedVersion for those who hold the sequencer itself.
func (s *Sequencer) Committed() wire.Version { return wire.Version(s.committed.Load()) }

// WaitCommitted returns once version is committed. It returns
// ErrGenerationEnded after Close, and the context's cause if that ends first.
func (s *Sequencer) WaitCommitted(ctx context.Context, version wire.Version) error {
	for {
		s.mu.Lock()
		if s.mu.allocator.Committed() >= version {
			s.mu.Unlock()
			return nil
		}
		wait := s.advancedLocked()
		s.mu.Unlock()
		if err := s.waitFor(ctx, wait); err != nil {
			return err
		}
	}
}

// Close ends the sequencer: whoever waits, and every later request for a
// version, gets ErrGenerationEnded.
func (s *Sequencer) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.mu.closed {
		s.mu.closed = true
		close(s.done)
	}
}

func (s *Sequencer) advancedLocked() chan struct{} {
	if s.mu.advanced == nil {
		s.mu.advanced = make(chan struct{})
	}
	return s.mu.advanced
}

func (s *Sequencer) waitFor(ctx context.Context, advanced chan struct{}) error {
	select {
	case <-advanced:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.done:
		return wire.ErrGenerationEnded
	}
}
