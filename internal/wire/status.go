package wire

// StoreID tells stores apart. No two have the same, unless one is a copy of the
// other's files.
type StoreID [16]byte

// StoreStatus is what a store says of itself for people and for monitoring.
// Counters count from the time that the store was opened.
type StoreStatus struct {
	// ConnectionString and ClusterFile say how to reach the store.
	ConnectionString, ClusterFile string
	// Address is the storage server's, host and port.
	Address string
	// ID is the store's; the zero value if it has none.
	ID StoreID
	// Generation is the number of recoveries so far.
	Generation Generation
	// CommittedVersion is the newest committed version; the storage server can
	// read from OldestVersion to ReadableVersion, and has DurableVersion on disk.
	CommittedVersion, OldestVersion, ReadableVersion, DurableVersion Version
	// StorageBytes and LogBytes are on disk; StorageQueueBytes and LogQueueBytes
	// in memory only, in the storage server's case beside the log.
	StorageBytes, LogBytes, StorageQueueBytes, LogQueueBytes int64
	// Started transactions reached the resolver; of them Conflicted and TooOld
	// were refused.
	Started, Conflicted, TooOld uint64
	// Reads are keys looked up, Rows those of range reads, Writes mutations
	// applied.
	Reads, Rows, Writes uint64
	// Failure is why the store serves nothing any more; empty while it does.
	Failure string
}
