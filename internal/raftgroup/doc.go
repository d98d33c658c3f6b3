// Package raftgroup runs one replica of one Raft group (go.etcd.io/raft/v3) on
// the process's write-ahead log, and hands what is committed to a state
// machine.
//
// A Group is a monitor, not a goroutine: whoever has something for it (a
// proposer, the write-ahead log that finished a sync, a message from a peer)
// takes its lock and drives Raft until nothing is left to do. A lone proposal
// so crosses to one other goroutine, the log's writer, and back.
//
// The Raft log is kept: the state machine reads old entries from it with Entry.
// Recent ones are in memory (Store), older ones are read back from the
// write-ahead log. What the state machine does not need any more it gives up
// with Compact.
//
// Invariants, cited by assertions and tests:
//
//	G1  Records reach the write-ahead log in the order in which Raft gave them,
//	    and a response that vouches for a record is delivered only when the
//	    record, and every earlier one, is on disk.
//	G2  The state machine gets every committed entry once a start, in index
//	    order, beginning after the index of the newest checkpoint.
//	G3  A proposal is answered exactly once: with the state machine's result
//	    for just that entry, or with an error. ErrNotLeader says that it was
//	    not proposed; ErrLost that somebody else's entry took its place. After
//	    any other error it may still be applied.
//	G4  A checkpoint is on disk, and the newest hard state behind it, before
//	    anything that stands before it is given up. Opening gives it up too, so
//	    that lives which end early leave nothing behind.
//	G5  A replica that has failed, because of the log or because Raft found its
//	    state broken, sends nothing and acknowledges nothing any more; its
//	    proposals get the reason. The program around it goes on.
package raftgroup
