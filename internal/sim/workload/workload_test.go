package workload

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/plinthdb/plinth/internal/sim/disk"
	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// stage is a process with a store on a disk without faults and delays, as a
// native program.
type stage struct {
	world   *world.World
	disk    *disk.Disk
	process *world.Process
	shared  Shared
	ctx     context.Context
}

func newStage(t *testing.T) *stage {
	t.Helper()
	return newStageOn(t, func(_ *world.World, h world.Host) (*kv.Database, world.Store, error) {
		db, store, err := embedded.Open(h.Dir, embedded.WithFS(h.FS))
		if err != nil {
			return nil, nil, err
		}
		return db, store, nil
	})
}

// newStageOn is newStage with a store that open opens.
func newStageOn(t *testing.T, open func(w *world.World, h world.Host) (*kv.Database, world.Store, error)) *stage {
	t.Helper()
	s := &stage{}
	s.ctx, s.world = world.New(t.Context(), 1, func([]byte) {})
	s.disk = disk.New(disk.Config{}, s.world.Rand("disk"), s.world.TraceLine)
	s.process = s.world.NewProcess("p", s.disk, world.Driver{Open: func(h world.Host) (*kv.Database, world.Store, error) {
		return open(s.world, h)
	}})
	if err := s.process.Boot(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's context has ended by now.
		if err := s.process.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		s.process.AwaitBurials()
	})
	return s
}

func (s *stage) env(name string, clients int) *Env {
	return NewEnv(s.world, s.process, &s.shared, EnvConfig{Name: name, Clients: clients, Pause: time.Microsecond})
}

// play runs the workload until its clients have committed something, with
// disturb called once in the middle.
func (s *stage) play(t *testing.T, load Workload, env *Env, disturb func()) {
	t.Helper()
	if err := load.Setup(s.ctx, env); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(s.ctx)
	ended := make(chan error, 1)
	go func() { ended <- load.Run(ctx, env) }()
	awaitCommits(t, s.ctx, env, 20)
	disturb()
	awaitCommits(t, s.ctx, env, 40)
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

// awaitCommits returns when the clients have so many commits in all.
func awaitCommits(t *testing.T, ctx context.Context, env *Env, want uint64) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
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
			t.Fatalf("%d of %d commits: %v", sum, want, context.Cause(ctx))
		}
	}
}

func TestWorkloadsHoldTheirInvariantsThroughAKill(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			load, err := New(name, s.world.Rand(name))
			if err != nil {
				t.Fatal(err)
			}
			env := s.env(name, 4)
			s.play(t, load, env, func() {
				s.process.Kill()
				if err := s.process.Boot(); err != nil {
					t.Fatal(err)
				}
			})
			if err := load.Check(s.ctx, env); err != nil {
				t.Fatal(err)
			}
			if r := s.world.Report(); r.Commits == 0 || r.Commits+r.ReadOnly < 40 {
				t.Errorf("the report counts %d commits and %d read-only transactions", r.Commits, r.ReadOnly)
			}
		})
	}
}

