package main

import (
	"testing"
	"time"

	"github.com/apple/foundationdb/bindings/go/src/fdb"

	"github.com/plinthdb/plinth/internal/bench"
	"github.com/plinthdb/plinth/internal/bench/paired"
	"github.com/plinthdb/plinth/internal/bench/plinth"
)

// BenchmarkOverKV compares FoundationDB's Go API (second/s) with kv (first/s):
// 64 clients run each workload on one store by either, in turns. Package paired
// says what the figures mean. An iteration is a fifth of a second of turns, so
// this takes two minutes and a half:
//
//	go test -run '^$' -bench OverKV -benchtime 80x
//
// Neither is exactly once: that has a benchmark of its own, in kv/embedded.
func BenchmarkOverKV(b *testing.B) {
	const warmUp = time.Second
	driver, err := driverNamed("plinth-fdb")
	if err != nil {
		b.Fatal(err)
	}
	session, err := bench.Open(driver, b.TempDir(), bench.Settings{Records: 200_000, Clients: 64})
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
		b.Run(w.Name, func(b *testing.B) {
			c := paired.Start(64, workOf(b, session, w, client), workOf(b, session, w, module))
			<-time.After(warmUp)
			for b.Loop() {
				takeTurns(c, w)
			}
			if err := c.Stop(); err != nil {
				b.Fatal(err)
			}
			c.Report(b.ReportMetric)
		})
	}
}

// takeTurns gives each API a tenth of a second: at once if the workload waits for
// the disk, else in ten turns, as more pairs tell more.
func takeTurns(c *paired.Comparison, w bench.Workload) {
	const each = time.Second / 10
	if w.Writes {
		c.Pair(each)
		return
	}
	for range 10 {
		c.Pair(each / 10)
	}
}

// workOf returns a workload as the session's clients run it on a store.
func workOf(b *testing.B, session *bench.Session, w bench.Workload, store bench.Store) paired.Work {
	clients := make([]*bench.Client, 64)
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
