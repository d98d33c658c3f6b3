package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/plinthdb/plinth/internal/bench/paired"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// BenchmarkExactlyOnce compares write10 of plinth bench (each transaction sets
// ten of 200,000 keys to 100 bytes) without idempotency ids (first/s) and with
// them (second/s), in turns on one store; package paired says what the figures
// mean. An iteration is about a third of a second of turns, so this takes two
// minutes, and what is of 64 clients alone two and a half:
//
//	go test ./kv/embedded -run '^$' -bench ExactlyOnce -benchtime 90x
//	go test ./kv/embedded -run '^$' -bench ExactlyOnce/.*/64 -benchtime 220x
//
// "ids" is the comparison. "none" compares commits without ids with themselves:
// if 1 is not within its bounds, or they are wide, the machine cannot tell. One
// client alone takes short turns, and tells what a commit costs in processor
// time even on a machine that is rather busy.
func BenchmarkExactlyOnce(b *testing.B) {
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprintf("ids/%d", clients), func(b *testing.B) { benchmarkWrite10(b, clients, true) })
		b.Run(fmt.Sprintf("none/%d", clients), func(b *testing.B) { benchmarkWrite10(b, clients, false) })
	}
}

// benchmarkWrite10 compares write10 without idempotency ids with write10.
func benchmarkWrite10(b *testing.B, clients int, withIDs bool) {
	const warmUp, turn = 2 * time.Second, 5 * time.Millisecond // or what 64 clients need
	pairs := 4
	if clients == 1 {
		pairs = 30
	}
	db, store, err := embedded.Open(b.TempDir() + "/data")
	if err != nil {
		b.Fatal(err)
	}
	work := func(withIDs bool) paired.Work {
		return func(int) error { return write10(db, kv.WithExactlyOnce(withIDs)) }
	}
	c := paired.Start(clients, clients, work(false), work(withIDs))
	<-time.After(warmUp) // until window and engine are warm
	for b.Loop() {
		c.Pairs(pairs, turn)
	}
	if err := errors.Join(c.Stop(), store.Close()); err != nil {
		b.Fatal(err)
	}
	c.Report(b.ReportMetric)
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
