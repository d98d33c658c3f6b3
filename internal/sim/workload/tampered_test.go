package workload

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/plinthdb/plinth/cluster"
	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// tampering is what a store does wrong, each time that it is asked.
type tampering struct {
	// version changes the version of a read.
	version func(wire.Version) wire.Version
	// key changes the key that a selector names.
	key func(key []byte) []byte
	// commit takes the place of the store's Commit.
	commit func(r *wire.CommitRequest, commit func() (wire.CommitReply, error)) (wire.CommitReply, error)
	// watch takes the place of the store's Watch.
	watch func(*wire.WatchRequest) (wire.WatchReply, error)
}

// tampered is a store that is honest until it is told otherwise.
type tampered struct {
	kv.Backend
	with atomic.Pointer[tampering]
}

// newTamperedStage is newStage with a store to tamper with.
func newTamperedStage(t *testing.T, options ...kv.DatabaseOption) (*stage, *tampered) {
	t.Helper()
	b := &tampered{}
	b.with.Store(&tampering{})
	s := newStageOn(t, func(_ *world.World, h world.Host) (*kv.Database, world.Store, error) {
		local, err := cluster.OpenLocal(context.Background(), cluster.LocalConfig{FS: h.FS, Dir: h.Dir})
		if err != nil {
			return nil, nil, err
		}
		b.Backend = local
		return kv.NewDatabase(b, options...), local, nil
	})
	return s, b
}

func (b *tampered) at(v wire.Version) wire.Version {
	if change := b.with.Load().version; change != nil {
		return change(v)
	}
	return v
}

func (b *tampered) GetValues(ctx context.Context, r *wire.GetValuesRequest) (wire.GetValuesReply, error) {
	changed := *r
	changed.Version = b.at(r.Version)
	return b.Backend.GetValues(ctx, &changed)
}

func (b *tampered) GetRange(ctx context.Context, r *wire.GetRangeRequest) (wire.GetRangeReply, error) {
	changed := *r
	changed.Version = b.at(r.Version)
	return b.Backend.GetRange(ctx, &changed)
}

func (b *tampered) GetKey(ctx context.Context, r *wire.GetKeyRequest) (wire.GetKeyReply, error) {
	changed := *r
	changed.Version = b.at(r.Version)
	reply, err := b.Backend.GetKey(ctx, &changed)
	if change := b.with.Load().key; change != nil {
		reply.Key = change(reply.Key)
	}
	return reply, err
}

func (b *tampered) Commit(ctx context.Context, r *wire.CommitRequest) (wire.CommitReply, error) {
	commit := func() (wire.CommitReply, error) { return b.Backend.Commit(ctx, r) }
	if instead := b.with.Load().commit; instead != nil {
		return instead(r, commit)
	}
	return commit()
}

func (b *tampered) Watch(ctx context.Context, r *wire.WatchRequest) (wire.WatchReply, error) {
	if instead := b.with.Load().watch; instead != nil {
		return instead(r)
	}
	return b.Backend.Watch(ctx, r)
}

// answerWith returns a tampering that changes the answers to commits.
func answerWith(change func(*wire.CommitReply)) *tampering {
	return &tampering{commit: func(_ *wire.CommitRequest, commit func() (wire.CommitReply, error)) (wire.CommitReply, error) {
		reply, err := commit()
		change(&reply)
		return reply, err
	}}
}

// refuse returns a tampering that refuses commits for a conflict.
func refuse(which func(*wire.CommitRequest) bool) *tampering {
	return &tampering{commit: func(r *wire.CommitRequest, commit func() (wire.CommitReply, error)) (wire.CommitReply, error) {
		if which(r) {
			return wire.CommitReply{}, wire.ErrNotCommitted
		}
		return commit()
	}}
}

// readAt returns a tampering that reads so many versions later.
func readAt(later wire.Version) *tampering {
	return &tampering{version: func(v wire.Version) wire.Version { return v + later }}
}

func anyCommit(*wire.CommitRequest) bool     { return true }
func readingOnes(r *wire.CommitRequest) bool { return len(r.ReadConflicts) > 0 }

// client returns a client of the workload that the test drives by hand.
func (s *stage) client(env *Env) *Client { return &Client{env: env, rng: s.world.Rand("by hand")} }

// do calls f in a transaction of c, which is to find something.
func (s *stage) do(c *Client, f func(tx *kv.Transaction) error) {
	_, _ = c.Try(s.ctx, f) // the world knows the first violation
}

// beside calls f with a transaction beside one of c.
func (s *stage) beside(c *Client, f func(tx *kv.Transaction) error) {
	s.do(c, func(*kv.Transaction) error { return c.beside(f) })
}

// until calls f until something is found, but not for ever.
func (s *stage) until(f func()) {
	for range 1000 {
		if f(); s.world.Violation() != nil {
			return
		}
	}
}

// mustFind fails the test unless the first violation is one of that invariant.
func (s *stage) mustFind(t *testing.T, source, invariant string) {
	t.Helper()
	switch v := s.world.Violation(); {
	case v == nil:
		t.Errorf("nothing was found, want a violation of %s", invariant)
	case v.Source != source || v.Invariant != invariant:
		t.Errorf("found %v, want a violation of %s by %s", v, invariant, source)
	}
}
