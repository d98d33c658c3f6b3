package embedded_test

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// Transactions that commit together have one version, and the order in which they
// were applied is that of their stamps: who applies the events in this order has
// what the store has.
func TestCommitHooksTellTheOrderWithinABatch(t *testing.T) {
	const goroutines, each = 16, 20
	var mu sync.Mutex
	var events []kv.CommitEvent
	db, store, err := embedded.Open("test", embedded.InMemory(), embedded.WithDatabaseOptions(
		kv.WithCommitHook(func(_ context.Context, e kv.CommitEvent) {
			mu.Lock()
			defer mu.Unlock()
			events = append(events, e)
		})))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var group sync.WaitGroup
	for i := range goroutines {
		group.Go(func() {
			for n := range each {
				_, err := kv.Transact(context.Background(), db, func(tx *kv.Transaction) (int, error) {
					tx.AppendIfFits([]byte("all"), []byte{byte(i), byte(n)}) // the order shows
					tx.SetVersionstampedValue([]byte{byte(n % 3)}, make([]byte, 14))
					return 0, nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	slices.SortFunc(events, func(a, b kv.CommitEvent) int { return bytes.Compare(a.Stamp[:], b.Stamp[:]) })
	copied := map[string]string{}
	for _, e := range events {
		for m := range e.Mutations() {
			copied[string(m.Key)] = string(m.Apply([]byte(copied[string(m.Key)])))
		}
	}
	stored, err := kv.ReadTransact(context.Background(), db, func(r kv.Reader) (map[string]string, error) {
		rows := map[string]string{}
		for row, err := range r.Range(kv.AllKeys(), kv.RangeOptions{}).All() {
			if err != nil {
				return nil, err
			}
			rows[string(row.Key)] = string(row.Value)
		}
		return rows, nil
	})
	if err != nil || len(events) != goroutines*each || !maps.Equal(copied, stored) {
		t.Errorf("%d events, %v; the replica has %q, stored is %q", len(events), err, copied, stored)
	}
}
