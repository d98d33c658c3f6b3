package host

import (
	"encoding/json"
	"fmt"
	"time"
)

// Pace adds up how fast runs were. The zero value has no runs.
type Pace struct {
	// virtual is the time that was simulated, work the time that it took: the sum
	// over runs, each of which has a core to itself.
	virtual, work time.Duration
	// starts is the sum over all runs that started, slowest the longest of them.
	started         int
	starts, slowest time.Duration
}

// Add adds a run: the time it simulated, how long it took in all, and from that
// how long until its first line of trace; 0 is not known.
func (p *Pace) Add(virtual, work, start time.Duration) {
	p.virtual += virtual
	p.work += work
	if start > 0 {
		p.started++
		p.starts += start
		p.slowest = max(p.slowest, start)
	}
}

// paceJSON is what scripts see of a Pace.
type paceJSON struct {
	SimulatedPerSecond float64 `json:"simulated_per_second"`
	MeanStartSeconds   float64 `json:"mean_start_seconds"`
	MaxStartSeconds    float64 `json:"max_start_seconds"`
}

func (p Pace) numbers() (n paceJSON) {
	if p.work > 0 {
		n.SimulatedPerSecond = p.virtual.Seconds() / p.work.Seconds()
	}
	if p.started > 0 {
		n.MeanStartSeconds = p.starts.Seconds() / float64(p.started)
	}
	n.MaxStartSeconds = p.slowest.Seconds()
	return n
}

// String puts the pace into words.
func (p Pace) String() string {
	n := p.numbers()
	return fmt.Sprintf("%.1f simulated s a second and core, a seed starts in %.0f ms on average, in %.0f ms at most",
		n.SimulatedPerSecond, 1000*n.MeanStartSeconds, 1000*n.MaxStartSeconds)
}

// MarshalJSON implements json.Marshaler: simulated_per_second, mean_start_seconds
// and max_start_seconds.
func (p Pace) MarshalJSON() ([]byte, error) { return json.Marshal(p.numbers()) }
