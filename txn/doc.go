// Package txn is the front of the pipeline: the read-version proxy, which tells
// a transaction at which version to read, and the commit proxy, which takes a
// transaction through sequencer, resolvers and log.
//
// The roles behind it are small interfaces (Sequencer, Resolver, Log); whether
// one is a struct in this process or a stub cannot be told from here.
//
// Neither proxy has a timer while the store is not loaded. What arrives while one
// batch is being formed, or while the pipeline is full, makes up the next batch;
// a lone transaction goes through on its own goroutine at once. Under load the
// read-version proxy holds back the starts of transactions by their priority,
// see package admission.
//
// Invariants, cited by assertions and tests:
//
//	T1  A read version is at least the version of every commit that was
//	    acknowledged before it was asked for, and no generation but this one
//	    accepted a commit before the answer.
//	T2  One batch is formed at a time, so that batches reach sequencer,
//	    resolvers and log in version order.
//	T3  A batch that holds a version is carried through, or ends the proxy:
//	    the contexts of its clients never reach it.
//	T4  A client is told "committed" only after the log has it and the
//	    sequencer has been told so.
//	T5  A client is told "not committed" only if its mutations are in no batch
//	    that the log was given. Everything in doubt is commit_unknown_result.
//	T6  While the database is locked, only transactions that are aware of that
//	    commit. A read version comes with the lock and the metadata version as
//	    they are at that very version.
//	T7  The idempotency id of a transaction is found in the rows of its version
//	    if and only if it was committed at that version, with its place in the
//	    batch.
//	T8  Whoever reads wire.IdempotencyExpiredKey beside the rows of ids knows
//	    which versions have none any more. It never goes back.
//	T9  A request for a read version that was held back takes part only in a
//	    look that begins after it was let go: T1 holds for it as for others.
package txn
