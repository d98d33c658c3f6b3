// Package history holds recorded histories of transactions and checks that
// they are strictly serializable. It knows nothing of the simulation: a history
// is data, and so are the findings.
//
// Fill a History with what clients did and saw, and call Check. It orders the
// writes of each key by the versions at which they were committed, draws the
// dependencies between the transactions as a graph, and looks for cycles:
//
//	ww  one transaction wrote a key, the other overwrote it
//	wr  one transaction wrote what the other read
//	rw  one transaction read what the other overwrote
//	rt  one transaction had ended before the other began (real time)
//	vo  the versions of the store say that one comes before the other
//
// The names of the anomalies are those of Adya, "Weak Consistency: A
// Generalized Theory and Optimistic Implementations for Distributed
// Transactions" (MIT, 1999), chapter 3, and of Kingsbury and Alvaro, "Elle:
// Inferring Isolation Anomalies from Experimental Observations" (VLDB 2020);
// lost update, write skew and phantom are those of Berenson and others, "A
// Critique of ANSI SQL Isolation Levels" (SIGMOD 1995). The last kind of edge
// is ours: Plinth promises more than strict serializability, namely that
// versions and stamps, which clients see, are the serial order.
//
// CheckRegisters reduces a history to single registers and hands it to
// porcupine; WriteHTML draws its picture. WriteElle exports a history for Elle.
//
// Invariants:
//
//	H1  A history that a strictly serializable store in the order of its
//	    versions can produce gives no finding, whatever is unknown in it. As in
//	    Adya's work each write makes a version of its own, also a clear of what
//	    is absent: who read the absence before must not commit after it.
//	H2  Where all versions are known, any read that did not see the newest
//	    write at its version gives one.
//	H3  An unknown outcome is an operation that never returned: it happened if
//	    somebody saw it, or if its commit version is known, at any time after
//	    its begin; otherwise it constrains nothing.
//	H4  What a transaction read before it was aborted, and its snapshot reads,
//	    must be a snapshot like any other: they are checked as a transaction
//	    that only read, at the same read version.
//	H5  The cost of a check grows with the size of the history, of which each
//	    range read counts as the keys it covers; only the search for the
//	    smallest cycle, in a history that failed, costs more, and is bounded.
package history
