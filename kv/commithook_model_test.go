package kv_test

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
)

// oneByOne is a lossyBackend for several goroutines, whose calls come one by one.
type oneByOne struct {
	*lossyBackend
	turn sync.Mutex
}

// ReadVersion implements kv.Backend.
func (b *oneByOne) ReadVersion(ctx context.Context, r wire.ReadVersionRequest) (wire.ReadVersionReply, error) {
	b.turn.Lock()
	defer b.turn.Unlock()
	return b.lossyBackend.ReadVersion(ctx, r)
}

// GetValues implements kv.Backend.
func (b *oneByOne) GetValues(ctx context.Context, r *wire.GetValuesRequest) (wire.GetValuesReply, error) {
	b.turn.Lock()
	defer b.turn.Unlock()
	return b.lossyBackend.GetValues(ctx, r)
}

// GetRange implements kv.Backend.
func (b *oneByOne) GetRange(ctx context.Context, r *wire.GetRangeRequest) (wire.GetRangeReply, error) {
	b.turn.Lock()
	defer b.turn.Unlock()
	return b.lossyBackend.GetRange(ctx, r)
}

// Commit implements kv.Backend.
func (b *oneByOne) Commit(ctx context.Context, r *wire.CommitRequest) (wire.CommitReply, error) {
	b.turn.Lock()
	defer b.turn.Unlock()
	return b.lossyBackend.Commit(ctx, r)
}

// plan is a transaction that was drawn: what it does, and how it goes about it.
type plan struct {
	reads  string
	writes []write
	how    string
	// meets says that another transaction changes what the first try read.
	meets bool
}

var errOwn = errors.New("own")

func drawPlan(t *rapid.T) plan {
	p := plan{reads: keys.Draw(t, "reads"), meets: rapid.Bool().Draw(t, "meets another"), how: rapid.SampledFrom([]string{"transact", "transact", "by hand", "reset", "fails", "cancelled"}).Draw(t, "how")}
	for range rapid.IntRange(0, 4).Draw(t, "writes") {
		p.writes = append(p.writes, drawWrite(t, true))
	}
	return p
}

// do is the function of the transaction.
func (p *plan) do(db *kv.Database, tx *kv.Transaction) error {
	if _, err := tx.Get([]byte(p.reads)).Wait(); err != nil {
		return err
	}
	if p.meets {
		p.meets = false
		_, err := kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
			tx.Set([]byte(p.reads), []byte("another"))
			return 0, nil
		}, kv.WithMaxRetryDelay(0))
		if err != nil {
			return err
		}
	}
	for _, w := range p.writes {
		w.issue(tx)
	}
	return nil
}

// run runs the transaction to its end. It returns nothing but what nobody expects.
func (p *plan) run(db *kv.Database) error {
	if p.how == "transact" || p.how == "fails" {
		_, err := kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
			if err := p.do(db, tx); err != nil || p.how == "transact" {
				return 0, err
			}
			return 0, errOwn
		}, kv.WithMaxRetryDelay(0))
		if errors.Is(err, errOwn) {
			return nil
		}
		return err
	}
	tx := db.Begin(background, kv.WithExactlyOnce(true), kv.WithMaxRetryDelay(0))
	defer tx.Cancel()
	if p.how == "reset" {
		tx.Set([]byte("forgotten"), nil)
		tx.Reset()
	}
	for {
		err := p.do(db, tx)
		if p.how == "cancelled" {
			return nil
		}
		if err == nil {
			err = tx.Commit()
		}
		if err == nil {
			return nil
		}
		if err = tx.OnError(err); err != nil {
			return err
		}
	}
}

// K17: whatever several goroutines write, and whatever is lost, late or repeated on
// the line, who applies what the hook told in the order of the stamps has what the
// store has.
func TestAReplicaFedByCommitHooksEqualsTheStore(t *testing.T) {
	var conflicts, lost uint64
	checkUntil(t, func() bool { return conflicts > 0 && lost > 0 }, func(t *rapid.T) {
		backend := &oneByOne{lossyBackend: &lossyBackend{Store: model.New(), t: t, keepIDs: true}}
		backend.chance = rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		backend.decisions = rapid.SampledFrom([]int{0, 100, 300}).Draw(t, "decisions")
		plans := make([][]plan, rapid.IntRange(1, 4).Draw(t, "goroutines"))
		for i := range plans {
			plans[i] = rapid.SliceOfN(rapid.Custom(drawPlan), 1, 6).Draw(t, "plans")
		}
		var mu sync.Mutex
		var events []kv.CommitEvent
		db := kv.NewDatabase(backend, kv.WithCommitHook(func(_ context.Context, e kv.CommitEvent) {
			mu.Lock()
			defer mu.Unlock()
			events = append(events, e)
		}))
		defer db.Close()
		each(len(plans), func(i int) {
			for _, p := range plans[i] {
				if err := p.run(db); err != nil {
					t.Errorf("%s: %v", p.how, err)
				}
			}
		})
		for len(backend.held) > 0 {
			backend.arrive(background, 0)
		}
		s := db.Stats()
		if uint64(len(events)) != s.Committed {
			t.Fatalf("K17: %d events of %d commits", len(events), s.Committed)
		}
		conflicts, lost = conflicts+s.Conflicts, lost+s.LostAnswers
		copied, stored := replica{}, replica{}
		copied.apply(events)
		for _, row := range backend.Rows() {
			stored[string(row.Key)] = string(row.Value)
		}
		if !maps.Equal(copied, stored) {
			t.Fatalf("K17: the replica has %q, stored is %q", copied, stored)
		}
		unique := slices.CompactFunc(slices.Clone(events), func(a, b kv.CommitEvent) bool { return a.Stamp == b.Stamp })
		if len(unique) != len(events) {
			t.Fatalf("K17: %d stamps of %d events", len(unique), len(events))
		}
	})
	if conflicts == 0 || lost == 0 {
		t.Fatalf("%d conflicts, %d lost answers: nothing was tested", conflicts, lost)
	}
}
