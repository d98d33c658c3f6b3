// Package scenario is what happens in one simulated run: which processes,
// disks, faults and workloads there are, in which order they act, and what is
// checked at the end.
//
// A seed decides everything: first the swarm configuration (sizes, latencies,
// which faults occur and how often; see Swarm), so that every seed is a
// different world, then each single chance.
//
// A run has four phases:
//
//	setup     the store is opened and the workloads write their first state
//	safety    faults of all kinds; the workloads run, and every invariant
//	          must hold at any time. A disk that is lost, or whose bits have
//	          gone wrong, is looked at for the last time and replaced by an
//	          empty one, where the workloads set up anew
//	liveness  faults have ended; every client must get its work done again
//	end       the workloads stop, all invariants are checked, the store is
//	          closed in an orderly way, opened again and checked again
//
// Invariants:
//
//	S1  A run ends within its limit of virtual time, or says what hangs.
//	S2  Once faults have ended the store opens, at the first attempt. Before it
//	    opens unless the disk fails or is full, and then says so.
//	S3  An orderly Close on a healthy disk succeeds.
//	S4  When everything is closed no goroutine of it is left, of the dead
//	    processes neither.
//	S5  Whenever the store is not open, after an orderly end and after a crash,
//	    its directory passes the check of plinth check. Faults that the disk has
//	    at that moment spare the check.
//	S6  A store without a wrong bit on its disk does not say that it is damaged;
//	    one with wrong bits may say so, and then names what is damaged.
//	S7  A run commits at least Swarm.MinCommits transactions that write.
//	S8  A store that is closed holds the rows that it showed: what replaying the
//	    log over its engine gives is what engine and window gave, at the newest
//	    version and at earlier ones.
//	S9  A store ends by itself only because its disk failed, is full, or has wrong
//	    bits.
package scenario
