// Package cluster puts the roles together: it opens what is on disk, ends the
// generation before, begins the next one, and recruits sequencer, resolver and
// proxies for it.
//
// Today there is one shape, Local: every role once, in this process, over one
// log group with one voter and one storage server. Coordinators, the controller
// and data distribution come with the cluster.
//
// Invariants, cited by assertions and tests:
//
//	C1  A data directory is used by one process at a time.
//	C2  Opening is a recovery: the generation before is locked out of the log
//	    before the log's end is read, and nothing is accepted before the log
//	    has begun the new generation.
//	C3  A call that begins after the first fatal error is refused and says what
//	    the error was, and a watch under way ends with it. A commit under way may
//	    still be acknowledged: it is on disk then.
//	C4  The engine holds everything that the log does not keep any more, and
//	    nothing that was never in the log. Otherwise one of the two was lost or
//	    replaced, and the store does not open. Nor does it open if the log ends
//	    before the version that it had reached at the last orderly close. What
//	    the log still keeps of the versions that the engine has, the engine holds
//	    to the byte; Check compares the two.
//	C5  A store has an id from its first opening on, of which no two stores draw
//	    the same. It is a key of the system, committed before OpenLocal returns,
//	    and the store never writes another value there.
package cluster
