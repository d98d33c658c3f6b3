package main

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/apple/foundationdb/bindings/go/src/fdb"

	"github.com/plinthdb/plinth/internal/bench"
	"github.com/plinthdb/plinth/internal/bench/paired"
	"github.com/plinthdb/plinth/internal/bench/plinth"
)

// overKVClients are the numbers of clients that BenchmarkOverKV compares with.
// One alone finds processors free even on a machine that is rather busy, and so
// tells what a call costs; 64 tell what is left of that in a loaded store.
var overKVClients = [...]int{1, 64}

// BenchmarkOverKV compares FoundationDB's Go API (second/s) with kv (first/s):
// clients run each workload on one store by either, in turns. Package paired
// says what the figures mean. An iteration is about a fifth of a second of turns,
// so this takes two minutes and a half, and the second less than one:
//
//	go test -run '^$' -bench OverKV -benchtime 25x
//	go test -run '^$' -bench OverKV/scan100/64 -benchtime 200x
//
// Neither is exactly once: that has a benchmark of its own, in kv/embedded.
func BenchmarkOverKV(b *testing.B) {
	driver, err := driverNamed("plinth-fdb")
	if err != nil {
		b.Fatal(err)
	}
	session, err := bench.Open(driver, b.TempDir(), bench.Settings{Records: 200_000, Clients: slices.Max(overKVClients[:])})
	if err != nil {
		b.Fatal(err)
	}
	defer session.Close()
	if _, err := session.Load(b.Context()); err != nil {
		b.Fatal(err)
	}
	module := session.Store().(*fdbStore)
	client := plinth.Over(fdb.KVDatabase(module.db), module.Close)
	for _, w := range bench.Workloads() {
		for _, clients := range overKVClients {
			b.Run(fmt.Sprintf("%s/%d", w.Name, clients), func(b *testing.B) {
				overKV(b, clients, w.Writes, workOf(b, session, w, client), workOf(b, session, w, module))
			})
		}
	}
}

// overKV is one comparison. Turns last a few milliseconds, less than a cycle of
// the collector; clients that wait for the disk together make them longer.
func overKV(b *testing.B, clients int, writes bool, client, module paired.Work) {
	const warmUp, each, turn = time.Second, time.Second / 5, 2 * time.Millisecond
	pairs, underWay := int(each/(2*turn)), min(clients, runtime.GOMAXPROCS(0))
	if writes {
		pairs, underWay = 20, clients
	}
	if writes && clients > 1 {
		pairs = 3
	}
	c := paired.Start(clients, underWay, client, module)
	<-time.After(warmUp)
	for b.Loop() {
		c.Pairs(pairs, turn)
	}
	if err := c.Stop(); err != nil {
		b.Fatal(err)
	}
	c.Report(b.ReportMetric)
}

// workOf returns a workload as the session's clients run it on a store.
func workOf(b *testing.B, session *bench.Session, w bench.Workload, store bench.Store) paired.Work {
	clients := make([]*bench.Client, slices.Max(overKVClients[:]))
	if err := session.Each(func(index int, c *bench.Client) error {
		clients[index] = c
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	return func(index int) error {
		_, err := w.Once(b.Context(), store, clients[index])
		return err
	}
}
