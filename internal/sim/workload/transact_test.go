package workload

import (
	"context"
	"slices"
	"testing"

	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/kv"
)

// transactNames are the workloads that leave transactions to Transact.
func transactNames() []string { return []string{"BankTransfers", "Cycle", "Increment", "ListAppend"} }

// alwaysTransact is env with clients that leave everything to Transact.
func (s *stage) alwaysTransact(name string) *Env {
	env := s.env(name, 4)
	env.habits = Habits{TransactProbability: 1, InStep: true}
	return env
}

func TestWorkloadsThatTransactEndureBadLinesAndKills(t *testing.T) {
	for _, name := range transactNames() {
		t.Run(name, func(t *testing.T) {
			s := newBadLineStage(t, func(b kv.Backend) kv.Backend { return b })
			load, err := New(name, s.world.Rand(name))
			if err != nil {
				t.Fatal(err)
			}
			s.endure(t, load, s.alwaysTransact(name), 1, 40)
			if s.world.Report().Retries == 0 {
				t.Error("nothing was ever run again")
			}
		})
	}
}

func TestWorkloadsThatTransactFindWhatIsAppliedTwice(t *testing.T) {
	for name, invariants := range map[string][]string{
		"BankTransfers": {"B3", "B4"}, "Increment": {"I2", "I3"}, "ListAppend": {"L1", "L2"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newBadLineStage(t, func(b kv.Backend) kv.Backend { return blind{Backend: b, toIDs: true} })
			load, err := New(name, s.world.Rand(name))
			if err != nil {
				t.Fatal(err)
			}
			violation := s.violate(t, load, s.alwaysTransact(name))
			if !slices.Contains(invariants, violation.Invariant) {
				t.Errorf("violated is %v, want one of %v", violation, invariants)
			}
		})
	}
}

// violate runs a workload until something finds a violation.
func (s *stage) violate(t *testing.T, load Workload, env *Env) *report.Violation {
	t.Helper()
	if err := load.Setup(s.ctx, env); err != nil {
		t.Fatal(err)
	}
	if l, ok := load.(*listAppend); ok {
		l.recorder.limit = 20 // it checks whole windows only
	}
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- load.Run(ctx, env) }()
	for s.world.Violation() == nil {
		if err := load.Check(s.ctx, env); err != nil && s.world.Violation() == nil {
			t.Fatal(err)
		}
	}
	stop()
	<-ended
	return s.world.Violation()
}
