package kv_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
)

// lossyBackend is a model whose commits go over a bad line: requests and
// answers are lost, and copies of requests arrive late, at any moment of any
// later call.
type lossyBackend struct {
	*model.Store
	t *rapid.T
	// chance decides so many times what happens; after that all is well.
	chance    *rand.Rand
	decisions int
	held      []*wire.CommitRequest
	keepIDs   bool // ids do not expire
	copies    int  // that arrived after the client had its answer
}

// next returns a number below n, 0 when all is to be well.
func (b *lossyBackend) next(n int) int {
	if b.decisions == 0 {
		return 0
	}
	b.decisions--
	return b.chance.IntN(n)
}

// happen lets things happen that nobody asked for.
func (b *lossyBackend) happen(ctx context.Context) {
	if n := len(b.held); n > 0 && b.next(3) == 1 {
		b.arrive(ctx, b.next(n))
	}
	if b.next(40) == 39 && !b.keepIDs {
		b.ExpireIDs()
	}
}

func (b *lossyBackend) arrive(ctx context.Context, i int) {
	request := b.held[i]
	b.held = append(b.held[:i:i], b.held[i+1:]...)
	b.copies++
	_, _ = b.Store.Commit(ctx, request) // nobody hears of it
}

// ReadVersion implements kv.Backend.
func (b *lossyBackend) ReadVersion(ctx context.Context, r wire.ReadVersionRequest) (wire.ReadVersionReply, error) {
	b.happen(ctx)
	defer b.happen(ctx)
	return b.Store.ReadVersion(ctx, r)
}

// GetValues implements kv.Backend.
func (b *lossyBackend) GetValues(ctx context.Context, r *wire.GetValuesRequest) (wire.GetValuesReply, error) {
	b.happen(ctx)
	return b.Store.GetValues(ctx, r)
}

// GetRange implements kv.Backend.
func (b *lossyBackend) GetRange(ctx context.Context, r *wire.GetRangeRequest) (wire.GetRangeReply, error) {
	b.happen(ctx)
	return b.Store.GetRange(ctx, r)
}

// Commit implements kv.Backend.
func (b *lossyBackend) Commit(ctx context.Context, r *wire.CommitRequest) (wire.CommitReply, error) {
	b.happen(ctx)
	if err := r.Validate(); err != nil {
		b.t.Errorf("request: %v", err)
	}
	switch b.next(9) {
	case 1: // the request is lost
		return wire.CommitReply{}, wire.ErrCommitUnknownResult
	case 2: // it comes later, or never
		b.held = append(b.held, r)
		return wire.CommitReply{}, wire.ErrCommitUnknownResult
	case 3: // the answer is lost
		_, _ = b.Store.Commit(ctx, r)
		return wire.CommitReply{}, wire.ErrClusterVersionChanged
	case 4: // it comes twice, and the first answer is lost
		if len(r.IdempotencyID) > 0 {
			_, _ = b.Store.Commit(ctx, r)
		}
	case 5: // it comes, and again later
		if len(r.IdempotencyID) > 0 {
			b.held = append(b.held, r)
		}
	}
	return b.Store.Commit(ctx, r)
}

// run is one run of a transaction's function.
type run struct {
	transaction int
	key         []byte // written by this run alone
}

// Whatever is lost, late or repeated: a transaction that succeeded was applied
// exactly once, by the run whose result was returned, under the version and the
// stamp that were told; one that failed was not, unless the error says that it
// may have been; none was applied twice (K12).
func TestTransactionsAreAppliedExactlyOnce(t *testing.T) {
	total, late, expired := 0, 0, 0
	checkUntil(t, func() bool { return late > 0 && expired > 0 }, func(t *rapid.T) {
		backend := &lossyBackend{Store: model.New(), t: t, chance: rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))}
		backend.decisions = rapid.IntRange(0, 500).Draw(t, "decisions")
		backend.MaxRows = rapid.SampledFrom([]int{0, 1, 2}).Draw(t, "max rows")
		db := kv.NewDatabase(backend)
		defer db.Close()
		var runs []run
		results := map[int]int{} // by transaction, of those that succeeded
		maybe := map[int]bool{}
		stamps := map[int]kv.Stamp{} // by run
		for n := range rapid.IntRange(1, 12).Draw(t, "transactions") {
			reads := rapid.Bool().Draw(t, "reads")
			var stamp kv.Future[kv.Stamp]
			result, err := kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
				id := len(runs)
				runs = append(runs, run{n, []byte{'r', byte(id), byte(id >> 8)}})
				if reads {
					if _, err := tx.Get([]byte("counter")).Wait(); err != nil {
						return 0, err
					}
				}
				tx.Add([]byte("counter"), []byte{1, 0})
				tx.SetVersionstampedValue(runs[id].key, make([]byte, wire.StampBytes+4))
				stamp = tx.Versionstamp()
				return id, nil
			}, kv.WithMaxRetryDelay(0), kv.WithRetryLimit(30))
			switch {
			case err == nil:
				results[n] = result
				if stamps[result], err = stamp.Wait(); err != nil {
					t.Fatal(err)
				}
			case kv.MaybeCommitted(err):
				maybe[n] = true
			}
			if errors.Is(err, kv.ErrCommitResultExpired) {
				expired++
			}
		}
		for len(backend.held) > 0 {
			backend.arrive(background, 0)
		}
		total, late = total+len(runs), late+backend.copies
		checkApplied(t, backend, runs, results, maybe, stamps)
	})
	if late == 0 || expired == 0 {
		t.Fatalf("%d runs, %d late copies, %d expired ids: nothing was tested", total, late, expired)
	}
}

// checkApplied compares what is stored with what the clients were told.
func checkApplied(
	t *rapid.T, backend *lossyBackend, runs []run, results map[int]int, maybe map[int]bool, stamps map[int]kv.Stamp,
) {
	stored := map[string][]byte{}
	for _, row := range backend.Rows() {
		stored[string(row.Key)] = row.Value
	}
	applied := map[int]int{} // runs by transaction
	for id, r := range runs {
		value, there := stored[string(r.key)]
		if !there {
			continue
		}
		applied[r.transaction]++
		result, succeeded := results[r.transaction]
		switch {
		case succeeded && result != id:
			t.Fatalf("K12: transaction %d returned the result of run %d, run %d was applied", r.transaction, result, id)
		case succeeded && stamps[id] != kv.Stamp(value):
			t.Fatalf("K12: transaction %d was told stamp %x, stored is %x", r.transaction, stamps[id], value)
		case !succeeded && !maybe[r.transaction]:
			t.Fatalf("K12: transaction %d failed and was applied", r.transaction)
		}
	}
	total := 0
	for n, count := range applied {
		total += count
		if count != 1 {
			t.Fatalf("K12: transaction %d was applied %d times", n, count)
		}
	}
	for n := range results {
		if applied[n] != 1 {
			t.Fatalf("K12: transaction %d succeeded and was applied %d times", n, applied[n])
		}
	}
	counter := 0
	if value := stored["counter"]; value != nil {
		counter = int(value[0]) + int(value[1])<<8
	}
	if counter != total {
		t.Fatalf("K12: the counter is %d, %d transactions were applied", counter, total)
	}
}
