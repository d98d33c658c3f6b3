// Package trace keeps the record of one simulated run: every disk operation,
// message, transaction and fault as a line of text with its virtual time.
//
// A run of the simulation is judged reproducible by the hash of its trace, and
// a failed one is understood by reading it. The host of the simulation owns
// the Log; the simulated program only hands lines over, always all of them, so
// that printing or keeping them cannot change the run.
//
// Invariants:
//
//	T1  The hash covers every line and its time, in order, whether or not the
//	    lines are printed or kept.
//	T2  The tail holds the last lines, oldest first, at most as many as asked
//	    for, whatever the length of the run.
package trace
