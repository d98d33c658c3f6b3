package disk

import (
	"errors"
	"math/rand/v2"
	"time"
)

const (
	// blockBytes is the unit in which unsynced data is kept or lost: a page of
	// the operating system's cache.
	blockBytes = 4096
	// sectorBytes is the unit that a disk writes atomically.
	sectorBytes = 512
)

// ErrDead is what a mount answers after its process was killed.
var ErrDead = errors.New("simulated disk: the process that mounted it is dead")

// Latency is how long one kind of operation takes: Min, plus an exponentially
// distributed time that is Mean on average and ten times that at most. The
// zero Latency takes no time at all.
type Latency struct {
	Min, Mean time.Duration
}

func (l Latency) draw(rng *rand.Rand) time.Duration {
	if l.Mean <= 0 {
		return l.Min
	}
	return l.Min + time.Duration(min(rng.ExpFloat64(), 10)*float64(l.Mean))
}

// Config is what a disk is like on a good day.
type Config struct {
	// Name stands in the trace.
	Name string
	// CapacityBytes limits the sum of all file sizes; 0 is no limit. See
	// Disk.SetCapacity.
	CapacityBytes int64
	// Sync, Write and Read are the latencies of single operations.
	Sync, Write, Read Latency
	// KeepProbability is the chance that one unsynced block or entry survives
	// a loss of power; TearProbability is the chance that a block that did not
	// survive whole left its first sectors.
	KeepProbability, TearProbability float64
	// NudgeSync, if positive, makes the sync of that number take a microsecond
	// longer. Tests use it to show that the trace notices one changed delay.
	NudgeSync int
}

// Faults is what is wrong with a disk at the moment. The zero value is a
// healthy disk.
type Faults struct {
	// Slowdown multiplies all latencies; values below 1 count as 1.
	Slowdown float64
	// Full makes every write that needs space fail with ENOSPC.
	Full bool
	// ReadErrors, WriteErrors and SyncErrors are the chances that one operation
	// fails with EIO. WriteErrors covers changes of directory entries too.
	ReadErrors, WriteErrors, SyncErrors float64
	// ReadFlips is the chance that one read returns a bit that is not what is
	// stored. It concerns that read only: the next one of the same file is right.
	// Bits that stay wrong are Disk.Rot's.
	ReadFlips float64
}

// Stats counts what a disk did and what was done to it.
type Stats struct {
	Reads, Writes, Syncs, BytesWritten uint64
	// Injected counts operations that failed with EIO or ENOSPC.
	Injected uint64
	// Refused counts those of them that did not fit.
	Refused uint64
	// Flips counts bits that a read returned wrong or that went wrong where they
	// are stored. Erasures counts Erase.
	Flips, Erasures uint64
	// PowerLosses counts PowerLoss; LostBlocks, TornBlocks and LostEntries what
	// they destroyed.
	PowerLosses, LostBlocks, TornBlocks, LostEntries uint64
}
