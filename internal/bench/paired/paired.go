package paired

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Work does one piece of work for a client, which is numbered from 0. Each
// client calls it from a goroutine of its own.
type Work func(client int) error

// Comparison is two kinds of work that take turns. Its methods, other than
// those of the work, belong to one goroutine.
type Comparison struct {
	works [2]Work
	turn  atomic.Int32 // whose it is
	done  [2]atomic.Int64
	ended atomic.Bool
	// failed is closed when work has failed.
	failed chan struct{}
	group  sync.WaitGroup

	mu struct {
		sync.Mutex
		err error // the first of the work
	}

	// pairs counts those that were measured.
	pairs             int
	counts            [2]int64
	spent             [2]time.Duration
	ratios, cpuRatios []float64
}

// Start lets so many clients work, with the first kind for now. Stop ends them.
func Start(clients int, first, second Work) *Comparison {
	c := &Comparison{works: [2]Work{first, second}, failed: make(chan struct{})}
	for i := range clients {
		c.group.Go(func() { c.work(i) })
	}
	return c
}

func (c *Comparison) work(client int) {
	for !c.ended.Load() {
		kind := c.turn.Load()
		if err := c.works[kind](client); err != nil {
			c.fail(err)
			return
		}
		c.done[kind].Add(1)
	}
}

func (c *Comparison) fail(err error) {
	c.ended.Store(true)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.err == nil {
		c.mu.err = err
		close(c.failed)
	}
}

// Pair gives each kind a turn of the given length, which must be positive, on
// average. After an error of the work it returns at once.
func (c *Comparison) Pair(length time.Duration) {
	var rates, costs [2]float64
	first := rand.IntN(2) // P1
	length = length/2 + rand.N(length)
	for i := range 2 {
		kind := (i + first) % 2
		c.turn.Store(int32(kind))
		before, start, cpu := c.done[kind].Load(), time.Now(), cpuTime()
		select {
		case <-time.After(length):
		case <-c.failed:
			return
		}
		count, took := c.done[kind].Load()-before, time.Since(start)
		c.counts[kind] += count
		c.spent[kind] += took
		count = max(count, 1) // of a stalled machine; it is one pair among many
		rates[kind] = float64(count) / took.Seconds()
		costs[kind] = float64(cpuTime()-cpu) / float64(count)
	}
	c.pairs++
	c.ratios = append(c.ratios, rates[1]/rates[0])
	if costs[0] > 0 {
		c.cpuRatios = append(c.cpuRatios, costs[1]/costs[0])
	}
}

// Stop ends the clients, waits for them and returns the first error of the
// work.
func (c *Comparison) Stop() error {
	c.ended.Store(true)
	c.group.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.err
}

// Ratio returns how fast the second kind was, where the first is 1.
func (c *Comparison) Ratio() Estimate { return estimate(c.ratios) }

// CPURatio returns how much processor time a piece of the second kind took,
// where one of the first took 1. The zero Estimate says that the system does not
// tell.
func (c *Comparison) CPURatio() Estimate { return estimate(c.cpuRatios) }

// Report passes on what was measured, each figure with its unit: the function
// is that of a benchmark. Pieces of work a second are those of the turns of each
// kind.
func (c *Comparison) Report(metric func(value float64, unit string)) {
	if c.pairs == 0 {
		return
	}
	for kind, unit := range []string{"first/s", "second/s"} {
		metric(float64(c.counts[kind])/c.spent[kind].Seconds(), unit)
	}
	report := func(e Estimate, unit string) {
		metric(e.Median, unit)
		metric(e.Low, unit+"-low")
		metric(e.High, unit+"-high")
	}
	report(c.Ratio(), "ratio")
	if len(c.cpuRatios) > 0 {
		report(c.CPURatio(), "cpu-ratio")
	}
}

// Estimate is a median and the bounds that the true one is between in 95 of 100
// cases.
type Estimate struct{ Median, Low, High float64 }

// estimate takes the bounds from the order of the values: how many of n values
// lie below the true median is distributed as the heads of n throws, by about
// n/2 ± 0.98·√n.
func estimate(values []float64) Estimate {
	n := len(values)
	if n == 0 {
		return Estimate{}
	}
	values = slices.Sorted(slices.Values(values))
	middle := float64(n-1) / 2
	reach := 0.98 * math.Sqrt(float64(n))
	return Estimate{
		Median: (values[int(math.Floor(middle))] + values[int(math.Ceil(middle))]) / 2,
		Low:    values[max(int(math.Floor(middle-reach)), 0)],
		High:   values[min(int(math.Ceil(middle+reach)), n-1)],
	}
}