// tamper changes the store behind the back of a workload.
func (s *stage) tamper(t *testing.T, f func(tx *kv.Transaction)) {
	t.Helper()
	inc, err := s.process.Wait(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Transact(s.ctx, inc.DB(), func(tx *kv.Transaction) (struct{}, error) {
		f(tx)
		return struct{}{}, nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestChecksFindWhatIsWrong(t *testing.T) {
	number := func(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }
	entry := func(id uint64) []byte {
		return operation{id: id, op: kv.MutationAdd, operand: number(0)}.encode()
	}
	cases := []struct {
		name, invariant string
		load            Workload
		tamper          func(env *Env, tx *kv.Transaction)
	}{
		{"a lost node", "C1", &cycle{nodes: 5}, func(env *Env, tx *kv.Transaction) { tx.Clear(env.Key("%06d", 3)) }},
		{"a ring that is too short", "C2", &cycle{nodes: 5}, func(env *Env, tx *kv.Transaction) {
			tx.Set(env.Key("%06d", 0), encodeNode(0))
		}},
		{"a damaged node", "C1", &cycle{nodes: 5}, func(env *Env, tx *kv.Transaction) { tx.Set(env.Key("%06d", 0), []byte("x")) }},
		{"half a transaction", "I1", newIncrement(rand.New(rand.NewPCG(1, 1))), func(env *Env, tx *kv.Transaction) {
			tx.Add(env.Key("a%04d", 0), number(1))
		}},
		{"a transaction applied twice", "I2", newIncrement(rand.New(rand.NewPCG(1, 1))), func(env *Env, tx *kv.Transaction) {
			tx.Add(env.Key("a%04d", 0), number(1_000_000))
			tx.Add(env.Key("b%04d", 0), number(1_000_000))
		}},
		{"lost transactions", "I2", newIncrement(rand.New(rand.NewPCG(1, 1))), func(env *Env, tx *kv.Transaction) {
			tx.ClearRange(kv.PrefixRange(env.Key("")))
		}},
		{"an operation without its log", "A1", newAtomicOps(rand.New(rand.NewPCG(1, 1))), func(env *Env, tx *kv.Transaction) {
			tx.Set(env.Key("value/%02d", 0), number(1_000_000))
		}},
		{"a lost log", "A2", newAtomicOps(rand.New(rand.NewPCG(1, 1))), func(env *Env, tx *kv.Transaction) {
			tx.ClearRange(kv.PrefixRange(env.Key("")))
		}},
		{"a log entry twice", "A2", newAtomicOps(rand.New(rand.NewPCG(1, 1))), func(env *Env, tx *kv.Transaction) {
			tx.SetVersionstampedKey(stampedKey(env.Key("log/%02d/", 0)), entry(1<<40))
			tx.SetVersionstampedKey(stampedKey(env.Key("log/%02d/", 1)), entry(1<<40))
		}},
		{"a stamp that is not the commit's", "A3", newAtomicOps(rand.New(rand.NewPCG(1, 1))), func(env *Env, tx *kv.Transaction) {
			tx.ClearRange(kv.PrefixRange(env.Key("")))
			tx.SetVersionstampedKey(stampedKey(env.Key("log/%02d/", 0)), entry(1))
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			env := s.env(c.load.Name(), 2)
			s.play(t, c.load, env, func() {})
			if err := c.load.Check(s.ctx, env); err != nil {
				t.Fatalf("before: %v", err)
			}
			s.tamper(t, func(tx *kv.Transaction) { c.tamper(env, tx) })
			var violation *report.Violation
			if err := c.load.Check(s.ctx, env); !errors.As(err, &violation) || violation.Invariant != c.invariant {
				t.Errorf("check says %v, want a violation of %s", err, c.invariant)
			}
		})
	}
}

func TestAbortedTransactionsMustNotBeFound(t *testing.T) {
	s := newStage(t)
	load := newAtomicOps(rand.New(rand.NewPCG(1, 1)))
	env := s.env("AtomicOps", 1)
	s.play(t, load, env, func() {})
	for id := range load.mu.acknowledged {
		load.mu.aborted[id] = true
		break
	}
	var violation *report.Violation
	if err := load.Check(s.ctx, env); !errors.As(err, &violation) || violation.Invariant != "A2" {
		t.Errorf("check says %v, want a violation of A2", err)
	}
}

func TestReadVersionsBelowAnAcknowledgedOneAreFound(t *testing.T) {
	s := newStage(t)
	env := s.env("Cycle", 1)
	s.shared.acknowledge(kv.Version(1) << 60)
	var violation *report.Violation
	if _, _, err := env.ReadAll(s.ctx); !errors.As(err, &violation) || violation.Invariant != "E1" {
		t.Errorf("ReadAll: %v, want a violation of E1", err)
	}
	if s.world.Violation() == nil || s.ctx.Err() == nil {
		t.Error("the violation did not end the run")
	}
}

func TestOutcomesAreClassifiedExactly(t *testing.T) {
	s := newStage(t)
	c := &Client{env: s.env("X", 1), rng: s.world.Rand("x")}
	set := func(tx *kv.Transaction) error { tx.Set([]byte("k"), []byte("v")); return nil }
	outcomes := map[string]func() (Outcome, error){
		"committed": func() (Outcome, error) { return c.Try(s.ctx, set) },
		"aborted": func() (Outcome, error) {
			return c.Try(s.ctx, func(*kv.Transaction) error { return kv.ErrNotCommitted })
		},
		"unknown": func() (Outcome, error) {
			return c.Try(s.ctx, func(tx *kv.Transaction) error { s.process.Kill(); return set(tx) })
		},
	}
	for _, want := range []string{"committed", "aborted", "unknown"} {
		if got, err := outcomes[want](); err != nil || got.String() != want {
			t.Errorf("outcome %v (%v), want %s", got, err, want)
		}
	}
	if err := s.process.Boot(); err != nil {
		t.Fatal(err)
	}
	_, err := c.Try(s.ctx, func(*kv.Transaction) error { return kv.ErrFileCorrupt })
	var violation *report.Violation
	if !errors.As(err, &violation) || violation.Invariant != "E3" {
		t.Errorf("an error that no living process may return gave %v, want a violation of E3", err)
	}
}

func TestUnknownWorkloadsAreRefusedByName(t *testing.T) {
	_, err := New("Circle", nil)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprint(Names())) {
		t.Errorf("New: %v, want an error that names the workloads there are", err)
	}
}

func TestPadsAreCheckedByTheirChecksum(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for size := range 50 {
		value := newPad(rng, size)
		if len(value) != size+4 {
			t.Fatalf("a pad of %d bytes has %d", size, len(value))
		}
		if err := checkPad(value); err != nil {
			t.Fatalf("a pad of %d bytes: %v", size, err)
		}
		value[rng.IntN(len(value))] ^= 1
		if err := checkPad(value); err == nil {
			t.Fatalf("a damaged pad of %d bytes was accepted", size)
		}
	}
	if checkPad(nil) != nil || checkPad([]byte{1}) == nil {
		t.Error("an absent pad is fine, one of a byte is not")
	}
}
