package workload

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// mustViolate fails the test unless err is a violation of one of invariants.
func mustViolate(t *testing.T, err error, invariants ...string) {
	t.Helper()
	var violation *report.Violation
	if !errors.As(err, &violation) || !slices.Contains(invariants, violation.Invariant) {
		t.Errorf("error %v, want a violation of one of %v", err, invariants)
	}
}

func TestLedgersFindWhatIsWrong(t *testing.T) {
	marker := func(number uint64, stamp byte) []byte {
		value := binary.BigEndian.AppendUint64(nil, number)
		return append(value, bytes.Repeat([]byte{stamp}, wire.StampBytes)...)
	}
	for _, c := range []struct {
		name, invariant string
		tamper          func(env *Env, l *ledger, tx *kv.Transaction)
	}{
		{"a row that changed", "L1", func(env *Env, _ *ledger, tx *kv.Transaction) {
			tx.Set([]byte(dataPrefix(env, 0)+"a"), []byte("tampered"))
		}},
		{"a row of nobody", "L1", func(env *Env, _ *ledger, tx *kv.Transaction) { tx.Set(env.Key("stray"), nil) }},
		{"a lost marker", "L2", func(env *Env, _ *ledger, tx *kv.Transaction) { tx.Clear(markerKey(env, 0)) }},
		{"a damaged marker", "L2", func(env *Env, _ *ledger, tx *kv.Transaction) { tx.Set(markerKey(env, 0), []byte("x")) }},
		{"a transaction that never was", "L2", func(env *Env, l *ledger, tx *kv.Transaction) {
			tx.Set(markerKey(env, 0), marker(l.mu.accounts[0].begun+1, 0))
		}},
		{"another stamp", "L3", func(env *Env, l *ledger, tx *kv.Transaction) {
			tx.Set(markerKey(env, 0), marker(l.mu.accounts[0].settled, 1))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			load := newAPICorrectness(rand.New(rand.NewPCG(1, 1)))
			env := s.env(load.Name(), 1)
			s.play(t, load, env, func() {})
			if err := load.Check(s.ctx, env); err != nil {
				t.Fatalf("before: %v", err)
			}
			s.tamper(t, func(tx *kv.Transaction) { c.tamper(env, load.ledger, tx) })
			mustViolate(t, load.Check(s.ctx, env), c.invariant)
		})
	}
}

// TestClientsFindWhatTheyDidNotWrite: after every key of a client was changed
// behind its back, its own reads must show it.
func TestClientsFindWhatTheyDidNotWrite(t *testing.T) {
	for name, invariants := range map[string][]string{
		"ApiCorrectness":          {"P1"},
		"AtomicOpsApiCorrectness": {"M1", "M2"},
		"FuzzApiCorrectness":      {"F3", "F4", "F5"},
		"RyowCorrectness":         {"R1", "R2"},
		"SelectorCorrectness":     {"K1"},
		"Unreadable":              {"U3", "U4", "U5"},
		"WriteDuringRead":         {"D1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			load, err := New(name, s.world.Rand(name))
			if err != nil {
				t.Fatal(err)
			}
			env := s.env(name, 1)
			s.play(t, load, env, func() {})
			s.tamper(t, func(tx *kv.Transaction) {
				keys := apiKeys{rng: s.world.Rand("tamper"), prefix: dataPrefix(env, 0)}
				inner := apiKeys{rng: keys.rng, prefix: keys.prefix + "m/"}
				tx.ClearRange(keys.all().KeyRange())
				for range 300 {
					tx.Set([]byte(keys.key()), []byte("tampered"))
					tx.Set([]byte(inner.key()), []byte("tampered"))
				}
				for i := range byte(10) {
					tx.Set([]byte(keys.prefix+"k0"+string('0'+i)), []byte("tampered"))
				}
			})
			const enough = 3000 // commits without a finding
			mustViolate(t, runUntil(s.ctx, load, env, enough), invariants...)
		})
	}
}

