package directory_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/directory"
	"github.com/plinthdb/plinth/kv/subspace"
)

func allocatorSpace() subspace.Subspace { return subspace.Sub("numbers") }

// collected is a set of numbers that several goroutines add to.
type collected struct {
	mu struct {
		sync.Mutex
		numbers map[int64]bool
	}
}

func (c *collected) add(t *testing.T, numbers ...int64) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.numbers == nil {
		c.mu.numbers = make(map[int64]bool)
	}
	for _, n := range numbers {
		if c.mu.numbers[n] {
			t.Errorf("%d was allocated twice", n)
		}
		c.mu.numbers[n] = true
	}
}

func (c *collected) highest() (n int64) {
	for number := range c.mu.numbers {
		n = max(n, number)
	}
	return n
}

// TestConcurrentTransactionsAllocateUniqueSmallNumbers (D2, D3).
func TestConcurrentTransactionsAllocateUniqueSmallNumbers(t *testing.T) {
	s := newStage(t)
	allocator := directory.NewAllocator(allocatorSpace())
	var all collected
	var group sync.WaitGroup
	const goroutines, transactions, each = 16, 8, 3
	for range goroutines {
		group.Go(func() {
			for range transactions {
				numbers, err := kv.Transact(context.Background(), s.db, func(tx *kv.Transaction) (numbers []int64, err error) {
					for range each {
						n, err := allocator.Allocate(tx)
						if err != nil {
							return nil, err
						}
						numbers = append(numbers, n)
					}
					return numbers, nil
				})
				if err != nil {
					t.Error(err)
				}
				all.add(t, numbers...)
			}
		})
	}
	group.Wait()
	// A window is left when half of it, less one, was allocated from it; the
	// last one is at most 1,024 long here.
	const count = goroutines * transactions * each
	if got := len(all.mu.numbers); got != count {
		t.Errorf("%d numbers were allocated, want %d", got, count)
	}
	if highest, limit := all.highest(), int64(count*64/31+1024); highest > limit {
		t.Errorf("the highest of %d numbers is %d, above %d", count, highest, limit)
	}
}

// TestGoroutinesOfOneTransactionAllocateUniqueNumbers (D7) goes through several
// windows in one transaction.
func TestGoroutinesOfOneTransactionAllocateUniqueNumbers(t *testing.T) {
	s := newStage(t)
	allocator := directory.NewAllocator(allocatorSpace())
	var all collected
	s.commit(t, func(tx *kv.Transaction) error {
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for range 20 {
					n, err := allocator.Allocate(tx)
					if err != nil {
						t.Error(err)
					}
					all.add(t, n)
				}
			})
		}
		group.Wait()
		return nil
	})
	if highest := all.highest(); highest < 192 || highest >= 1280 {
		t.Errorf("the highest of 160 numbers is %d: they are not of the first six windows", highest)
	}
}

// fill takes all numbers of the first window but one, without counting them.
func (s *stage) fill(t *testing.T, space subspace.Subspace, free int) {
	t.Helper()
	s.commit(t, func(tx *kv.Transaction) error {
		for n := range 64 {
			if n != free {
				tx.Set(space.Pack([]any{1, n}), nil)
			}
		}
		return nil
	})
}

func TestOnlyOneOfTwoTransactionsGetsTheSameNumber(t *testing.T) {
	s := newStage(t)
	s.fill(t, allocatorSpace(), 17)
	allocator := directory.NewAllocator(allocatorSpace())
	first, second := s.begin(t), s.begin(t)
	for _, tx := range []*kv.Transaction{first, second} {
		if n, err := allocator.Allocate(tx); n != 17 || err != nil {
			t.Fatalf("allocated %d (%v), want 17", n, err)
		}
	}
	if err := first.Commit(); err != nil {
		t.Error(err)
	}
	if err := second.Commit(); !errors.Is(err, kv.ErrNotCommitted) {
		t.Errorf("the second transaction with the same number: %v, want a conflict", err)
	}
}

func TestANewWindowDoesNotDisturbThoseInTheOldOne(t *testing.T) {
	s := newStage(t)
	allocator := directory.NewAllocator(allocatorSpace())
	count := func(n byte) {
		s.load(t, map[string]string{string(allocatorSpace().Pack([]any{0, 0})): string([]byte{n, 0, 0, 0, 0, 0, 0, 0})})
	}
	count(30)
	old := s.begin(t)
	before, err := allocator.Allocate(old)
	if err != nil {
		t.Fatal(err)
	}
	count(31)
	s.commit(t, func(tx *kv.Transaction) error {
		n, err := allocator.Allocate(tx)
		if n < 64 {
			t.Errorf("%d was allocated, not one of the next window", n)
		}
		return err
	})
	if err := old.Commit(); err != nil || before >= 64 {
		t.Errorf("%d from the old window: %v", before, err)
	}
}

