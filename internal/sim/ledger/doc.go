// Package ledger keeps what came of simulated runs, so that a campaign can be
// interrupted, goes on where it was, and adds up over all its sittings.
//
// A campaign is everything that was run of one program. It is named by the
// commit that the program was compiled from, by whether the tree had been
// modified, and by the hash of the program itself: two states of a modified
// tree are two campaigns. A sitting is one call of plinth sim.
//
//	key, err := ledger.Identify(ctx, root, wasm)
//	l, err := ledger.Open(dir, key)
//	err = l.Begin(ledger.Sitting{First: 1, Count: 1000})
//	err = l.Add(ledger.NewRun(result)) // after each run
//	totals := l.Totals()
//
// Each campaign is a file of JSON lines: first what it is of, then sittings
// and runs in the order in which they ended. Several processes may add to a
// campaign at the same time.
//
// Invariants:
//
//	G1  A run is in the file, as a whole line, when Add returns. What a crash
//	    cut off in the middle of a line is run again, never taken for a result.
//	G2  A file that is not a campaign's, or is damaged, is named in an error
//	    and left as it is.
//	G3  A seed with the same arguments counts once, however often it was run:
//	    its last failure counts, and if there is none its last run.
package ledger
