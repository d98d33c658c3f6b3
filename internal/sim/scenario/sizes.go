package scenario

import (
	"math/rand/v2"
	"time"

	"github.com/plinthdb/plinth/cluster"
	"github.com/plinthdb/plinth/internal/wire"
)

// Sizes are the sizes of a store's parts, many times smaller than in real life
// so that every limit is reached within seconds, and its times.
type Sizes struct {
	CacheBytes, WindowBytes, MemTableBytes      int64
	LogCacheBytes, LogSegmentBytes, LogCutBytes int64
	MaxBatchCount, MaxBatchBytes, MaxInFlight   int
	MaxPendingBytes                             int
	MaxWaitingVersions, MaxWaitingReads         int
	MaxWatches                                  int
	PeekBytes, MaxRangeBytes                    int
	StepVersions                                int64
	IdleAfter, FlushInterval                    time.Duration
}

// Tune gives the parts of an embedded store these sizes. MaxWatches is the
// database's and not among them.
func (s Sizes) Tune(t *cluster.LocalConfig) {
	t.CacheBytes = s.CacheBytes
	t.WindowBytes = int(s.WindowBytes)
	t.MemTableBytes = int(s.MemTableBytes)
	t.LogCacheBytes = int(s.LogCacheBytes)
	t.LogSegmentBytes = s.LogSegmentBytes
	t.LogCutBytes = int(s.LogCutBytes)
	t.MaxBatchCount = s.MaxBatchCount
	t.MaxInFlight = s.MaxInFlight
	t.MaxBatchBytes = s.MaxBatchBytes
	t.MaxPendingBytes = s.MaxPendingBytes
	t.MaxWaitingVersions, t.MaxWaitingReads = s.MaxWaitingVersions, s.MaxWaitingReads
	t.PeekBytes, t.MaxRangeBytes = s.PeekBytes, s.MaxRangeBytes
	t.StepVersions = wire.Version(s.StepVersions)
	t.IdleAfter, t.FlushInterval = s.IdleAfter, s.FlushInterval
}

func drawSizes(rng *rand.Rand) Sizes {
	s := Sizes{
		CacheBytes:      logarithmic[int64](rng, 64<<10, 8<<20),
		WindowBytes:     logarithmic[int64](rng, 64<<10, 8<<20),
		MemTableBytes:   logarithmic[int64](rng, 64<<10, 1<<20),
		LogCacheBytes:   logarithmic[int64](rng, 4<<10, 1<<20),
		LogSegmentBytes: logarithmic[int64](rng, 32<<10, 1<<20),
		LogCutBytes:     logarithmic[int64](rng, 4<<10, 1<<20),
		MaxBatchCount:   logarithmic(rng, 1, 1000),
		MaxInFlight:     logarithmic(rng, 1, 16),
		MaxBatchBytes:   logarithmic(rng, 1<<10, 4<<20),
		// Far less than one transaction of some workloads, which is then alone.
		MaxPendingBytes:    logarithmic(rng, 4<<10, 16<<20),
		MaxWaitingVersions: logarithmic(rng, 2, 1000),
		MaxWaitingReads:    logarithmic(rng, 2, 1000),
		MaxWatches:         logarithmic(rng, 10, 200),
		MaxRangeBytes:      logarithmic(rng, 100, 1<<20),
		StepVersions:       logarithmic[int64](rng, 10_000, 1_000_000),
		IdleAfter:          logarithmic(rng, 50*time.Millisecond, 10*time.Second),
		FlushInterval:      logarithmic(rng, 50*time.Millisecond, 20*time.Second),
	}
	s.PeekBytes = logarithmic(rng, 100, int(s.WindowBytes/4))
	return s
}