func TestAnAllocatorWithoutFreeNumbersSaysSo(t *testing.T) {
	s := newStage(t)
	s.fill(t, allocatorSpace(), -1)
	_, err := directory.NewAllocator(allocatorSpace()).Allocate(s.begin(t))
	if !errors.Is(err, directory.ErrAllocatorStuck) {
		t.Errorf("error %v, want that the allocator is stuck", err)
	}
}

func TestATransactionThatHidesItsWritesCannotAllocate(t *testing.T) {
	s := newStage(t)
	tx := s.begin(t, kv.WithReadYourWrites(false))
	_, err := directory.NewAllocator(allocatorSpace()).Allocate(tx)
	if !errors.Is(err, directory.ErrOwnWritesHidden) {
		t.Errorf("error %v, want that it hides its own writes", err)
	}
	tx = s.begin(t, kv.WithSnapshotReadYourWrites(false))
	var all collected
	for range 20 {
		n, err := directory.NewAllocator(allocatorSpace()).Allocate(tx)
		if err != nil {
			t.Fatal(err)
		}
		all.add(t, n)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
}

// TestOverlappingPrefixesConflict (D1) lets one transaction allocate a prefix
// while another chooses one that overlaps with it.
func TestOverlappingPrefixesConflict(t *testing.T) {
	for _, form := range []string{"the same", "shorter", "longer"} {
		for _, automaticFirst := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%t", form, automaticFirst), func(t *testing.T) {
				s := newStage(t)
				s.load(t, map[string]string{"\xfe\x01\xfe\x00\x01version\x00": version100})
				automatic, manual := s.begin(t), s.begin(t)
				d, err := s.root.Create(automatic, []string{"automatic"}, nil)
				if err != nil {
					t.Fatal(err)
				}
				prefix := map[string][]byte{"the same": d.Bytes(), "shorter": d.Bytes()[:1], "longer": append(d.Bytes(), 'x')}[form]
				if _, err := s.root.CreatePrefix(manual, []string{"manual"}, nil, prefix); err != nil {
					t.Fatal(err)
				}
				first, second := manual, automatic
				if automaticFirst {
					first, second = automatic, manual
				}
				if err := first.Commit(); err != nil {
					t.Fatal(err)
				}
				if err := second.Commit(); !errors.Is(err, kv.ErrNotCommitted) {
					t.Errorf("the second commit: %v, want a conflict", err)
				}
			})
		}
	}
}

// TestNeighboursDoNotConflict: what two transactions create at the same time is
// in their way only if it has the same path or the same number.
func TestNeighboursDoNotConflict(t *testing.T) {
	s := newStage(t)
	s.commit(t, func(tx *kv.Transaction) error {
		_, err := s.root.Create(tx, []string{"parent"}, nil)
		return err
	})
	var transactions []*kv.Transaction
	var prefixes collected
	for i := range 5 {
		tx := s.begin(t)
		d, err := s.root.Create(tx, []string{"parent", fmt.Sprint(i)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		number, err := subspace.AllKeys().Unpack(d.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if n := number[0].(int64); !prefixes.mu.numbers[n] {
			prefixes.add(t, n)
			transactions = append(transactions, tx)
		}
	}
	for i, tx := range transactions {
		if err := tx.Commit(); err != nil {
			t.Errorf("transaction %d: %v", i, err)
		}
	}
}

// TestGoroutinesOfOneTransactionCreateOneTree (D7) would lose directories if two
// of them created the same parent.
func TestGoroutinesOfOneTransactionCreateOneTree(t *testing.T) {
	s := newStage(t)
	s.store.Hook = func(context.Context, string) error {
		for range 20 { // lets the others in, if they may
			runtime.Gosched()
		}
		return nil
	}
	s.commit(t, func(tx *kv.Transaction) error {
		var group sync.WaitGroup
		for i := range 10 {
			group.Go(func() {
				if _, err := s.root.Create(tx, []string{"a", "b", fmt.Sprint(i)}, nil); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		return nil
	})
	names, err := s.root.List(s.begin(t), []string{"a", "b"})
	if err != nil || len(names) != 10 {
		t.Errorf("of ten directories there are %q (%v)", names, err)
	}
}
