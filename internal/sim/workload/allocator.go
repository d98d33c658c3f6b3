package workload

import (
	"bytes"
	"context"
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/directory"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/tuple"
)

// highContentionAllocator is FoundationDB's HighContentionPrefixAllocator:
// transactions allocate some numbers each, from one or from several goroutines,
// and write down which they got.
//
//	H1  No number is given to two transactions, nor to one twice, across all
//	    deaths of the process.
//	H2  A transaction that was acknowledged before the read has its numbers; one
//	    of unknown outcome has all of its own or none, one that was aborted none.
//	H3  As tuples, of which prefixes are made, no number begins with another.
//	H4  Numbers stay small: a window is left when half of it, less one, was given.
//	H5  The numbers that the allocator says are taken in its newest window are
//	    those that were given, and at most as many as it has counted.
type highContentionAllocator struct {
	// first is where the first window begins: not at 0, so that a run sees all
	// sizes of windows.
	first int64
	most  int // numbers that a transaction allocates

	mu struct {
		sync.Mutex
		next    uint64
		records map[uint64]*givenNumbers
	}
}

// givenNumbers is what a transaction got, and its outcome: Unknown until it is
// over.
type givenNumbers struct {
	numbers []int64
	outcome Outcome
}

func newHighContentionAllocator(rng *rand.Rand) *highContentionAllocator {
	a := &highContentionAllocator{
		first: [...]int64{0, 0, 192, 64768}[rng.IntN(4)],
		most:  1 + rng.IntN(1<<rng.IntN(5)),
	}
	a.mu.records = make(map[uint64]*givenNumbers)
	return a
}

// Name implements Workload.
func (*highContentionAllocator) Name() string { return "HighContentionAllocator" }

func allocatorState(env *Env) subspace.Subspace { return subspace.FromBytes(env.Key("state/")) }

// allocatorGiven holds the numbers with their transactions.
func allocatorGiven(env *Env) subspace.Subspace { return subspace.FromBytes(env.Key("given/")) }

// Setup implements Workload.
func (a *highContentionAllocator) Setup(ctx context.Context, env *Env) error {
	return env.Setup(ctx, func(tx *kv.Transaction) error {
		tx.Set(allocatorState(env).Pack(tuple.Tuple{0, a.first}), make([]byte, 8))
		return nil
	})
}

// Run implements Workload.
func (a *highContentionAllocator) Run(ctx context.Context, env *Env) error {
	return env.Clients(ctx, func(ctx context.Context, c *Client) error {
		id, r := a.begin()
		count, goroutines := 1+c.Rand().IntN(a.most), 1+c.Rand().IntN(2)*c.Rand().IntN(4)
		giveUp := c.Rand().IntN(20) == 0
		outcome, err := c.Try(ctx, func(tx *kv.Transaction) error {
			numbers, err := allocateMany(tx, directory.NewAllocator(allocatorState(env)), count, goroutines)
			if err != nil {
				return err
			}
			a.note(func() { r.numbers = numbers })
			for i, number := range numbers {
				tx.Set(allocatorGiven(env).Pack(tuple.Tuple{number, id, i}), nil)
			}
			if giveUp {
				return kv.ErrNotCommitted
			}
			return nil
		})
		a.note(func() { r.outcome = outcome })
		return err
	})
}

