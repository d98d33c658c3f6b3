package bench

import (
	"math/bits"
	"time"
)

// histogram counts durations in buckets whose width is a sixteenth of their
// power of two: a quantile is off by 6 % at most.
type histogram struct {
	counts [64 * 16]uint64
	total  uint64
}

// bucket keeps the highest bit's place and the four bits below it.
func bucket(d time.Duration) int {
	n := uint64(max(d, 0))
	if n < 16 {
		return int(n)
	}
	high := bits.Len64(n) - 5
	return (high+1)*16 + int(n>>high)&15
}

// lowerBound is the least duration of a bucket.
func lowerBound(b int) time.Duration {
	if b < 16 {
		return time.Duration(b)
	}
	return time.Duration(16+b%16) << (b/16 - 1)
}

func (h *histogram) add(d time.Duration) {
	h.counts[bucket(d)]++
	h.total++
}

func (h *histogram) merge(o *histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.total += o.total
}

// quantile returns a duration that the fraction q of all is not above, 0 for
// an empty histogram.
func (h *histogram) quantile(q float64) time.Duration {
	rank := uint64(q * float64(h.total))
	var seen uint64
	for b, n := range h.counts {
		if seen += n; n > 0 && seen > rank || seen == h.total && n > 0 {
			return lowerBound(b)
		}
	}
	return 0
}
