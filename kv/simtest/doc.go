// Package simtest runs your own tests in a world that goes wrong: the store is
// killed, loses power, and finds its disk slow, full or failing, while your
// code uses it. Under plinth sim a seed decides all of that, and a seed that
// fails can be had again, to the last byte.
//
// A test is an ordinary Go test that calls Run:
//
//	func TestTransfersKeepTheSum(t *testing.T) {
//		simtest.Run(t, func(ctx context.Context, w *simtest.World) error {
//			if err := bank.Open(ctx, w.DB(), 10, 100); err != nil {
//				return err
//			}
//			w.Client("transfers", func(ctx context.Context, db *kv.Database, rng *rand.Rand) error {
//				return bank.Transfer(ctx, db, rng.IntN(10), rng.IntN(10), 1+rng.IntN(9))
//			})
//			w.Check("the sum", func(ctx context.Context, db *kv.Database) error {
//				return bank.Audit(ctx, db, 10*100)
//			})
//			return nil
//		})
//	}
//
// There are two ways to run it:
//
//   - go test runs it in this process and in real time, for half a second, on a
//     store in memory that is killed and loses power. Every run is different;
//     it is for quick feedback, the race detector and the debugger.
//   - plinth sim --package ./bank compiles the test for wasm and runs it from
//     seeds, in virtual time, under all kinds of faults. It prints the command
//     that replays a seed that failed.
//
// # A run
//
// The function given to Run sets up: it runs without faults, may use the store,
// and declares clients and checks. Then the faults begin, and all clients do
// their steps, again and again. After WithLength (10 s of virtual time) the
// faults end and the store heals; every client must then finish a step, or the
// test fails. The clients stop, the checks run, the store is closed in an
// orderly way, verified, opened again, and the checks run once more.
//
// # What a crash is to your code
//
// A Client is a program on another machine. Its database outlives the store's
// process: while that is dead, calls wait; what was under way fails as it would
// across a network. Reads fail with retryable errors, a commit whose answer did
// not come has an unknown outcome (kv.MaybeCommitted). kv.Transact deals with
// both. The client itself never dies, nor does what it remembers.
//
// Embedded code runs in the process of the store, as with kv/embedded. When the
// process dies the step is cut off: its context ends, its database answers with
// errors only, and whatever the step returns is ignored. After the reboot the
// step begins anew with another database. What was in memory should count as
// lost, so keep nothing outside the step. Code that does in two transactions
// what must be done in one is found out here.
//
// # What your code may use
//
// Randomness, time, goroutines, channels, locks, maps and memory: all of them
// are the simulation's, and reproducible, without any change to the code.
// Connections of package net work inside the process. There is no
// network beyond, and no file system, process, or cgo; see docs/simtest.md.
//
// # Invariants
//
//	T1  Under plinth sim a run depends on the compiled test and the seed only.
//	T2  No fault strikes during setup, healing and checks; a death before does
//	    not reach into them.
//	T3  What a client on another machine is told is true: a commit that
//	    succeeded stays, one that failed with an error that is not
//	    kv.MaybeCommitted never happened.
//	T4  When Run returns nothing that it started goes on.
//	T5  A fault that a seed can meet never loses what was acknowledged: disks
//	    keep what was synced, and return what is stored.
//	T6  Without faults the store opens at the first attempt, and its directory
//	    passes the check of plinth check.
package simtest
