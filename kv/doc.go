// Package kv is the Go client of Plinth, a transactional, ordered key-value
// store in the manner of FoundationDB. Keys and values are byte strings; keys
// are in lexicographic order.
//
// # Transactions
//
// A Database comes from a package that provides one, such as kv/embedded.
// Everything happens in transactions, and most programs need two functions:
//
//	balance, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (int, error) {
//		value, err := tx.Get(account).Wait()
//		if err != nil {
//			return 0, err
//		}
//		balance := decode(value) + 10
//		tx.Set(account, encode(balance))
//		return balance, nil
//	})
//
// Transact commits what the function did, and runs it again if another
// transaction came in between, so the function must have no other effects.
// ReadTransact is for functions that only read; they never conflict. The
// result's type is whatever the function returns.
//
// A transaction sees the store as it was at one moment, its read version, plus
// its own writes. Its writes become visible all at once, or not at all. Commit
// fails if anything that was read has been changed since, so every history is
// one that could have happened with one transaction after the other, in the
// order of real time. A transaction that writes must end within five seconds.
//
// # Reading
//
// Get returns a Future. Nothing is sent until the first Wait, which sends all
// Gets of the transaction that were issued by then as one message. So issue
// first and wait afterwards:
//
//	from, to := tx.Get(a), tx.Get(b)
//	x, err := from.Wait()
//	y, err := to.Wait()
//
// An absent key has a nil value; an empty value is not nil. Range reads the
// rows of a KeyRange, in either direction, by an iterator or as a slice:
//
//	for row, err := range tx.Range(kv.PrefixRange(prefix), kv.RangeOptions{}).All() {
//
// KeySelectors find keys by their place, GetKey one of them. Snapshot returns a
// Reader whose reads are not protected against changes by others: use it where
// the decision does not depend on what was read. AddReadConflictKey protects
// single keys again.
//
// # Writing
//
// Set, Clear and ClearRange do what they say. The atomic operations (Add, Max,
// AppendIfFits and so on) change a value without reading it, so that many
// transactions can change one key and never conflict. Versionstamped
// operations put the stamp of the commit, which grows with every commit, into
// a key or a value. Writing methods return no error: the first invalid write
// makes all later reads and the commit fail, before anything is sent.
//
// A Watch tells when a value changes. OnCommit takes a function to run once the
// transaction is known to be committed, which a cache beside the store needs.
//
// # Errors
//
// Every error of the store is an *Error with FoundationDB's number; compare
// with errors.Is. Transact handles those that are Retryable. After one that is
// MaybeCommitted nobody knows whether the transaction was committed; it was not
// committed twice. The end of a context shows as an error that wraps the
// context's cause.
//
// # Exactly once
//
// A commit whose answer is lost (a connection broke, a server died) may have
// been committed. Transact does not guess: each commit carries a random id,
// which the store keeps for a minute, and Transact looks for it. If the id is
// not there, it makes sure that the lost request cannot be committed any more,
// and only then runs the function again. So what Transact reports as done was
// done once, and the function need not be idempotent. WithExactlyOnce turns
// that off, or on for transactions that begin with Begin.
//
// # Options, system keys and special keys
//
// Options change one transaction or, as defaults, all of a database. They are
// FoundationDB's, by names of their own; docs/client-options.md has the table,
// and says why the few that are not there have no meaning in this store. Keys
// from \xff on belong to the system and take an option to read or write:
// LockDatabase keeps a lock there, and programs tell one another by
// MetadataVersionKey that what they cache has changed. Keys from \xff\xff on
// are special: not stored but made up when they are read, such as
// "\xff\xff/status/json".
//
// # Hot keys
//
// When many goroutines read and then write one key, only one of them can win
// at a time. Transact notices that by the conflicts and lets those of its
// process line up for the key, so that nearly every try succeeds. Nobody waits
// longer than a second for one that does not get on. An atomic operation, where
// it does the job, is still better: it needs no turn at all.
//
// # Seeing what goes on
//
// Database.Stats counts what a database does and how long it takes; kv/metrics
// gives that to Prometheus. WithTracer takes spans of each transaction, and the
// module kv/otelkv hands them to OpenTelemetry. WithTransactionLog logs single
// transactions. WithCommitHook hears what each transaction has changed once it is
// committed. Statistics cost a few readings of the clock and additions, the
// rest is free while nobody asks for it.
//
// # Invariants
//
//	K1   All reads of an attempt are of one version, asked for with the first.
//	K2   After the first invalid operation nothing is sent any more; all reads
//	     and the commit return its error.
//	K3   A read sees exactly the own writes that were issued before it.
//	K4   The read conflicts cover all stored keys on which the outcome of a read
//	     that is no snapshot read depends, and no others. Keys that own writes
//	     determine are not among them.
//	K5   The write conflicts cover all keys that are written, but for writes
//	     after NextWriteWithoutConflict and those of ClearRangeWithoutConflict,
//	     and no others.
//	K6   A mutation is encoded once, when it is made; the bytes go to the log.
//	K7   A future, range read or watch belongs to one attempt: after a Reset it
//	     fails and has no effect on the next attempt.
//	K8   When its context has ended, a transaction neither runs its function
//	     nor sends anything again.
//	K9   Slices given to the client may be reused; slices got from it are the
//	     caller's. Neither share memory with the store or the transaction.
//	K10  Correctness never rests on the queues of hot keys. A transaction has at
//	     most one place in them, and gives it up however it ends.
//	K11  Every goroutine that the client starts serves one armed watch, or fetches
//	     one piece of a range ahead; the iteration waits for the end of the latter,
//	     Close for both. What the timer of a time-out, or the end of the database
//	     during a fetch, sets off runs beside them for a moment: it ends that one
//	     transaction or fetch, waits for nothing, and is not waited for.
//	K12  A commit with an idempotency id is answered with success if and only if
//	     it was committed, with its own version and stamp, and with ErrNotCommitted
//	     only if it never will be. Nothing is run again before one is known.
//	K13  Without an option a transaction commits no writes in a locked database,
//	     and gets no read version from the store there; with a version that it
//	     has otherwise it still reads. A try that reads the special key of the
//	     lock can do both from then on, as in FoundationDB. Without an option a
//	     transaction reaches no key of the system but to read or renew the
//	     metadata version, and to read the lock by that special key.
//	K14  What was left with OnCommit runs if and only if its try is known to be
//	     committed, once, before Commit returns and without any lock.
//	K15  Each transaction is counted once as begun and once as ended, however it
//	     ends. No key and no value gets into statistics or spans.
//	K16  Every call of the back-end is made in one place (calls.go), where it leaves
//	     a span and lines of the log if somebody wants them, whatever it is for.
//	K17  A commit hook is called once for each Commit that succeeded with a version,
//	     with the mutations that were sent and their stamps filled in, before Commit
//	     returns and without any lock, and for nothing else.
//
// DESIGN.md explains how it works inside.
package kv
