// Package world is what a simulated run consists of: chance, the trace,
// processes that boot and die, and the faults that befall them.
//
// It is ordinary Go. Inside the simulation its randomness, its scheduling and
// its time are the host's, so that a seed gives the same run each time; as a
// native program it runs the same world in real time, which serves the race
// detector and the debugger.
//
// A Process is an embedded store together with its clients. Booting mounts its
// disk and opens the store; its death, by Kill, PowerLoss or its own fatal
// error, first cuts it off from the disk and from its clients, and then closes
// what is left of it, so that its goroutines end. An Incarnation is one life
// of a process.
//
// Invariants:
//
//	W1  Nothing that a dead incarnation does changes the disk, and no outcome
//	    that it reports is believed: its transactions in flight are unknown.
//	W2  The goroutines of a dead incarnation end within CloseLimit.
//	W3  A process has at most one living incarnation.
//	W4  The first violation of a run is the one reported; it ends the run.
//	W5  Streams of chance with different names do not disturb each other: one
//	    more draw in a workload leaves the faults of the seed as they were.
package world
