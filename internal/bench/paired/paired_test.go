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
	c := Start(3, 3, work(0), work(1))
	for len(c.ratios) < 4 { // on a busy machine some pairs may be left out
		c.Pairs(3, time.Millisecond)
	}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	for kind := range counts {
		if counted := c.counts[kind]; counted > counts[kind].Load() {
			t.Errorf("kind %d: counted %d of %d", kind, counted, counts[kind].Load())
		}
	}
	if r := c.Ratio(); c.counts[0] != c.counts[1] || r.Low > r.Median || r.Median > r.High || r.Low <= 0 {
		t.Errorf("%d ratios, %+v", len(c.ratios), r)
	}
	var units []string
	c.Report(func(_ float64, unit string) { units = append(units, unit) })
	if !slices.Contains(units, "ratio-low") || !slices.Contains(units, "second/s") {
		t.Errorf("reported are %q", units)
	}
}

// (P2) The first pieces are not measured; the last one ends the turn, once.
func TestATurnIsMeasuredFromItsFirstPiecesToItsLast(t *testing.T) {
	turn := &turn{skip: 2, limit: 5}
	for n := 1; n <= 8; n++ {
		if over := turn.count(); over != (n == 5) {
			t.Errorf("piece %d ends it: %t", n, over)
		}
		if started, ended := turn.start.Load() != nil, turn.end.Load() != nil; started != (n >= 2) || ended != (n >= 5) {
			t.Errorf("after piece %d: measured from %t to %t", n, started, ended)
		}
	}
	if took, _ := turn.took(); took < 0 {
		t.Errorf("it took %v", took)
	}
	open := openTurn(1)
	for range 10 {
		if open.count() {
			t.Fatal("a turn without an end has ended")
		}
	}
	if took, cpu := open.took(); took != 0 || cpu != 0 {
		t.Errorf("a turn without an end took %v, %v", took, cpu)
	}
}

func TestAnErrorOfTheWorkEndsTheComparison(t *testing.T) {
	broken := errors.New("broken")
	fails := func(int) error { return broken }
	c := Start(2, 2, fails, fails) // either kind may be the first
	c.Pairs(1, time.Hour)
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
