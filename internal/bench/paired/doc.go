// Package paired compares two ways of doing the same work, on one store in one
// process, so that a busy machine slows both down alike:
//
//	c := paired.Start(64, runtime.GOMAXPROCS(0), old, new)
//	for b.Loop() {
//		c.Pairs(50, 2*time.Millisecond)
//	}
//	err := c.Stop()
//	c.Report(b.ReportMetric)
//
// Invariants:
//
//	P1  The two take short turns of as many pieces of work each. Which one goes
//	    first, and how many pieces both turns of a pair have, is drawn by lot: else
//	    a store that does something every so many milliseconds would do it in the
//	    turns of one.
//	P2  A piece of work counts if it ends in a turn of its own kind. The first
//	    pieces of a turn are not measured, one for each that was under way when it
//	    began: work of the other kind ends at the same time.
//	P3  What is reported is the median of the ratios of all pairs, with bounds
//	    that the true median is between in 95 of 100 cases, however the ratios
//	    are distributed. If the bounds are wide the machine was too busy to tell.
//
// What a turn leaves to be done later, by collector or background work, is done
// in turns of either kind: the ratio is that of what is done at once.
//
// # How long turns ought to be
//
// Shorter than what comes and goes in the store, such as a cycle of the collector
// or a flush, so that both turns of a pair are within it or without; and longer
// than what can be told apart: some batches, if clients wait for the disk together.
// Bounds get narrower with the root of the number of pairs.
package paired