// allocateMany allocates so many numbers, from several goroutines at once.
func allocateMany(tx *kv.Transaction, allocator *directory.Allocator, count, goroutines int) ([]int64, error) {
	numbers, errs := make([]int64, count), make([]error, count)
	var group sync.WaitGroup
	for first := range min(goroutines, count) {
		group.Go(func() {
			for i := first; i < count; i += goroutines {
				if numbers[i], errs[i] = allocator.Allocate(tx); errs[i] != nil {
					return
				}
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return numbers, nil
}

func (a *highContentionAllocator) begin() (id uint64, r *givenNumbers) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mu.next++
	r = &givenNumbers{outcome: Unknown}
	a.mu.records[a.mu.next] = r
	return a.mu.next, r
}

func (a *highContentionAllocator) note(change func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change()
}

// known returns a copy of what is known of the transactions.
func (a *highContentionAllocator) known() map[uint64]givenNumbers {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make(map[uint64]givenNumbers, len(a.mu.records))
	for id, r := range a.mu.records {
		all[id] = *r
	}
	return all
}

// allocatorRows is what a check has read.
type allocatorRows struct {
	given    map[int64]uint64   // the transaction by number
	byID     map[uint64][]int64 // the numbers by transaction
	counters map[int64]int64
	recent   map[int64]bool
}

// Check implements Workload.
func (a *highContentionAllocator) Check(ctx context.Context, env *Env) error {
	before := a.known()
	rows, version, err := env.ReadAll(ctx)
	if err != nil {
		return err
	}
	after := a.known()
	found, err := a.sort(env, rows, version)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(after)) {
		numbers, r := found.byID[id], after[id]
		delete(found.byID, id)
		if earlier, begun := before[id]; len(numbers) == 0 && (!begun || earlier.outcome != Committed) {
			continue
		}
		slices.Sort(numbers)
		if want := slices.Sorted(slices.Values(r.numbers)); r.outcome == Aborted || !slices.Equal(numbers, want) {
			return env.Violated("H2", "at version %d transaction %d, %v, has the numbers %v; it got %v", version, id, r.outcome, numbers, want)
		}
	}
	for id := range found.byID {
		return env.Violated("H2", "at version %d there is a transaction %d, which nobody began", version, id)
	}
	return a.checkState(env, found, version)
}

// sort sorts the rows by what they are (H1, H3).
func (a *highContentionAllocator) sort(env *Env, rows []kv.KeyValue, version kv.Version) (*allocatorRows, error) {
	found := &allocatorRows{given: map[int64]uint64{}, byID: map[uint64][]int64{}, counters: map[int64]int64{}, recent: map[int64]bool{}}
	var last []byte
	for _, row := range rows {
		if state := allocatorState(env); state.Contains(row.Key) {
			if err := found.addState(state, row); err != nil {
				return nil, env.Violated("H5", "at version %d: key %q: %v", version, row.Key, err)
			}
			continue
		}
		t, err := allocatorGiven(env).Unpack(row.Key)
		number, numberErr := tuple.At[int64](t, 0)
		id, idErr := tuple.At[uint64](t, 1)
		if err != nil || numberErr != nil || idErr != nil {
			return nil, env.Violated("H2", "at version %d there is a key %q", version, row.Key)
		}
		if other, twice := found.given[number]; twice {
			return nil, env.Violated("H1", "at version %d number %d is given to transaction %d and to %d", version, number, other, id)
		}
		packed := tuple.Tuple{number}.Pack()
		if last != nil && bytes.HasPrefix(packed, last) {
			return nil, env.Violated("H3", "at version %d number %d, %x, begins with another, %x", version, number, packed, last)
		}
		last = packed
		found.given[number] = id
		found.byID[id] = append(found.byID[id], number)
	}
	return found, nil
}

// addState adds a row of the allocator's own.
func (f *allocatorRows) addState(state subspace.Subspace, row kv.KeyValue) error {
	t, err := state.Unpack(row.Key)
	if err != nil {
		return err
	}
	kind, err := tuple.At[int](t, 0)
	if err != nil {
		return err
	}
	number, err := tuple.At[int64](t, 1)
	if err != nil {
		return err
	}
	if kind == 1 {
		f.recent[number] = true
		return nil
	}
	var value [8]byte
	copy(value[:], row.Value)
	f.counters[number] = int64(binary.LittleEndian.Uint64(value[:]))
	return nil
}

// checkState compares the allocator's state with what was given (H4, H5).
func (a *highContentionAllocator) checkState(env *Env, found *allocatorRows, version kv.Version) error {
	newest := a.first
	for start := range found.counters {
		newest = max(newest, start)
	}
	// The smallest windows have 64 numbers, of which 32 are counted with the
	// one that leaves the window.
	if limit := a.first + int64(len(found.given))*64/31; newest > limit {
		return env.Violated("H4", "at version %d the newest window begins at %d; after %d numbers it must not be above %d",
			version, newest, len(found.given), limit)
	}
	taken := int64(0)
	for number := range found.recent {
		if _, given := found.given[number]; number >= newest && !given {
			return env.Violated("H5", "at version %d number %d is taken, but was given to nobody", version, number)
		}
	}
	for number := range found.given {
		if number < newest {
			continue
		}
		if taken++; !found.recent[number] {
			return env.Violated("H5", "at version %d number %d was given, but is not taken", version, number)
		}
	}
	if taken > found.counters[newest] {
		return env.Violated("H5", "at version %d there are %d numbers in the window at %d, which counts %d", version, taken, newest, found.counters[newest])
	}
	return nil
}
