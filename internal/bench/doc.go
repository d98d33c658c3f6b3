// Package bench measures a transactional store from inside the process that
// holds it: the workloads, the clients that repeat them, and what is noted of
// time, conflicts, memory and the disk. "plinth bench" uses it on Plinth alone,
// the benchmark in tests/bench on Plinth and on other embedded stores.
//
// A Driver opens a store, a Session loads it and runs workloads:
//
//	s, err := bench.Open(driver, dir, settings)
//	loaded, err := s.Load(ctx)
//	result, err := s.Run(ctx, workload, bench.RunOptions{})
//	err = s.Close()
//
// Invariants:
//
//	B1  A transaction counts if it ends inside the measured time, and all of it
//	    counts, from its first attempt on. Conflicts are retried until the
//	    commit, and the retries are counted.
//	B2  Every read checks what it got, so that no store wins by not fetching it.
//	B3  No transaction is abandoned at the end of the measured time or when a
//	    run is stopped early: the commits of a session are known exactly, and
//	    the check of a workload compares them with what the store holds.
//	B4  Keys, values and their order come from seeds: every store gets the same.
//	B5  The package knows no store. What one needs is in its driver, of which
//	    that of Plinth is in the package plinth below this one.
package bench
