// Package resolver decides which transactions commit: it detects, by optimistic
// concurrency control, whether what a transaction read was written since.
//
// ConflictSet is the pure core. It remembers the newest write version of every
// key over the last wire.WindowVersions versions and decides batches of
// transactions in version order. Resolver is the shell around it: it puts
// batches that arrive out of order in order, remembers answers for repeated
// requests, and refuses what is meant for another recruitment of the role.
//
// A transaction is, in this order,
//
//   - committed, if it reads nothing (a blind write), whatever its read version;
//   - too old, if its read version is below the floor;
//   - in conflict, if a key that it read was written after its read version, by
//     an earlier batch or by an earlier committed transaction of its own batch,
//     or if its read version is not below the batch's, which no transaction
//     that read something can have come by honestly;
//   - committed otherwise. Only then do its writes count.
//
// Empty and inverted ranges hold no key and are ignored.
//
// # Invariants
//
//	R1  Batches are decided in the order of their versions, each once.
//	R2  The floor never falls. Every write after it is in some segment, so a
//	    transaction that read at the floor or later is decided exactly.
//	R3  Reaching the memory limit moves the floor up, over whole segments, and
//	    does nothing else: transactions become too old, none is committed or
//	    refused wrongly.
//	R4  Segments are in the order of their versions and only the last is written
//	    to. A transaction that read at r looks only at segments, and in them at
//	    runs, that hold a write after r.
//	R5  In the segment that is written to, each run is at least twice as long as
//	    the next, so there are at most as many as its writes have binary digits.
//	R6  At a step, after <= at: whatever wrote the keys behind a step's key
//	    wrote that key as well. So a range that begins at a step has been written
//	    after r only if the at of one of its steps is.
//	R7  A request that was answered gets the same answer again until the proxy
//	    that asked acknowledges it. It is never decided a second time.
//	R8  Memory is bounded: the set's by its limit, answers and waiting requests
//	    by number.
package resolver
