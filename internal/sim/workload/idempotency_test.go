package workload

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/plinthdb/plinth/cluster"
	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// badLine is a store at the end of a line that loses requests and answers, and
// delivers some requests late.
type badLine struct {
	kv.Backend

	mu struct {
		sync.Mutex
		rng  *rand.Rand
		held []*wire.CommitRequest
	}
}

// Commit implements kv.Backend.
func (b *badLine) Commit(ctx context.Context, r *wire.CommitRequest) (wire.CommitReply, error) {
	if len(r.IdempotencyID) == 0 {
		return b.Backend.Commit(ctx, r)
	}
	b.mu.Lock()
	fate := b.mu.rng.IntN(6)
	var late *wire.CommitRequest
	if fate < 2 {
		b.mu.held = append(b.mu.held, r)
	} else if n := len(b.mu.held); n > 0 {
		late, b.mu.held = b.mu.held[0], b.mu.held[1:]
	}
	b.mu.Unlock()
	if late != nil {
		_, _ = b.Backend.Commit(ctx, late) // nobody hears of it
	}
	if fate < 2 {
		return wire.CommitReply{}, wire.ErrCommitUnknownResult
	}
	reply, err := b.Backend.Commit(ctx, r)
	if fate == 2 && err == nil {
		return wire.CommitReply{}, wire.ErrCommitUnknownResult
	}
	return reply, err
}

// newBadLineStage is newStage with a bad line, and with a bug perhaps.
func newBadLineStage(t *testing.T, wrap func(kv.Backend) kv.Backend) *stage {
	t.Helper()
	return newStageOn(t, func(w *world.World, h world.Host) (*kv.Database, world.Store, error) {
		local, err := cluster.OpenLocal(context.Background(), cluster.LocalConfig{FS: h.FS, Dir: h.Dir})
		if err != nil {
			return nil, nil, err
		}
		line := &badLine{Backend: local}
		line.mu.rng = w.Rand("line")
		return kv.NewDatabase(wrap(line)), local, nil
	})
}

func TestAutomaticIdempotencyEnduresBadLinesAndKills(t *testing.T) {
	s := newBadLineStage(t, func(b kv.Backend) kv.Backend { return b })
	s.endure(t, newAutomaticIdempotency(s.world.Rand("load")), s.env("AutomaticIdempotency", 4), 2, 60)
}

// blind is a back-end that never finds an id, or one that lets no fence fail.
type blind struct {
	kv.Backend
	toIDs, toFences bool
}

// GetRange implements kv.Backend.
func (b blind) GetRange(ctx context.Context, r *wire.GetRangeRequest) (wire.GetRangeReply, error) {
	if _, isIDs := wire.IdempotencyRowVersion(append(r.Begin[:len(r.Begin):len(r.Begin)], 0, 0)); isIDs && b.toIDs {
		return wire.GetRangeReply{}, nil
	}
	return b.Backend.GetRange(ctx, r)
}

// Commit implements kv.Backend.
func (b blind) Commit(ctx context.Context, r *wire.CommitRequest) (wire.CommitReply, error) {
	if len(r.Mutations) == 0 && b.toFences {
		return wire.CommitReply{Version: r.ReadVersion + 1}, nil
	}
	return b.Backend.Commit(ctx, r)
}

func TestAutomaticIdempotencyFindsWhatIsAppliedTwice(t *testing.T) {
	for name, bug := range map[string]blind{"ids are not found": {toIDs: true}, "fences hold nothing off": {toFences: true}} {
		t.Run(name, func(t *testing.T) {
			s := newBadLineStage(t, func(b kv.Backend) kv.Backend { bug.Backend = b; return bug })
			load, env := newAutomaticIdempotency(s.world.Rand("load")), s.env("AutomaticIdempotency", 4)
			ctx, stop := context.WithCancel(s.ctx)
			defer stop()
			ended := make(chan error, 1)
			go func() { ended <- load.Run(ctx, env) }()
			var violation *report.Violation
			for commits := uint64(20); violation == nil; commits += 20 {
				awaitCommits(t, s.ctx, env, commits)
				if err := load.Check(s.ctx, env); err != nil && !errors.As(err, &violation) {
					t.Fatal(err)
				}
			}
			stop()
			<-ended
			if violation.Invariant != "Y1" && violation.Invariant != "Y2" {
				t.Errorf("violated is %v, want Y1 or Y2", violation)
			}
		})
	}
}

