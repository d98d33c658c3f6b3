package kv_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
)

// Latencies of the slow store, which pass in the virtual time of synctest.
const (
	readLatency   = 50 * time.Microsecond
	commitLatency = time.Millisecond
	cycle         = 2*readLatency + commitLatency
)

// slow makes a store take its time. Half of a commit passes before the
// conflict check.
func slow(store *model.Store) {
	pause := func(ctx context.Context, d time.Duration) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	store.Hook = func(ctx context.Context, call string) error {
		if call == "Commit" {
			return pause(ctx, commitLatency/2)
		}
		return pause(ctx, readLatency)
	}
	store.AfterCommit = func(ctx context.Context) error { return pause(ctx, commitLatency/2) }
}

// increment adds one to a key in the way that conflicts, and returns how often
// it was tried.
func increment(t *testing.T, db *kv.Database, key string) (tries int) {
	_, err := kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
		tries++
		return 0, addOne(tx, key)
	})
	if err != nil {
		t.Error(err)
	}
	return tries
}

func addOne(tx *kv.Transaction, key string) error {
	value, err := tx.Get([]byte(key)).Wait()
	if err != nil {
		return err
	}
	if len(value) == 0 {
		value = []byte{0, 0}
	}
	if value[0]++; value[0] == 0 {
		value[1]++
	}
	tx.Set([]byte(key), value)
	return nil
}

// each runs f in n goroutines and waits for them.
func each(n int, f func(i int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { f(i) })
	}
	group.Wait()
}

func count(t *testing.T, store *model.Store, key string) int {
	for _, row := range store.Rows() {
		if string(row.Key) == key {
			return int(row.Value[0]) + int(row.Value[1])<<8
		}
	}
	return 0
}

func TestClientsOfAHotKeyLineUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients, each64 = 64, 20
		db, store := open(t)
		slow(store)
		began := time.Now()
		var tries, most atomic.Int64
		each(clients, func(int) {
			for range each64 {
				n := int64(increment(t, db, "hot"))
				tries.Add(n)
				for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
				}
			}
		})
		const total = clients * each64
		retries := float64(tries.Load()-total) / total
		took := time.Since(began)
		t.Logf("%.3f retries a transaction, at most %d tries, %v for %d transactions, a cycle is %v",
			retries, most.Load(), took, total, cycle)
		if count(t, store, "hot") != total {
			t.Fatalf("final value %d, want %d", count(t, store, "hot"), total)
		}
		if retries > 0.1 || most.Load() > 4 {
			t.Errorf("%.3f retries a transaction, one was tried %d times", retries, most.Load())
		}
		if took > total*cycle*11/10 {
			t.Errorf("took %v, all in a row would take %v", took, total*cycle)
		}
	})
}

func TestTheQueueOfAHotKeyIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients = 16
		db, store := open(t)
		slow(store)
		ctx, cancel := context.WithTimeout(background, 2*time.Second)
		defer cancel()
		var done [clients]int
		each(clients, func(i int) {
			for {
				_, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (int, error) { return 0, addOne(tx, "hot") })
				if err != nil {
					return
				}
				done[i]++
			}
		})
		for i, n := range done {
			if n < done[0]-3 || n > done[0]+3 {
				t.Fatalf("client %d committed %d times: %v", i, n, done)
			}
		}
	})
}

// TestReadersOfAHotKeyDoNotLineUp: everybody reads one key that somebody
// increments now and then.
func TestReadersOfAHotKeyDoNotLineUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients, rounds = 32, 50
		db, store := open(t)
		slow(store)
		each(2, func(int) { increment(t, db, "config") })
		began := time.Now()
		each(clients, func(i int) {
			for range rounds {
				_, err := kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
					_, err := tx.Get([]byte("config")).Wait()
					tx.Set([]byte{byte(i)}, nil)
					return 0, err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
		if took, alone := time.Since(began), rounds*cycle; took > 3*alone/2 {
			t.Fatalf("%d readers took %v, one alone takes %v", clients, took, alone)
		}
	})
}

// TestConsumersOfOneQueueLineUp: consumers take the first message of a queue,
// a range read whose end moves on.
func TestConsumersOfOneQueueLineUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const consumers, messages = 16, 320
		db, store := open(t)
		must(kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
			for i := range messages {
				tx.Set([]byte{'q', byte(i >> 8), byte(i)}, nil)
			}
			return 0, nil
		}))(t)
		slow(store)
		var tries, taken atomic.Int64
		each(consumers, func(int) {
			for {
				n := must(kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
					tries.Add(1)
					rows, err := tx.Range(kv.PrefixRange([]byte("q")), kv.RangeOptions{Limit: 1}).Slice()
					for _, row := range rows {
						tx.Clear(row.Key)
					}
					return len(rows), err
				}))(t)
				if n == 0 {
					return
				}
				taken.Add(1)
			}
		})
		if taken.Load() != messages || tries.Load() > 2*messages {
			t.Fatalf("%d messages of %d taken in %d tries", taken.Load(), messages, tries.Load())
		}
	})
}

