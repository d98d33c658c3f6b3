package conformance_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/cluster"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/tests/conformance/check"
	"github.com/plinthdb/plinth/tests/conformance/generate"
)

// troubled is a store that loses messages. One that lies besides takes some
// commits for done that are not.
type troubled struct {
	backend
	lies bool
	mu   struct {
		sync.Mutex
		rng *rand.Rand
	}
}

// backend is what a store in this process offers.
type backend interface {
	kv.Backend
	kv.Locator
}

// oneIn is true for one call in n.
func (b *troubled) oneIn(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.rng.IntN(n) == 0
}

func (b *troubled) GetValues(ctx context.Context, q *wire.GetValuesRequest) (wire.GetValuesReply, error) {
	if b.oneIn(200) {
		return wire.GetValuesReply{}, wire.ErrTransactionTooOld
	}
	return b.backend.GetValues(ctx, q)
}

func (b *troubled) Commit(ctx context.Context, q *wire.CommitRequest) (wire.CommitReply, error) {
	if b.oneIn(40) {
		return wire.CommitReply{}, wire.ErrCommitUnknownResult
	}
	if b.lies && len(q.Mutations) > 0 && b.oneIn(20) {
		lost := *q
		lost.Mutations, lost.HasVersionstamps = nil, false
		return b.backend.Commit(ctx, &lost)
	}
	reply, err := b.backend.Commit(ctx, q)
	if err == nil && b.oneIn(40) {
		return wire.CommitReply{}, wire.ErrCommitUnknownResult
	}
	return reply, err
}

// openTroubled opens a troubled store in memory.
func openTroubled(t *testing.T, lies bool) *check.Subject {
	t.Helper()
	local, err := cluster.OpenLocal(t.Context(), cluster.LocalConfig{FS: vfs.NewMem(), Dir: "store"})
	if err != nil {
		t.Fatal(err)
	}
	b := &troubled{backend: local, lies: lies}
	b.mu.rng = rand.New(rand.NewPCG(1, 1))
	db := kv.NewDatabase(b, kv.WithTransactionDefaults(kv.WithMaxRetryDelay(time.Millisecond)))
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if err := local.Close(); err != nil {
			t.Error(err)
		}
	})
	return check.KV(t.Context(), db)
}

// slow is a store whose first reads fail since it is slow.
type slow struct {
	kv.Backend
	left atomic.Int64
}

func (b *slow) GetValues(ctx context.Context, q *wire.GetValuesRequest) (wire.GetValuesReply, error) {
	if left := b.left.Add(-1); left >= 0 {
		return wire.GetValuesReply{}, []error{wire.ErrTransactionTooOld, wire.ErrFutureVersion, wire.ErrProcessBehind}[left%3]
	}
	return b.Backend.GetValues(ctx, q)
}

// TestAProgramThatMeetsASlowStoreIsRunAgain: a machine that has other things to
// do must not fail a test.
func TestAProgramThatMeetsASlowStoreIsRunAgain(t *testing.T) {
	local, err := cluster.OpenLocal(t.Context(), cluster.LocalConfig{FS: vfs.NewMem(), Dir: "store"})
	if err != nil {
		t.Fatal(err)
	}
	b := &slow{Backend: local}
	b.left.Store(6)
	db := kv.NewDatabase(b, kv.WithTransactionDefaults(kv.WithMaxRetryDelay(time.Millisecond)))
	p := scripted{program: []any{op("NEW_TRANSACTION"), []byte("k"), op("GET"), op("WAIT_FUTURE")}}
	checkProgram(t, check.KV(t.Context(), db), p.toProgram())
	if left := b.left.Load(); left >= 0 {
		t.Errorf("%d reads were never made", left)
	}
	if err := errors.Join(db.Close(), local.Close()); err != nil {
		t.Error(err)
	}
}

func TestProgramsAreJudgedThroughTrouble(t *testing.T) {
	s, rng := openTroubled(t, false), rand.New(rand.NewPCG(2, 2))
	programs, disturbed := map[string]int{}, map[string]int{}
	const atLeast = 60
	for range atLeast {
		p := drawProgram(rng)
		difference, disturbances, err := s.CheckInTrouble(p)
		if err != nil || difference != "" {
			t.Fatalf("the %s program of seed %d, disturbed %v: %v %s\n%s", p.Kind, p.Seed, disturbances, err, difference, p)
		}
		programs[p.Kind]++
		if len(disturbances) > 0 {
			disturbed[p.Kind]++
		}
	}
	for _, k := range kinds() {
		if programs[k.name] == 0 {
			t.Errorf("there was no %s program", k.name)
		}
	}
	if n := disturbed["api"]; n == 0 || n == programs["api"] {
		t.Errorf("%d of %d API programs were ended by an error", n, programs["api"])
	}
}

func TestAStoreThatLosesWritesIsFoundThroughTrouble(t *testing.T) {
	for name, make := range map[string]func(rng *rand.Rand) *generate.Program{
		"of one machine":  func(rng *rand.Rand) *generate.Program { return generate.API(rng.Uint64(), 60) },
		"of many at once": func(rng *rand.Rand) *generate.Program { return generate.Threads(rng.Uint64()>>8, 3, 30) },
	} {
		t.Run(name, func(t *testing.T) {
			s, rng := openTroubled(t, true), rand.New(rand.NewPCG(2, 2))
			for range 50 {
				difference, _, err := s.CheckInTrouble(make(rng))
				if difference != "" || err != nil { // a program that is lost is an error
					return
				}
			}
			t.Error("nothing was found")
		})
	}
}

// TestAMachineThatIsDisturbedEndsTheOneThatWaitsForIt, instead of letting it wait
// for ever; what the others did is judged.
func TestAMachineThatIsDisturbedEndsTheOneThatWaitsForIt(t *testing.T) {
	s, rng := openTroubled(t, false), rand.New(rand.NewPCG(3, 3))
	for range 100 {
		p := generate.Threads(rng.Uint64()>>8, 3, 30)
		difference, disturbances, err := s.CheckInTrouble(p)
		if err != nil || difference != "" {
			t.Fatalf("seed %d, disturbed %v: %v %s\n%s", p.Seed, disturbances, err, difference, p)
		}
		if len(disturbances) > 0 && string(disturbances[0].Prefix) != "main" {
			return
		}
	}
	t.Error("no thread was disturbed")
}
