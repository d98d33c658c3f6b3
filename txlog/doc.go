// Package txlog is a log group: it keeps committed batches, in version order,
// until the storage servers they are addressed to have them safely on disk.
//
// The core (Core) is the replicated state machine: Append, Lock, Begin and Pop,
// each a definite answer the moment it is applied. The shell (Server) is one
// replica: it puts appends in order before it proposes them, runs the core on
// what Raft has committed, and answers peeks from the Raft log itself, which is
// the data: nothing is stored twice.
//
// Invariants, cited by assertions and tests:
//
//	L1  Batches form one chain: each applied append names the version applied
//	    before it. A gap or a repeat changes nothing. A repeat is one of a batch
//	    that was applied; another batch under a version that the chain has passed
//	    is refused, whoever sends it.
//	L2  An append is accepted only from the generation that has begun and that
//	    nobody has locked out since.
//	L3  Begin is accepted only by a group that is locked at exactly its
//	    generation. It removes what lies above the recovery version, which
//	    nobody was told is committed, and makes F the predecessor of the first
//	    batch.
//	L4  A peek never shows a version above the known-committed version, so a
//	    storage server never sees a version that can be undone.
//	L5  A batch is kept until every tag in it has popped its version.
//	L6  The state at an index that the log was cut at, together with the entries
//	    after it, gives the same state as the whole log.
package txlog
