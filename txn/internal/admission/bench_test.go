package admission

import (
	"testing"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

// BenchmarkCheck checks a gate that holds many starts for the load, and one for
// the limit of its tag: the owner's lock is held for so long, every check.
func BenchmarkCheck(b *testing.B) {
	g := New[int](Config{MaxWaiting: 200_000, DefaultWait: time.Hour, BatchWait: time.Hour, TagWait: time.Hour, MaxTags: 10})
	g.SetLimits([]Limit{{Tag: "t", Until: forever}}, 0)
	g.Hold(&Start[int]{Tags: []string{"t"}}, 0, wire.FullLoad)
	for range 100_000 {
		g.Hold(&Start[int]{}, 0, wire.FullLoad)
	}
	for b.Loop() {
		if decided := g.Check(1, wire.FullLoad); decided != nil {
			b.Fatal(decided)
		}
	}
}
