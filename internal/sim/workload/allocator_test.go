package workload

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

// checkAfter changes the store and returns the invariant that the check then
// finds violated.
func (s *stage) checkAfter(t *testing.T, load Workload, env *Env, change func(tx *kv.Transaction)) string {
	t.Helper()
	s.tamper(t, change)
	err := load.Check(s.ctx, env)
	var violation *report.Violation
	if !errors.As(err, &violation) {
		t.Fatalf("the check says %v", err)
	}
	return violation.Invariant
}

func TestChecksOfAllocatedNumbersFindWhatIsWrong(t *testing.T) {
	type rows struct{ given, counter, recent kv.KeyValue }
	for _, c := range []struct {
		name, invariant string
		change          func(env *Env, r rows, tx *kv.Transaction)
	}{
		{"a number given twice", "H1", func(env *Env, r rows, tx *kv.Transaction) {
			tx.Set(append(r.given.Key, tuple.Tuple{1}.Pack()...), nil)
		}},
		{"a lost number", "H2", func(env *Env, r rows, tx *kv.Transaction) { tx.Clear(r.given.Key) }},
		{"a number from nowhere", "H2", func(env *Env, r rows, tx *kv.Transaction) {
			tx.Set(allocatorGiven(env).Pack(tuple.Tuple{1 << 40, 1 << 40, 0}), nil)
		}},
		{"a strange row", "H2", func(env *Env, r rows, tx *kv.Transaction) { tx.Set(append(r.given.Key, 'x'), nil) }},
		{"a window far away", "H4", func(env *Env, r rows, tx *kv.Transaction) {
			tx.Set(allocatorState(env).Pack(tuple.Tuple{0, 1 << 40}), r.counter.Value)
		}},
		{"a counter that is too low", "H5", func(env *Env, r rows, tx *kv.Transaction) { tx.Set(r.counter.Key, make([]byte, 8)) }},
		{"a number that is forgotten", "H5", func(env *Env, r rows, tx *kv.Transaction) { tx.Clear(r.recent.Key) }},
		{"a number that nobody got", "H5", func(env *Env, r rows, tx *kv.Transaction) {
			tx.Set(allocatorState(env).Pack(tuple.Tuple{1, 1 << 40}), nil)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			load := newHighContentionAllocator(rand.New(rand.NewPCG(1, 1)))
			env := s.env(load.Name(), 3)
			s.play(t, load, env, func() {})
			if err := load.Check(s.ctx, env); err != nil {
				t.Fatalf("before: %v", err)
			}
			var r rows
			for _, row := range s.rows(t, env) {
				switch {
				case allocatorGiven(env).Contains(row.Key):
					r.given = row
				case allocatorState(env).Sub(0).Contains(row.Key):
					r.counter = row
				default:
					r.recent = row
				}
			}
			if got := s.checkAfter(t, load, env, func(tx *kv.Transaction) { c.change(env, r, tx) }); got != c.invariant {
				t.Errorf("the check finds %s violated, want %s", got, c.invariant)
			}
		})
	}
}

// TestAllocatorsEndureKills goes through windows of all three sizes.
func TestAllocatorsEndureKills(t *testing.T) {
	for _, first := range []int64{0, 192, 64768} {
		t.Run(fmt.Sprint(first), func(t *testing.T) {
			s := newStage(t)
			load := newHighContentionAllocator(rand.New(rand.NewPCG(1, 1)))
			load.first, load.most = first, 16
			s.endure(t, load, s.env(load.Name(), 5), 1, 40)
		})
	}
}
