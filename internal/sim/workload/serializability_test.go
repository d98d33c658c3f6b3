package workload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/plinthdb/plinth/cluster"
	"github.com/plinthdb/plinth/internal/sim/history"
	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// liar is a store with a bug: each method has a hook that may change what is
// asked or answered.
type liar struct {
	kv.Backend
	mu  sync.Mutex
	rng *rand.Rand

	values func(*wire.GetValuesRequest)
	rows   func(*wire.GetRangeRequest)
	commit func(*wire.CommitRequest)
	answer func(wire.CommitReply, error) (wire.CommitReply, error)
}

// sometimes is true for every tenth call.
func (l *liar) sometimes() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rng.IntN(10) == 0
}

func (l *liar) GetValues(ctx context.Context, req *wire.GetValuesRequest) (wire.GetValuesReply, error) {
	if l.values != nil && l.sometimes() {
		l.values(req)
	}
	return l.Backend.GetValues(ctx, req)
}

func (l *liar) GetRange(ctx context.Context, req *wire.GetRangeRequest) (wire.GetRangeReply, error) {
	if l.rows != nil && l.sometimes() {
		l.rows(req)
	}
	return l.Backend.GetRange(ctx, req)
}

func (l *liar) Commit(ctx context.Context, req *wire.CommitRequest) (wire.CommitReply, error) {
	if l.commit != nil && l.sometimes() {
		l.commit(req)
	}
	reply, err := l.Backend.Commit(ctx, req)
	if l.answer != nil && l.sometimes() {
		return l.answer(reply, err)
	}
	return reply, err
}

// newLyingStage is newStage with a store that has a bug.
func newLyingStage(t *testing.T, bug func(l *liar)) *stage {
	t.Helper()
	return newStageOn(t, func(w *world.World, h world.Host) (*kv.Database, world.Store, error) {
		local, err := cluster.OpenLocal(context.Background(), cluster.LocalConfig{FS: h.FS, Dir: h.Dir})
		if err != nil {
			return nil, nil, err
		}
		l := &liar{Backend: local, rng: w.Rand("liar")}
		bug(l)
		return kv.NewDatabase(l), local, nil
	})
}

// bugs are what a store could do wrong.
func bugs() map[string]func(l *liar) {
	return map[string]func(l *liar){
		"none":                      func(*liar) {},
		"ignores a read conflict":   func(l *liar) { l.commit = func(r *wire.CommitRequest) { r.ReadConflicts = nil } },
		"reads values at version-1": func(l *liar) { l.values = func(r *wire.GetValuesRequest) { r.Version-- } },
		"reads ranges at version-1": func(l *liar) { l.rows = func(r *wire.GetRangeRequest) { r.Version-- } },
		// The read of a whole workload is spared, by which the journal is judged.
		"reads parts at version-1": func(l *liar) {
			l.rows = func(r *wire.GetRangeRequest) {
				if bytes.Contains(r.End, []byte("/")) {
					r.Version--
				}
			}
		},
		"loses a write": func(l *liar) {
			l.commit = func(r *wire.CommitRequest) { r.Mutations = nil; r.HasVersionstamps = false }
		},
		"commits what it refuses": func(l *liar) {
			l.answer = func(wire.CommitReply, error) (wire.CommitReply, error) {
				return wire.CommitReply{}, wire.ErrNotCommitted
			}
		},
		"returns another stamp": func(l *liar) {
			l.answer = func(r wire.CommitReply, err error) (wire.CommitReply, error) {
				r.Stamp = wire.MakeStamp(r.Version, 1<<15)
				return r, err
			}
		},
	}
}

