package sequencer

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/wire"
)

// A chain of versions drawn under any clock, with any commits in between, keeps
// S1, S2 and S3.
func TestVersionsFormOneBoundedChain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		floor := wire.Version(rapid.Int64Range(0, 1<<40).Draw(t, "floor"))
		now := rapid.Int64Range(-1<<40, 1<<40).Draw(t, "start")
		a := NewAllocator(floor, now)
		last, committed := floor, floor
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			// The clock may jump, stand still and go back.
			now += rapid.SampledFrom([]int64{0, 1, 10, 1_000, 3_000_000, -5, -1_000_000}).Draw(t, "elapsed")
			if rapid.Bool().Draw(t, "commit") && last > committed {
				committed += wire.Version(rapid.Int64Range(1, int64(last-committed)).Draw(t, "by"))
				if !a.Commit(committed) {
					t.Fatalf("commit of %d is news, but was refused", committed)
				}
			}
			prev, version, ok := a.Next(now)
			if full := last >= committed+wire.WindowVersions; ok == full {
				t.Fatalf("S3: last %d, committed %d: handed out = %v", last, committed, ok)
			}
			if !ok {
				continue
			}
			if prev != last {
				t.Fatalf("S1: version %d follows %d, want %d", version, prev, last)
			}
			if version <= last || version-last > wire.MaxVersionStep || version > committed+wire.WindowVersions {
				t.Fatalf("S2, S3: version %d after %d with %d committed", version, last, committed)
			}
			last = version
		}
		if a.Last() != last || a.Committed() != committed {
			t.Fatalf("allocator stands at %d, %d; want %d, %d", a.Last(), a.Committed(), last, committed)
		}
	})
}

func TestVersionsAdvanceWithTheClock(t *testing.T) {
	a := NewAllocator(100, 0)
	for _, step := range []struct{ now, want int64 }{
		{10, 110},               // ten microseconds
		{10, 111},               // no time at all
		{5, 112},                // a clock that went back
		{1_000_005, 1_000_112},  // a second
		{61_000_005, 2_000_112}, // a minute of idleness counts as one second
	} {
		_, got, ok := a.Next(step.now)
		if !ok || int64(got) != step.want {
			t.Errorf("at %d: version %d (%v), want %d", step.now, got, ok, step.want)
		}
	}
}
