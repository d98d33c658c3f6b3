// Package paired compares two ways of doing the same work, on one store in one
// process, so that a busy machine slows both down alike:
//
//	c := paired.Start(64, old, new)
//	for b.Loop() {
//		c.Pair(time.Second / 10)
//	}
//	err := c.Stop()
//	c.Report(b.ReportMetric)
//
// Invariants:
//
//	P1  The two take short turns. Which one goes first, and how long both turns of
//	    a pair are, is drawn by lot: else a store that does something every so many
//	    milliseconds would do it in the turns of one.
//	P2  A piece of work counts if it ends in a turn of its own kind. Both lose
//	    what is under way when a turn ends.
//	P3  What is reported is the median of the ratios of all pairs, with bounds
//	    that the true median is between in 95 of 100 cases, however the ratios
//	    are distributed. If the bounds are wide the machine was too busy to tell.
//
// What a turn leaves to be done later, by collector or background work, is done
// in turns of either kind: the ratio is that of what is done at once.
package paired