func TestAutomaticIdempotencyFindsWhatIsWrongInItsLog(t *testing.T) {
	for _, c := range []struct {
		name, invariant string
		change          func(env *Env, row kv.KeyValue, tx *kv.Transaction)
	}{
		{"a lost row", "Y1", func(_ *Env, row kv.KeyValue, tx *kv.Transaction) { tx.Clear(row.Key) }},
		{"another run", "Y2", func(_ *Env, row kv.KeyValue, tx *kv.Transaction) {
			tx.Set(row.Key, binary.BigEndian.AppendUint32(row.Value[:8:8], 1<<20))
		}},
		{"a row twice", "Y2", func(env *Env, row kv.KeyValue, tx *kv.Transaction) {
			tx.SetVersionstampedKey(stampedKey(env.Key("log/")), row.Value)
		}},
		{"a row from nowhere", "Y2", func(_ *Env, row kv.KeyValue, tx *kv.Transaction) {
			tx.Set(row.Key, append([]byte{0xff}, row.Value[1:]...))
		}},
		{"another stamp", "Y3", func(_ *Env, row kv.KeyValue, tx *kv.Transaction) {
			tx.Clear(row.Key)
			row.Key[len(row.Key)-1]++
			tx.Set(row.Key, row.Value)
		}},
		{"a counter", "Y4", func(env *Env, _ kv.KeyValue, tx *kv.Transaction) { tx.Add(env.Key("counter/%02d", 0), encodeNumber(1)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			load, env := newAutomaticIdempotency(s.world.Rand("load")), s.env("AutomaticIdempotency", 2)
			s.endure(t, load, env, 0, 20)
			row := firstBelow(t, s.rows(t, env), env.Key("log/"))
			s.tamper(t, func(tx *kv.Transaction) { c.change(env, row, tx) })
			var violation *report.Violation
			if err := load.Check(s.ctx, env); !errors.As(err, &violation) || violation.Invariant != c.invariant {
				t.Errorf("check says %v, want a violation of %s", err, c.invariant)
			}
		})
	}
}

func TestAutomaticIdempotencyFindsWhatItsClientsWereToldIsNot(t *testing.T) {
	s := newStage(t)
	load, env := newAutomaticIdempotency(s.world.Rand("load")), s.env("AutomaticIdempotency", 1)
	s.endure(t, load, env, 0, 5)
	load.mu.operations[0].outcome = Aborted
	var violation *report.Violation
	if err := load.Check(s.ctx, env); !errors.As(err, &violation) || violation.Invariant != "Y2" {
		t.Errorf("check says %v, want a violation of Y2", err)
	}
}

// Y5, E8: only what cannot be found out may stay unknown.
func TestOutcomesThatStayUnknownNeedACause(t *testing.T) {
	for _, c := range []struct {
		err           error
		want, limited bool // limited: what is wanted if retries are
	}{
		{kv.ErrCommitUnknownResult, false, false},
		{kv.ErrCommitUnknownResult.Because(kv.ErrProcessBehind), false, true},
		{kv.ErrCommitUnknownResult.Because(kv.ErrIO), true, true},
		{errors.New("something else"), false, false},
	} {
		if explained(c.err, false) != c.want || explained(c.err, true) != c.limited {
			t.Errorf("%v: explained is %v, with limited retries %v", c.err, explained(c.err, false), explained(c.err, true))
		}
	}
}
