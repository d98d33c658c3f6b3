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
	// underWay is how many pieces of work are under way at a time.
	underWay int64
	turn     atomic.Pointer[turn] // now
	ended    atomic.Bool
	// failed is closed when work has failed.
	failed chan struct{}
	group  sync.WaitGroup

	mu struct {
		sync.Mutex
		err error // the first of the work
	}

	// Of the turns that were measured.
	counts            [2]int64
	spent             [2]time.Duration
	ratios, cpuRatios []float64
}

// Start lets so many clients work, with the first kind for now. Stop ends them.
// underWay is how many of them are at work at a time: all if they wait for
// anything, as a commit does for the disk, otherwise no more than there are
// processors.
func Start(clients, underWay int, first, second Work) *Comparison {
	c := &Comparison{works: [2]Work{first, second}, underWay: int64(underWay), failed: make(chan struct{})}
	c.turn.Store(openTurn(0))
	for i := range clients {
		c.group.Go(func() { c.work(i) })
	}
	return c
}

func (c *Comparison) work(client int) {
	for !c.ended.Load() {
		t := c.turn.Load()
		if err := c.works[t.kind](client); err != nil {
			c.fail(err)
			return
		}
		if t.count() {
			c.turn.Store(t.next)
			if t.last != nil {
				close(t.last)
			}
		}
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

// Pairs gives each kind n turns that take the given time on average: as many
// pieces of work as were done in so much time till now, but no fewer than
// leastPieces for each that is under way. After an error of the work it returns
// at once.
func (c *Comparison) Pairs(n int, length time.Duration) {
	if n < 1 {
		return
	}
	average := max(int64(c.rate()*length.Seconds()), leastPieces*c.underWay)
	pairs := make([][2]*turn, n)
	next := openTurn(0)
	last := make(chan struct{})
	for i := range pairs {
		count := average/2 + rand.N(average)                    // P1
		skip := max(min(c.underWay, count/leastShareOfTurn), 1) // P2
		first := rand.IntN(2)
		for _, kind := range [2]int{1 - first, first} { // from the end
			next = &turn{kind: kind, skip: skip, limit: skip + count, next: next}
			pairs[i][kind] = next
		}
		if i == 0 {
			pairs[i][1-first].last = last
		}
	}
	c.turn.Store(next)
	select {
	case <-last:
	case <-c.failed:
		return
	}
	for _, p := range pairs {
		c.note(p)
	}
}

// rate is how many pieces of work are done in a second, as far as is known.
func (c *Comparison) rate() float64 {
	if spent := c.spent[0] + c.spent[1]; spent > 0 {
		return float64(c.counts[0]+c.counts[1]) / spent.Seconds()
	}
	t := c.turn.Load()
	return float64(t.done.Load()) / time.Since(t.start.Load().at).Seconds()
}

// note takes what a pair of turns has measured. A pair is left out if somebody
// was interrupted for so long between counting and reading the clock that it
// says nothing.
func (c *Comparison) note(p [2]*turn) {
	var rates, costs [2]float64
	for kind, t := range p {
		took, cpu := t.took()
		if took <= 0 {
			return
		}
		count := float64(t.limit - t.skip)
		rates[kind], costs[kind] = count/took.Seconds(), float64(cpu)/count
	}
	for kind, t := range p {
		took, _ := t.took()
		c.counts[kind] += t.limit - t.skip
		c.spent[kind] += took
	}
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
	if len(c.ratios) == 0 {
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
	metric(float64(len(c.ratios)), "pairs")
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
