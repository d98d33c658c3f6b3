// Package workload holds the programs that run in the simulation and the
// invariants that they check. Their names are FoundationDB's.
//
// A Workload works on keys below a prefix of its own, so that many can run on
// one store at the same time:
//
//	Setup   writes the first state, before any fault; when the disk is lost a
//	        new instance of the workload begins with it anew
//	Run     drives transactions until its context ends, through faults
//	Check   verifies the invariants, at any time and above all at the end
//
// Run usually starts clients with Env.Clients. A Client runs one transaction
// at a time with Try, or with Do, which leaves a share of them to kv.Transact.
// Both wait until the process is up, and classify the outcome exactly:
//
//	Committed  the commit was acknowledged by a living process: it must be
//	           found from then on, whatever happens
//	Aborted    the error says that it was not committed: it must never be found
//	Unknown    an unknown outcome, or the process died: it is found from then
//	           on or never, but not in part
//
// Invariants checked for all workloads. E1 and E2 hold for the transactions that
// Try and Transact run, as far as they look at their read version, which half of
// them do, and E1 for each Check too; what a workload commits beside them
// counts as acknowledged, but is judged by the workload's own invariants.
//
//	E1  A read version is not below any version whose commit was acknowledged
//	    before the transaction began, across all deaths of the process.
//	E2  A commit version is above the transaction's read version.
//	E3  A living process returns no error but retryable ones, except errors of
//	    its disk while that has faults.
//	E4  Once faults have ended every client commits again, within a bound of its
//	    workload that counts how often it tries.
//	E5  A pad, a large value that any transaction may write beside its own, is
//	    read as it was written.
//	E6  If bits of its disk are wrong a store may say that it is damaged, and
//	    then names the file; it returns no wrong data.
//	E7  A transaction that read nothing, or only what nobody can have written
//	    since, is not refused with not_committed. Checked where a workload knows
//	    that of a transaction, and says so with TryAlone.
//	E8  The outcome of a transaction that kv.Transact ran stays unknown only if
//	    the process has died, the transaction had a time-out or a limit of
//	    retries, something other than a retryable error kept the client from
//	    finding out, or the id has expired.
package workload
