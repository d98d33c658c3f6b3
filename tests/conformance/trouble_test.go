package conformance_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/cluster"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/tests/conformance/check"
)

// troubled is a store that loses messages. One that lies besides takes some
// commits for done that are not.
type troubled struct {
	kv.Backend
	lies bool
	mu   struct {
		sync.Mutex
		rng *rand.Rand
	}
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
	return b.Backend.GetValues(ctx, q)
}

func (b *troubled) Commit(ctx context.Context, q *wire.CommitRequest) (wire.CommitReply, error) {
	if b.oneIn(40) {
		return wire.CommitReply{}, wire.ErrCommitUnknownResult
	}
	if b.lies && len(q.Mutations) > 0 && b.oneIn(20) {
		lost := *q
		lost.Mutations, lost.HasVersionstamps = nil, false
		return b.Backend.Commit(ctx, &lost)
	}
	reply, err := b.Backend.Commit(ctx, q)
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
	b := &troubled{Backend: local, lies: lies}
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

func TestProgramsAreJudgedThroughTrouble(t *testing.T) {
	s, rng, disturbed := openTroubled(t, false), rand.New(rand.NewPCG(2, 2)), 0
	const programs = 30
	for range programs {
		p := drawProgram(rng)
		difference, disturbance, err := s.CheckInTrouble(p)
		if err != nil || difference != "" {
			t.Fatalf("the %s program of seed %d, disturbed %v: %v %s\n%s", p.Kind, p.Seed, disturbance, err, difference, p)
		}
		if disturbance != nil {
			disturbed++
		}
	}
	if disturbed == 0 || disturbed == programs {
		t.Errorf("%d of %d programs were ended by an error", disturbed, programs)
	}
}

func TestAStoreThatLosesWritesIsFoundThroughTrouble(t *testing.T) {
	s, rng := openTroubled(t, true), rand.New(rand.NewPCG(2, 2))
	for range 50 {
		difference, _, err := s.CheckInTrouble(drawProgram(rng))
		if difference != "" || err != nil { // a program that is lost is an error
			return
		}
	}
	t.Error("nothing was found")
}
