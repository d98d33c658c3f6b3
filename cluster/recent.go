package cluster

import (
	"sync"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

const (
	// rateWindow is how far back the rates of a status reach at least, if the
	// store is open that long: what FoundationDB's reach back.
	rateWindow = 5 * time.Second
	// sampleEvery is how far samples are apart at least, which bounds how many
	// are kept.
	sampleEvery = time.Second
)

// recent remembers how much had been done when a status was asked for, so that
// the next ones can tell how much is done a second. It has no goroutine: nobody
// pays for rates that nobody asks for. The zero value begins with begin.
type recent struct {
	mu struct {
		sync.Mutex
		samples []sample // oldest first, never empty after begin
	}
}

// sample is the work that was done at a moment.
type sample struct {
	at   time.Time
	work wire.Workload
}

// begin notes the state from which the first rates count.
func (r *recent) begin(s sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.samples = []sample{s}
}

// observe notes a sample and returns the one that rates count from: the newest
// that is rateWindow older, or the oldest there is.
func (r *recent) observe(now sample) (from sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.mu.samples
	for len(all) > 1 && now.at.Sub(all[1].at) >= rateWindow {
		all = all[1:]
	}
	from = all[0]
	if now.at.Sub(all[len(all)-1].at) >= sampleEvery {
		all = append(all, now)
	}
	r.mu.samples = all
	return from
}
