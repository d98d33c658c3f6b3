// Package world is what a simulated run consists of: chance, the trace,
// processes that boot and die, and the faults that befall them.
//
// It is ordinary Go. Inside the simulation its randomness, its scheduling and
// its time are the host's, so that a seed gives the same run each time; as a
// native program it runs the same world in real time, which serves the race
// detector and the debugger.
//
// A Process is an embedded store together with its clients. Booting mounts its
// disk and opens the store; its death, by Kill, PowerLoss, LoseDisk or its own
// fatal error, first cuts it off from the disk and from its clients, and then
// closes what is left of it, so that its goroutines end. An Incarnation is one
// life of a process; the next one begins when nothing of the last is left.
//
// All processes share one instance of the program. What that can do:
//
//   - A store that ends itself (a fatal error of its disk, damage) ends its
//     process alone, as a program would that exits when its store has ended.
//   - A killed process is cut off at once: disk and clients answer nothing but
//     errors, so that nothing it still does has an effect. Its goroutines go on
//     until they meet such an error; that they then end is checked one by one,
//     by the label that they inherit.
//
// What it cannot do: stop a goroutine that neither uses the disk nor waits;
// survive a panic, log.Fatal or os.Exit, which end the whole run and count as
// a failure (an embedded store must do none of them); or free the memory
// of what a dead process has leaked.
//
// Invariants:
//
//	W1  Nothing that a dead incarnation does changes the disk, and no outcome
//	    that it reports is believed: its transactions in flight are unknown.
//	W2  The goroutines that an incarnation's store started end within CloseLimit
//	    of its death, of an orderly Close, or of an opening that failed; the
//	    next incarnation does not begin before.
//	W3  A process has at most one living incarnation.
//	W4  The first violation of a run is the one reported; it ends the run.
//	W5  Streams of chance with different names do not disturb each other: one
//	    more draw in a workload leaves the faults of the seed as they were.
//	W6  After LoseDisk nothing is left of what was written before.
package world
