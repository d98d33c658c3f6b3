package paired

import (
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

func TestBothKindsTakeTurns(t *testing.T) {
	var counts [2]atomic.Int64
	work := func(kind int) Work {
		return func(client int) error {
			if client < 0 || client > 2 {
				t.Errorf("client %d of 3", client)
			}
			counts[kind].Add(1)
			runtime.Gosched() // or one processor would not get to the turns
			return nil
		}
	}
	c := Start(3, work(0), work(1))
	for range 2 {
		c.Pair(time.Millisecond)
	}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	for kind := range counts {
		if counted := c.counts[kind]; counted > counts[kind].Load() {
			t.Errorf("kind %d: counted %d of %d", kind, counted, counts[kind].Load())
		}
	}
	if r := c.Ratio(); len(c.ratios) != 2 || r.Low > r.Median || r.Median > r.High || r.Low <= 0 {
		t.Errorf("%d ratios, %+v", len(c.ratios), r)
	}
	var units []string
	c.Report(func(_ float64, unit string) { units = append(units, unit) })
	if !slices.Contains(units, "ratio-low") || !slices.Contains(units, "second/s") {
		t.Errorf("reported are %q", units)
	}
}

func TestAnErrorOfTheWorkEndsTheComparison(t *testing.T) {
	broken := errors.New("broken")
	fails := func(int) error { return broken }
	c := Start(2, fails, fails) // either kind may be the first
	c.Pair(time.Hour)
	if err := c.Stop(); !errors.Is(err, broken) {
		t.Error(err)
	}
	c.Report(func(value float64, unit string) { t.Errorf("%g %s of nothing", value, unit) })
}

// Of values whose true median is known, the bounds hold it in 95 of 100 cases.
func TestTheBoundsHoldTheMedian(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{9, 100} {
		held := 0
		for range 400 {
			values := make([]float64, n)
			for i := range values {
				values[i] = math.Exp(rng.NormFloat64()) // skewed; the median is 1
			}
			if e := estimate(values); e.Low <= 1 && e.High >= 1 {
				held++
			}
		}
		if held < 360 {
			t.Errorf("%d values: held in %d of 400 cases", n, held)
		}
	}
	if e := estimate([]float64{3, 1, 2, 10}); e.Median != 2.5 {
		t.Errorf("%+v", e)
	}
}
