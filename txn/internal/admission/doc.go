// Package admission decides which transactions may start while the store is
// loaded, and which wait or are refused. It is the core of rate keeping in the
// read-version proxy and has no clock, no goroutine and no lock: its owner
// passes in the time, how full the store is, and asks again while starts are
// held.
//
// How full the store is comes as a number, its load: 0 is idle, wire.FullLoad says
// that something has reached its limit. What it means for a start depends on its
// priority:
//
//	immediate  goes on at once, always
//	default    is held while the load is wire.FullLoad or more, but not for long:
//	           a transaction that only reads must not starve because writers
//	           are many, and commits meet the limits themselves
//	batch      is held from wire.BatchLoad on, and refused if that takes too long
//
// Batch starts that were held go on few at a time while the load is not far
// below wire.BatchLoad: all at once they would bring it back.
//
// A start may have tags, and a tag a limit: so many starts a second, of a
// priority and all lower ones. A start beyond the limit is held, immediate ones
// too if the limit is for them, and refused if that takes too long; if that can
// be told beforehand, at once.
//
// Invariants, cited by assertions and tests:
//
//	Q1  An immediate start is never held because of the load.
//	Q2  While the load holds a default start, no batch start goes on.
//	Q3  Starts of one priority that no limit of a tag holds go on in the order
//	    in which they arrived.
//	Q4  A check leaves no start held for longer than its priority, or its tags,
//	    allow: a default start goes on, a batch start is refused, and so is any
//	    that a limit holds.
//	Q5  A start without limits that finds the load below wire.BatchLoad and nobody
//	    held for it goes on at once.
//	Q6  Every start that was held is decided once, or left.
//	Q7  In any time d, no more starts go on that a limit concerns than its rate
//	    times d, and its burst.
package admission
