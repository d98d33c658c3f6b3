package cluster

import (
	"context"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/usage"
	"github.com/plinthdb/plinth/internal/wire"
)

// Rates count from a moment five seconds ago or more, or from the opening; never
// from further back than need be, but for samples that nobody took. Few samples
// are kept, whoever asks how often.
func TestRatesCountFromARecentMoment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r recent
		opened := time.Unix(1_000_000, 0)
		r.begin(sample{at: opened})
		asked := []time.Time{opened}
		gaps := rapid.SampledFrom([]time.Duration{0, time.Millisecond, 400 * time.Millisecond, time.Second, 6 * time.Second, time.Hour})
		for i := range rapid.IntRange(1, 40).Draw(t, "statuses") {
			now := asked[len(asked)-1].Add(gaps.Draw(t, "gap"))
			from := r.observe(sample{at: now, work: wire.Workload{Requests: uint64(i)}})
			if from.at != opened && now.Sub(from.at) < rateWindow {
				t.Fatalf("rates at %v count from %v", now, from.at)
			}
			for _, at := range asked {
				// A sample is at most sampleEvery older than what was asked for then.
				if now.Sub(at) >= rateWindow && at.Sub(from.at) >= sampleEvery {
					t.Fatalf("rates at %v count from %v, though a status was asked for at %v", now, from.at, at)
				}
			}
			if kept := len(r.mu.samples); kept > int(rateWindow/sampleEvery)+2 {
				t.Fatalf("%d samples are kept", kept)
			}
			asked = append(asked, now)
		}
	})
}

func TestStatusCountsTheWorkOfTheStore(t *testing.T) {
	ctx := context.Background()
	l := open(t, vfs.NewMem(), "data")
	defer closeStore(t, l)
	get(t, l, "key") // the storage server has the id of the store by then
	before, err := l.StoreStatus(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := l.Commit(ctx, setRequest(readVersion(t, l), "key", "value")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.ReadVersion(ctx, wire.ReadVersionRequest{Priority: wire.PriorityBatch}); err != nil {
		t.Fatal(err)
	}
	get(t, l, "key")
	s, err := l.StoreStatus(ctx)
	if err != nil {
		t.Fatal(err)
	}
	type figures struct{ started, batch, resolved, requests, reads, writes, readBytes, writtenBytes uint64 }
	of := func(w wire.Workload) figures {
		return figures{w.StartedDefault, w.StartedBatch, w.Resolved, w.Requests, w.Reads, w.Writes, w.ReadBytes, w.WrittenBytes}
	}
	was, got := of(before.Work), of(s.Work)
	want := figures{
		was.started + 4, was.batch + 1, was.resolved + 3, was.requests + 1, was.reads + 1, was.writes + 3,
		was.readBytes + uint64(len("value")), was.writtenBytes + 3*uint64(len("keyvalue")),
	}
	if got != want {
		t.Errorf("figures %+v, want %+v", got, want)
	}
	if s.Earlier.Requests > before.Work.Requests || s.EarlierSeconds < 0 {
		t.Errorf("%+v of it %v seconds ago", s.Earlier, s.EarlierSeconds)
	}
	if virtual, resident := usage.MemoryBytes(); resident > 0 && (virtual < resident || s.Process.ResidentBytes == 0) {
		t.Errorf("%d bytes mapped, %d resident, in the status %+v", virtual, resident, s.Process)
	}
}