// TestHotKeysInDifferentOrdersDoNotBlock has transactions that need two hot
// keys, in either order.
func TestHotKeysInDifferentOrdersDoNotBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients, rounds = 16, 20
		db, store := open(t)
		slow(store)
		var tries atomic.Int64
		began := time.Now()
		each(clients, func(i int) {
			for range rounds {
				must(kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
					tries.Add(1)
					first, second := "a", "b"
					if i%2 == 0 {
						first, second = second, first
					}
					if err := addOne(tx, first); err != nil {
						return 0, err
					}
					return 0, addOne(tx, second)
				}))(t)
			}
		})
		const total = clients * rounds
		if count(t, store, "a") != total || count(t, store, "b") != total {
			t.Fatal("increments were lost")
		}
		t.Logf("%.2f tries, %v, in a row %v", float64(tries.Load())/total, time.Since(began), total*(cycle+readLatency))
		if tries.Load() > 4*total {
			t.Errorf("%d tries of %d transactions", tries.Load(), total)
		}
	})
}

func TestAHolderThatStallsIsPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store := open(t)
		slow(store)
		each(4, func(int) { increment(t, db, "hot") })
		release, holding := make(chan struct{}), make(chan struct{})
		var group sync.WaitGroup
		group.Go(func() {
			first := true
			must(kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
				err := addOne(tx, "hot")
				if first {
					first = false
					close(holding)
					<-release
				}
				return 0, err
			}))(t)
		})
		<-holding
		began := time.Now()
		increment(t, db, "hot")
		if took := time.Since(began); took < time.Second || took > 2*time.Second {
			t.Errorf("passed the holder after %v, want a little over a second", took)
		}
		began = time.Now()
		increment(t, db, "hot")
		if took := time.Since(began); took > 3*cycle {
			t.Errorf("the next one took %v", took)
		}
		close(release)
		group.Wait()
		if count(t, store, "hot") != 7 {
			t.Fatalf("final value %d", count(t, store, "hot"))
		}
	})
}

// TestATransactionInsideAnotherOnOneHotKeyEnds: the inner one waits for the
// ticket of the outer one, which waits for the inner one.
func TestATransactionInsideAnotherOnOneHotKeyEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store := open(t)
		slow(store)
		each(4, func(int) { increment(t, db, "hot") })
		nested := false
		must(kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
			err := addOne(tx, "hot")
			if !nested {
				nested = true
				increment(t, db, "hot")
			}
			return 0, err
		}))(t)
		if count(t, store, "hot") != 6 {
			t.Fatalf("final value %d", count(t, store, "hot"))
		}
	})
}

func TestTheContextEndsAWaitForAHotKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store := open(t)
		slow(store)
		each(4, func(int) { increment(t, db, "hot") })
		ctx, cancel := context.WithTimeout(background, 300*time.Millisecond)
		defer cancel()
		must(kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
			if err := addOne(tx, "hot"); err != nil {
				return 0, err
			}
			_, err := kv.Transact(ctx, db, func(inner *kv.Transaction) (int, error) { return 0, addOne(inner, "hot") })
			mustBe(t, err, context.DeadlineExceeded)
			return 0, nil
		}))(t)
	})
}

// TestATicketIsGivenBackHoweverTheFunctionEnds (K10) lets holders fail in every way;
// each time the next one must get its turn at once.
func TestATicketIsGivenBackHoweverTheFunctionEnds(t *testing.T) {
	ways := map[string]func(*kv.Transaction) error{
		"error":        func(*kv.Transaction) error { return context.Canceled },
		"panic":        func(*kv.Transaction) error { panic("boo") },
		"cancel":       func(tx *kv.Transaction) error { tx.Cancel(); return nil },
		"invalid":      func(tx *kv.Transaction) error { tx.Set([]byte("\xff"), nil); return nil },
		"retry":        func(tx *kv.Transaction) error { tx.Reset(); return nil },
		"only reading": func(tx *kv.Transaction) error { return nil },
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db, store := open(t)
				slow(store)
				each(4, func(int) { increment(t, db, "hot") })
				for range 3 {
					func() {
						defer func() { _ = recover() }()
						kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
							if _, err := tx.Get([]byte("hot")).Wait(); err != nil {
								return 0, err
							}
							return 0, way(tx)
						})
					}()
					began := time.Now()
					increment(t, db, "hot")
					if took := time.Since(began); took > 2*cycle {
						t.Fatalf("the next one took %v", took)
					}
				}
			})
		})
	}
}

func TestWithoutTheQueueHotKeysStillCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, store := open(t, kv.WithHotKeyQueue(false))
		slow(store)
		var tries atomic.Int64
		each(8, func(int) { tries.Add(int64(increment(t, db, "hot"))) })
		if count(t, store, "hot") != 8 {
			t.Fatalf("final value %d", count(t, store, "hot"))
		}
		if tries.Load() <= 8 {
			t.Fatal("nothing conflicted: the other tests prove nothing")
		}
	})
}
