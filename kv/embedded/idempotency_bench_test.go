package embedded_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// BenchmarkExactlyOnce compares write10 of plinth bench (64 clients, each of
// whose transactions sets ten of 200,000 keys to 100 bytes) with idempotency
// ids and without. Both take turns of a tenth of a second on one store, so that
// a busy machine slows both down. An iteration is one turn each; the medians of
// the ratios of commits (ratio) and of processor time a commit (cpu-ratio) are
// what counts:
//
//	go test ./kv/embedded -run '^$' -bench ExactlyOnce -benchtime 300x
func BenchmarkExactlyOnce(b *testing.B) {
	const clients, turn = 64, time.Second / 10
	db, store, err := embedded.Open(b.TempDir() + "/data")
	if err != nil {
		b.Fatal(err)
	}
	var withIDs atomic.Bool
	var commits [2]atomic.Int64
	ctx, stop := context.WithCancel(context.Background())
	var group sync.WaitGroup
	for range clients {
		group.Go(func() {
			for ctx.Err() == nil {
				on, count := kv.WithExactlyOnce(false), &commits[0]
				if withIDs.Load() {
					on, count = kv.WithExactlyOnce(true), &commits[1]
				}
				if err := write10(db, on); err != nil {
					b.Error(err)
					return
				}
				count.Add(1)
			}
		})
	}
	<-time.After(2 * time.Second) // until window and engine are warm
	var ratios, cpuRatios []float64
	var sums [2]int64
	for b.Loop() {
		var counts [2]int64
		var cpu [2]time.Duration
		for i := range 2 {
			mode := (i + len(ratios)) % 2 // each goes first as often as the other
			withIDs.Store(mode == 1)
			before, spent := commits[mode].Load(), cpuTime()
			<-time.After(turn)
			counts[mode] = commits[mode].Load() - before
			cpu[mode] = cpuTime() - spent
			sums[mode] += counts[mode]
		}
		ratios = append(ratios, float64(counts[1])/float64(max(counts[0], 1)))
		cpuRatios = append(cpuRatios, float64(cpu[1])*float64(counts[0])/max(float64(cpu[0])*float64(counts[1]), 1))
	}
	stop()
	group.Wait()
	if err := store.Close(); err != nil {
		b.Fatal(err)
	}
	seconds := turn.Seconds() * float64(len(ratios))
	b.ReportMetric(float64(sums[0])/seconds, "without/s")
	b.ReportMetric(float64(sums[1])/seconds, "with/s")
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(median(cpuRatios), "cpu-ratio")
}

// median returns the middle of the values, which it sorts.
func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// write10 sets ten random keys.
func write10(db *kv.Database, options ...kv.TransactionOption) error {
	value := make([]byte, 100)
	for i := range value {
		value[i] = byte(rand.Uint32())
	}
	_, err := kv.Transact(context.Background(), db, func(tx *kv.Transaction) (struct{}, error) {
		for range 10 {
			tx.Set(fmt.Appendf(nil, "key%013d", rand.IntN(200_000)), value)
		}
		return struct{}{}, nil
	}, options...)
	return err
}
