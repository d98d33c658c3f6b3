// Package model predicts what a program does. It is a machine.Client over plain
// maps and shares no code with what is tested: own tuple encoding, own
// conflicts, own directories; what a transaction sees of its own writes is the
// oracle's of the simulation.
//
// The machines of one test run one after the other (machine.Sequential), so a
// program must be such that its outcome does not depend on how machines
// interleave, and must wait for a read before anything else is committed.
//
// Invariants:
//
//	O1  A commit conflicts if and only if a key on which a read of it depends,
//	    or that it declared as read, was written by another commit since its
//	    read version, or declared as written.
//	O2  What clients may do differently is in a Dialect, and nowhere else.
package model