// search plays a workload in rounds until something is found. The clients hold
// transactions open now and then, so that they overlap on any machine.
func search(t *testing.T, s *stage, construct func(rng *rand.Rand) Workload, rounds int) *report.Violation {
	t.Helper()
	for round := range rounds {
		load := construct(rand.New(rand.NewPCG(uint64(round), 7)))
		env := NewEnv(s.world, s.process, &s.shared, EnvConfig{
			Name: fmt.Sprint(load.Name(), round), Clients: 6, Pause: time.Microsecond, Habits: Habits{Dawdle: time.Millisecond},
		})
		if b, ok := load.(*bankTransfers); ok {
			env.name, b.accounts = load.Name(), 4
			if round > 0 {
				s.tamper(t, func(tx *kv.Transaction) { tx.ClearRange(kv.PrefixRange(env.Key(""))) })
			}
		}
		if err := load.Setup(s.ctx, env); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(s.ctx)
		ended := make(chan error, 1)
		go func() { ended <- load.Run(ctx, env) }()
		awaitCommitsOrEnd(s.ctx, env, 200)
		stop()
		err := <-ended
		if err == nil && s.ctx.Err() == nil {
			err = load.Check(s.ctx, env)
		}
		if v := s.world.Violation(); v != nil {
			return v
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return nil
}

// awaitCommitsOrEnd returns when the clients have so many commits in all, or
// ctx has ended.
func awaitCommitsOrEnd(ctx context.Context, env *Env, want uint64) {
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for ctx.Err() == nil {
		var sum uint64
		for _, n := range env.Commits() {
			sum += n
		}
		if sum >= want {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

// TestWorkloadsFindTheBugsTheyAreFor plants bugs in the store that the workload
// runs on.
func TestWorkloadsFindTheBugsTheyAreFor(t *testing.T) {
	constructors := map[string]func(rng *rand.Rand) Workload{
		"Serializability": func(rng *rand.Rand) Workload { return newSerializability(rng) },
		"ListAppend":      func(rng *rand.Rand) Workload { return newListAppend(rng) },
		"Registers":       func(rng *rand.Rand) Workload { return newRegisters(rng) },
		"BankTransfers":   func(rng *rand.Rand) Workload { return newBankTransfers(rng) },
	}
	// The invariants that may be the first to show the bug.
	cases := []struct {
		bug, workload string
		invariants    []string
	}{
		{"ignores a read conflict", "Serializability", []string{"Z1"}},
		{"reads values at version-1", "Serializability", []string{"Z1"}},
		{"reads parts at version-1", "Serializability", []string{"Z1"}},
		{"loses a write", "Serializability", []string{"Z1", "Z2"}},
		{"commits what it refuses", "Serializability", []string{"Z1", "Z2"}},
		{"returns another stamp", "Serializability", []string{"Z2"}},
		{"ignores a read conflict", "ListAppend", []string{"L1"}},
		{"reads values at version-1", "ListAppend", []string{"L1"}},
		{"loses a write", "ListAppend", []string{"L1", "L2"}},
		{"commits what it refuses", "ListAppend", []string{"L1", "L2"}},
		{"returns another stamp", "ListAppend", []string{"L2"}},
		{"ignores a read conflict", "Registers", []string{"R2"}},
		{"reads values at version-1", "Registers", []string{"R2"}},
		{"loses a write", "Registers", []string{"R2", "R3"}},
		{"commits what it refuses", "Registers", []string{"R2", "R3"}},
		{"ignores a read conflict", "BankTransfers", []string{"B1", "B2"}},
		{"reads values at version-1", "BankTransfers", []string{"B1", "B2"}},
		{"reads ranges at version-1", "BankTransfers", []string{"B1", "B2", "B3"}},
		{"loses a write", "BankTransfers", []string{"B3"}},
		{"commits what it refuses", "BankTransfers", []string{"B3"}},
	}
	for _, c := range cases {
		t.Run(c.workload+" "+c.bug, func(t *testing.T) {
			s := newLyingStage(t, bugs()[c.bug])
			v := search(t, s, constructors[c.workload], 1000)
			if v == nil || !slices.Contains(c.invariants, v.Invariant) {
				t.Fatalf("%v, want a violation of one of %v", v, c.invariants)
			}
			t.Log(v)
		})
	}
	for _, name := range sortedKeys(constructors) {
		t.Run(name+" without a bug", func(t *testing.T) {
			if v := search(t, newLyingStage(t, bugs()["none"]), constructors[name], 3); v != nil {
				t.Fatal(v)
			}
		})
	}
}

func TestPorcupineFindsBugsByItself(t *testing.T) {
	for _, bug := range []string{"ignores a read conflict", "reads values at version-1", "loses a write", "commits what it refuses"} {
		t.Run(bug, func(t *testing.T) {
			s := newLyingStage(t, bugs()[bug])
			v := search(t, s, func(rng *rand.Rand) Workload { return &porcupineOnly{newRegisters(rng)} }, 1000)
			if v == nil || v.Invariant != "R1" {
				t.Fatalf("%v, want a violation of R1", v)
			}
			h, err := history.Decode(s.world.FinalReport().Histories[v.Source])
			if err != nil || len(h.Transactions) == 0 {
				t.Errorf("the report's history: %v, %v", h, err)
			}
		})
	}
}

// porcupineOnly lets only porcupine look at the history.
type porcupineOnly struct{ *registers }

func (p *porcupineOnly) Setup(ctx context.Context, env *Env) error {
	if err := p.registers.Setup(ctx, env); err != nil {
		return err
	}
	p.recorder.journaled = 0
	p.recorder.check = func(h *history.History) error { return p.linearizable(env, h) }
	return nil
}

func recorderOf(load Workload) *recorder {
	switch l := load.(type) {
	case *serializability:
		return l.recorder
	case *listAppend:
		return l.recorder
	case *registers:
		return l.recorder
	}
	return nil
}

func TestWindowsAreClosedWhileClientsRun(t *testing.T) {
	for _, construct := range []func(rng *rand.Rand) Workload{
		func(rng *rand.Rand) Workload { return newSerializability(rng) },
		func(rng *rand.Rand) Workload { return newListAppend(rng) },
		func(rng *rand.Rand) Workload { return newRegisters(rng) },
	} {
		load := construct(rand.New(rand.NewPCG(1, 1)))
		t.Run(load.Name(), func(t *testing.T) {
			s := newStage(t)
			env := s.env(load.Name(), 4)
			if err := load.Setup(s.ctx, env); err != nil {
				t.Fatal(err)
			}
			r := recorderOf(load)
			r.limit = 50
			ctx, stop := context.WithCancel(s.ctx)
			ended := make(chan error, 1)
			go func() { ended <- load.Run(ctx, env) }()
			for range 10 {
				var commits uint64
				for _, n := range env.Commits() {
					commits += n
				}
				awaitCommits(t, s.ctx, env, commits+100)
				if err := load.Check(s.ctx, env); err != nil {
					t.Fatal(err)
				}
			}
			stop()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			if err := load.Check(s.ctx, env); err != nil {
				t.Fatal(err)
			}
			if r.window != 10 {
				t.Errorf("%d windows were closed, want 10", r.window)
			}
		})
	}
}

func TestLastWindowsAreCheckedAgainAndAgain(t *testing.T) {
	s := newStage(t)
	load := newSerializability(rand.New(rand.NewPCG(1, 1)))
	env := s.env(load.Name(), 4)
	s.play(t, load, env, func() {})
	for range 2 {
		if err := load.Check(s.ctx, env); err != nil {
			t.Fatal(err)
		}
	}
	s.tamper(t, func(tx *kv.Transaction) { tx.ClearRange(kv.PrefixRange(env.Key("w000000/k"))) })
	s.tamper(t, func(tx *kv.Transaction) { tx.Set(env.Key("w000000/k00"), []byte("nobody's")) })
	var violation *report.Violation
	if err := load.Check(s.ctx, env); !errors.As(err, &violation) || violation.Invariant != "Z1" {
		t.Errorf("check says %v, want a violation of Z1", err)
	}
}

func TestWhatWasRecordedIsInTheReportHoweverTheRunEnds(t *testing.T) {
	for _, checked := range []bool{false, true} {
		t.Run(fmt.Sprint("checked ", checked), func(t *testing.T) {
			s := newStage(t)
			load := newListAppend(rand.New(rand.NewPCG(1, 1)))
			env := s.env(load.Name(), 4)
			if err := load.Setup(s.ctx, env); err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(s.ctx)
			over := make(chan error, 1)
			go func() { over <- load.Run(ctx, env) }()
			awaitCommits(t, s.ctx, env, 50)
			stop()
			if err := <-over; err != nil {
				t.Fatal(err)
			}
			if checked {
				if err := load.Check(s.ctx, env); err != nil {
					t.Fatal(err)
				}
			}
			h, err := history.Decode(s.world.FinalReport().Histories["ListAppend"])
			if err != nil || len(h.Transactions) < 50 {
				t.Fatalf("the report's history: %v, %v", h, err)
			}
			if found, err := history.Check(h); err != nil || len(found) > 0 {
				t.Errorf("%v, %v", found, err)
			}
		})
	}
}

func TestHistoriesWithoutClearsAreExportedForElle(t *testing.T) {
	for _, clears := range []bool{false, true} {
		for _, load := range []Workload{
			&serializability{keys: 4, maxOps: 4, clears: clears}, &registers{keys: 4, clears: clears},
		} {
			t.Run(fmt.Sprint(load.Name(), " with clears ", clears), func(t *testing.T) {
				s := newStage(t)
				s.play(t, load, s.env(load.Name(), 4), func() {})
				h, err := history.Decode(s.world.FinalReport().Histories[load.Name()])
				if err != nil {
					t.Fatal(err)
				}
				var edn bytes.Buffer
				err = history.Export(&edn, h, ".edn")
				if errors.Is(err, history.ErrClears) != clears || !clears && err != nil {
					t.Errorf("the export: %v", err)
				}
				if lines := bytes.Count(edn.Bytes(), []byte("\n")); !clears && lines != 2*len(h.Transactions) {
					t.Errorf("%d lines for %d transactions", lines, len(h.Transactions))
				}
			})
		}
	}
}

func TestSomeSeedsNeverClear(t *testing.T) {
	without := 0
	for seed := range uint64(300) {
		if !drawClears(rand.New(rand.NewPCG(seed, 1))) {
			without++
		}
	}
	if without < 70 || without > 130 {
		t.Errorf("%d of 300 seeds do without clears, want about a third", without)
	}
}
