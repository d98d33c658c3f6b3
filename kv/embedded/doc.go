// Package embedded opens a Plinth store inside the calling process.
//
//	db, store, err := embedded.Open("data")
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//
// The store has all the roles of a cluster, called directly: the same
// sequencer, resolver, Raft log and storage server, and the same promises. A
// commit returns when it is on disk. One process at a time can have a directory
// open; the lock is given up when the process ends, however it ends. Opening
// after a crash replays the log: nothing that was acknowledged is missing.
//
// With InMemory the same store keeps everything in memory, for tests.
package embedded