// runUntil runs a workload until it ends or has so many commits.
func runUntil(ctx context.Context, load Workload, env *Env, commits uint64) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- load.Run(ctx, env) }()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-ticker.C:
			if slices.Max(env.Commits()) >= commits {
				stop()
			}
		}
	}
}

// unsettled commits something in one transaction, or does not, and lets the
// ledger believe that the outcome is unknown.
func unsettled(t *testing.T, s *stage, l *ledger, env *Env, c *Client, commit bool) *pending {
	t.Helper()
	for {
		var p *pending
		outcome, err := c.Try(s.ctx, func(tx *kv.Transaction) error {
			p = l.begin(env, c, tx)
			p.write(wire.Mutation{Type: wire.SetValue, Param1: []byte(p.keys.prefix), Param2: []byte{byte(p.number)}})
			p.write(wire.Mutation{Type: wire.SetVersionstampedValue, Param1: []byte(p.keys.prefix + "a"), Param2: p.keys.stampedParam("", 0)})
			l.mark(p)
			if !commit {
				return kv.ErrNotCommitted
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if (outcome == Committed) != commit { // on a machine that stalls
			if err := l.finish(env, c, p, outcome); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := l.finish(env, c, p, Unknown); err != nil {
			t.Fatal(err)
		}
		return p
	}
}

// settled settles the outcome that is unknown.
func settled(s *stage, l *ledger, env *Env, c *Client) error {
	for {
		if ready, err := l.settle(s.ctx, env, c); err != nil || ready {
			return err
		}
	}
}

func TestUnknownOutcomesAreFoundOutExactly(t *testing.T) {
	s := newStage(t)
	l, env := newLedger(withoutRows), s.env("X", 1)
	c := &Client{env: env, rng: s.world.Rand("x")}
	want := uint64(0)
	for _, commit := range []bool{false, true, true, false, true} {
		p := unsettled(t, s, l, env, c, commit)
		if err := l.check(s.ctx, env, nil); err != nil {
			t.Fatalf("while it was unknown: %v", err)
		}
		if commit {
			want = p.number
		}
		err := settled(s, l, env, c)
		if settled := l.mu.accounts[0].settled; err != nil || settled != want {
			t.Fatalf("settled %d, want %d, error %v", settled, want, err)
		}
		if err := l.check(s.ctx, env, nil); err != nil {
			t.Fatalf("once it was known: %v", err)
		}
	}
}

func TestWhatWasFoundMustNotBeLost(t *testing.T) {
	s := newStage(t)
	l, env := newLedger(withoutRows), s.env("X", 1)
	c := &Client{env: env, rng: s.world.Rand("x")}
	unsettled(t, s, l, env, c, true)
	if err := l.check(s.ctx, env, nil); err != nil {
		t.Fatal(err)
	}
	s.tamper(t, func(tx *kv.Transaction) { tx.ClearRange(kv.PrefixRange(env.Key(""))) })
	mustViolate(t, settled(s, l, env, c), "L2")
}

func TestAProcessThatDiesInACommitLeavesAllOrNothing(t *testing.T) {
	s := newStage(t)
	l, env := newLedger(withoutRows), s.env("X", 1)
	c := &Client{env: env, rng: s.world.Rand("x")}
	outcome, err := l.transact(s.ctx, env, c, func(p *pending) error {
		p.write(wire.Mutation{Type: wire.SetValue, Param1: []byte(p.keys.prefix), Param2: []byte("v")})
		s.process.Kill()
		return nil
	})
	if err != nil || outcome != Unknown {
		t.Fatalf("outcome %v, error %v", outcome, err)
	}
	if err := s.process.Boot(); err != nil {
		t.Fatal(err)
	}
	for outcome != Committed {
		outcome, err = l.transact(s.ctx, env, c, func(p *pending) error {
			return p.begin("P1", getRead(p.keys.prefix), p.tx, p.rows)()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := l.check(s.ctx, env, nil); err != nil {
		t.Error(err)
	}
}
