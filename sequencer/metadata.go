package sequencer

import (
	"context"

	"github.com/plinthdb/plinth/internal/wire"
)

// maxMetadataHistory bounds how many metadata changes are kept for proxies
// that have not asked since. A proxy that is further behind is refused and has
// to be replaced: it could not route correctly any more.
const maxMetadataHistory = 10_000

// ChangeRequest is a blind write to the cluster's metadata by the controller.
type ChangeRequest struct {
	Role wire.RoleID
	// Term is the controller's term; an older controller is refused.
	Term uint64
	// ExpectedMapVersion is the version of the last change the author knows
	// of; the change is refused if there was a newer one.
	ExpectedMapVersion wire.Version
	// Mutations is a mutation list on system keys.
	Mutations []byte
}

// metadata is the order of metadata changes. Its fields are guarded by the
// sequencer's lock.
type metadata struct {
	term uint64
	// history holds the changes bound to a version, oldest first.
	history []wire.MetadataChange
	// dropped is the version of the newest change that history lost.
	dropped wire.Version
	// pending is the change that the next version will carry, nil if none.
	pending *pendingChange
}

type pendingChange struct {
	mutations []byte
	// bound is closed once version is set.
	bound   chan struct{}
	version wire.Version
}

// mapVersion returns the version of the newest bound change.
func (m *metadata) mapVersion() wire.Version {
	if n := len(m.history); n > 0 {
		return m.history[n-1].Version
	}
	return m.dropped
}

// bind attaches the pending change to version (S5).
func (m *metadata) bind(version wire.Version) {
	if m.pending == nil {
		return
	}
	m.history = append(m.history, wire.MetadataChange{Version: version, Mutations: m.pending.mutations})
	if len(m.history) > maxMetadataHistory {
		m.dropped = m.history[0].Version
		m.history = append(m.history[:0], m.history[1:]...)
	}
	m.pending.version = version
	close(m.pending.bound)
	m.pending = nil
}

// after returns the changes after version applied, oldest first. ok is false
// if some of them are no longer kept.
func (m *metadata) after(applied wire.Version) (changes []wire.MetadataChange, ok bool) {
	if applied < m.dropped {
		return nil, false
	}
	first := len(m.history)
	for first > 0 && m.history[first-1].Version > applied {
		first--
	}
	if first == len(m.history) {
		return nil, true
	}
	return append([]wire.MetadataChange(nil), m.history[first:]...), true
}

// Change binds a metadata change to the next version handed out and returns
// that version once it is committed.
//
// It returns ErrStaleRole for another recruitment's id or an older
// controller's term, ErrClientInvalidOperation if there was a change that the
// author does not know of or if another one is still waiting for its version,
// and the context's cause if that ends first: the change may then still happen.
func (s *Sequencer) Change(ctx context.Context, req ChangeRequest) (wire.Version, error) {
	change, err := s.acceptChange(req)
	if err != nil {
		return 0, err
	}
	// When the store is idle nobody asks for a version: have a proxy commit an
	// empty batch. It finds the change bound to its version.
	s.config.RequestEmptyBatch()
	select {
	case <-change.bound:
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	case <-s.done:
		return 0, wire.ErrGenerationEnded
	}
	return change.version, s.WaitCommitted(ctx, change.version)
}

func (s *Sequencer) acceptChange(req ChangeRequest) (*pendingChange, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &s.mu.metadata
	switch {
	case req.Role != s.config.Role:
		return nil, wire.ErrStaleRole
	case req.Term < m.term:
		return nil, wire.ErrStaleRole.With("metadata change by the controller of term %d, but term %d has begun", req.Term, m.term)
	case req.ExpectedMapVersion != m.mapVersion():
		return nil, wire.ErrClientInvalidOperation.With("metadata change expects map version %d, but it is %d", req.ExpectedMapVersion, m.mapVersion())
	case m.pending != nil:
		return nil, wire.ErrClientInvalidOperation.With("another metadata change is waiting for its version")
	}
	m.term = req.Term
	m.pending = &pendingChange{mutations: req.Mutations, bound: make(chan struct{})}
	return m.pending, nil
}
