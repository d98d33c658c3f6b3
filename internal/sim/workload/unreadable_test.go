package workload

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/plinthdb/plinth/cluster"
	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// A store whose transactions bypass what is unreadable lets all be read.
func TestUnreadableFindsWhatShouldNotBeRead(t *testing.T) {
	s := newStageOn(t, func(_ *world.World, h world.Host) (*kv.Database, world.Store, error) {
		local, err := cluster.OpenLocal(context.Background(), cluster.LocalConfig{FS: h.FS, Dir: h.Dir})
		if err != nil {
			return nil, nil, err
		}
		return kv.NewDatabase(local, kv.WithTransactionDefaults(kv.WithBypassUnreadable(true))), local, nil
	})
	load := newUnreadable(rand.New(rand.NewPCG(1, 1)))
	env := s.env(load.Name(), 2)
	if err := load.Setup(s.ctx, env); err != nil {
		t.Fatal(err)
	}
	const enough = 1000 // commits without a finding
	mustViolate(t, runUntil(s.ctx, load, env, enough), "U1")
}

// mustHaveViolated fails the test unless the first violation on record is that
// of an invariant.
func mustHaveViolated(t *testing.T, s *stage, invariant string) {
	t.Helper()
	if v := s.world.Violation(); v == nil || v.Invariant != invariant {
		t.Errorf("violation %v, want one of %s", v, invariant)
	}
}

// Each case is a transaction that did something else than it was told, which
// its reads must show.
func TestUnreadableFindsWhatEachReadMustNotReturn(t *testing.T) {
	stamped := func(s *stampScene) wire.Mutation {
		return wire.Mutation{Type: wire.SetVersionstampedValue, Param1: []byte(s.keys.prefix), Param2: s.keys.stampedParam("x", 0)}
	}
	for _, c := range []struct {
		name, invariant string
		do              func(s *stampScene)
	}{
		{"nothing wrong", "", func(s *stampScene) { s.write(stamped(s)) }},
		{"a stamp that was bypassed", "U1", func(s *stampScene) {
			s.write(stamped(s))
			s.tx.SetOptions(kv.WithBypassUnreadable(true))
		}},
		{"a key that stays unreadable", "U2", func(s *stampScene) { issueMutation(s.tx, stamped(s)) }},
		{"a lost write", "U3", func(s *stampScene) {
			s.record(wire.Mutation{Type: wire.SetValue, Param1: []byte(s.keys.prefix), Param2: []byte("x")})
		}},
		{"a bypass without effect", "U4", func(s *stampScene) {
			s.write(stamped(s))
			s.bypassed = true
		}},
		{"a bypass that loses the value", "U4", func(s *stampScene) {
			s.bypass(true)
			s.open.Apply(withoutStamp(stamped(s)), 0)
		}},
		{"an own write that should be hidden", "U5", func(s *stampScene) {
			s.write(stamped(s))
			s.blind = true
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			l, env := newLedger(withoutRows), s.env("X", 1)
			client := &Client{env: env, rng: s.world.Rand("x")}
			_, err := l.transact(s.ctx, env, client, func(p *pending) error {
				scene := newStampScene(p)
				c.do(scene)
				return scene.begin(getRead(scene.keys.prefix), scene.tx)()
			})
			if c.invariant != "" {
				mustHaveViolated(t, s, c.invariant)
			} else if err != nil || s.world.Violation() != nil {
				t.Errorf("error %v, violation %v", err, s.world.Violation())
			}
		})
	}
}

// A transaction of another reads what is stored, unless the own one had been
// committed already.
func TestUnreadableFindsWhatAnotherTransactionMustNotSee(t *testing.T) {
	s := newStage(t)
	l, env := newLedger(withoutRows), s.env("X", 1)
	client := &Client{env: env, rng: s.world.Rand("x")}
	_, err := l.transact(s.ctx, env, client, func(p *pending) error {
		s.tamper(t, func(tx *kv.Transaction) { tx.Set([]byte(p.keys.prefix), []byte("early")) })
		scene := newStampScene(p)
		for range 1000 {
			if err := scene.another(); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		t.Error("nothing was found")
	}
	mustHaveViolated(t, s, "U5")
}

// A watch that fires, or lasts, was not on an unreadable key.
func TestUnreadableFindsAWatchThatDidNotFail(t *testing.T) {
	s := newStage(t)
	env := s.env("X", 1)
	client := &Client{env: env, rng: s.world.Rand("x")}
	var watch *kv.Watch
	if _, err := client.Try(s.ctx, func(tx *kv.Transaction) error {
		watch = tx.Watch(env.Key("k"))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	s.tamper(t, func(tx *kv.Transaction) { tx.Set(env.Key("k"), nil) })
	mustViolate(t, checkWatch(client, watch), "U6")
}
