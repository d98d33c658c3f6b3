// Package disk is the disk of a simulated machine: a file system in memory
// with the interface of Pebble's vfs.FS that is slow, fills up, fails, and
// loses what was not synced when the power goes; whose bits can go wrong, in one
// read or for good; and that can be lost as a whole.
//
// A process mounts the disk and works through the Mount. Kill and PowerLoss
// end the mount: from then on it answers every operation with ErrDead, so a
// process that was killed can do no more harm, whatever its goroutines still
// try. The next process mounts the disk anew.
//
// What survives a loss of power is chosen adversarially, but only among what a
// POSIX file system on a real disk may do:
//
//   - file data that a successful Sync covered survives; a block of 4,096
//     bytes that was written since survives, is gone, or is torn at a multiple
//     of 512 bytes; where a later block survived and an earlier one did not,
//     the gap reads as zeros or as what was there before;
//   - the entry of a new, renamed or removed file needs a Sync of its
//     directory; until then each change is kept or not, but a rename is kept or
//     lost as a whole, and no change survives an earlier lost one of the same
//     name;
//   - after a failed Sync the data written before it is never retried by the
//     disk: a later successful Sync does not cover it. Linux behaves so, and it
//     is why a failed Sync must end the process.
//
// A write that started after a Sync did is not covered by it. (Pebble's own
// crashable MemFS keeps whole blocks only, covers writes made during a slow
// Sync, copies whole files at each Sync, and knows neither space nor failed
// syncs; that is why this package exists.)
//
// Invariants:
//
//	D1  A successful Sync of a file makes all data written before the call
//	    survive any loss of power; of a directory, all changes of its entries.
//	D2  After Kill or PowerLoss the old mount changes nothing and returns
//	    ErrDead.
//	D3  Kill loses nothing that was written.
//	D4  Every 512-byte sector after a loss of power holds bytes that were
//	    written there at some time since the last covering Sync, or its content
//	    at that Sync, or zeros if it lay beyond the end.
//	D5  A rename is atomic: afterwards the file is found under the old name or
//	    the new one.
//	D6  Used bytes never exceed the capacity; the write that would exceed it
//	    writes what fits and fails with ENOSPC. What is removed makes room.
//	D7  Every operation is traced with its outcome, and all randomness comes
//	    from the generator that the disk was made with.
//	D8  A read that returns a wrong bit is followed by one of the same file that
//	    does not. A bit that rots was on the disk, stays wrong until it is
//	    written again, and in a log lies before what the last sync put there.
package disk
