package bench

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestHistogramBucketsAreNarrowAndInOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 100_000 {
		d := time.Duration(rng.Uint64() >> (1 + rng.UintN(63)))
		b := bucket(d)
		low, next := lowerBound(b), lowerBound(b+1)
		if low > d || (next <= d && next > 0) {
			t.Fatalf("%d is in bucket %d from %d to %d", d, b, low, next)
		}
		if d >= 16 && next > 0 && float64(next-low) > float64(low)/16+1 {
			t.Fatalf("bucket %d from %d to %d is wide", b, low, next)
		}
	}
}

func TestHistogramQuantilesFollowTheirDefinition(t *testing.T) {
	var a, b, none histogram
	for i := range 50 {
		a.add(time.Duration(i))
		b.add(time.Duration(1000 + i))
	}
	a.merge(&b)
	for q, want := range map[float64]time.Duration{0: 0, 0.1: 10, 0.49: 46, 0.5: 992} {
		if got := a.quantile(q); got > want+4 || got < want-4 {
			t.Errorf("quantile %g is %d, want about %d", q, got, want)
		}
	}
	if got := none.quantile(0.5); got != 0 {
		t.Errorf("the median of nothing is %d", got)
	}
}
