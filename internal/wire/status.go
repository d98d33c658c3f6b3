package wire

// StoreID tells stores apart. No two have the same, unless one is a copy of the
// other's files.
type StoreID [16]byte

// The load of a store is how full the fullest of its queues is, in thousandths of
// that one's limit.
const (
	// FullLoad is the load of a store that has reached a limit: it holds back all
	// starts but those of immediate priority.
	FullLoad = 1000
	// BatchLoad is the load from which on starts of batch priority are held.
	BatchLoad = FullLoad / 2
)

// LimitedBy names what the load of a store comes from, in FoundationDB's words
// for it in status.
type LimitedBy string

// What can limit a store.
const (
	LimitedByWorkload LimitedBy = "workload" // nothing
	LimitedByLag      LimitedBy = "storage_server_readable_behind"
	LimitedByWindow   LimitedBy = "storage_server_write_queue_size"
	LimitedByCommits  LimitedBy = "log_server_write_queue"
)

// StoreStatus is what a store says of itself for people and for monitoring. A
// figure that nobody knows is zero.
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
	// read up to ReadableVersion, and has DurableVersion on disk.
	CommittedVersion, ReadableVersion, DurableVersion Version
	// StorageBytes and LogBytes are on disk. StorageQueueBytes are in the storage
	// server's window, which its engine has not been given yet but the log holds;
	// LogQueueBytes wait for the log's disk and are in memory only.
	StorageBytes, LogBytes, StorageQueueBytes, LogQueueBytes int64
	// LimitedBy says where the load of the store comes from, LoadThousandths how
	// great it is, see FullLoad.
	LimitedBy       LimitedBy
	LoadThousandths int
	// ThrottledTags is how many limits on tags hold, see TagThrottle.
	ThrottledTags int
	// Watches are armed now.
	Watches int
	// Work was done since the store was opened; Earlier of it before the moment
	// EarlierSeconds ago, which is some seconds or more, see cluster.Local.
	Work, Earlier  Workload
	EarlierSeconds float64
	// Process is the process that serves the store.
	Process ProcessStatus
	// Failure is why the store serves nothing any more; empty while it does. The
	// figures then tell nothing.
	Failure string
}

// Workload counts what a store has done.
type Workload struct {
	// Started transactions were given a read version, by priority.
	StartedDefault, StartedBatch, StartedImmediate uint64
	// Resolved transactions reached the resolver; of them Conflicted and TooOld
	// were refused.
	Resolved, Conflicted, TooOld uint64
	// Requests for reads were answered with Reads keys that were looked up, and
	// Rows of ranges. Writes are mutations applied.
	Requests, Reads, Rows, Writes uint64
	// ReadBytes are the values that were read, and the keys of rows; WrittenBytes
	// the parameters of mutations.
	ReadBytes, WrittenBytes uint64
	// CacheHits and CacheMisses count looks for blocks of the storage server.
	CacheHits, CacheMisses uint64
	// CPUSeconds is what the process has used of processors.
	CPUSeconds float64
}

// ProcessStatus is what a process says of itself and its machine.
type ProcessStatus struct {
	// Version is that of the program's copy of Plinth.
	Version string
	// UptimeSeconds is how long it has served the store.
	UptimeSeconds float64
	// VirtualBytes and ResidentBytes are the memory of the process,
	// UnusedBytes what it holds of it without a use, and LimitBytes what its
	// runtime is told to keep to.
	VirtualBytes, ResidentBytes, UnusedBytes, LimitBytes int64
	// DiskTotalBytes is the size of the file system that the data is on, and
	// DiskFreeBytes what the process may still write there.
	DiskTotalBytes, DiskFreeBytes int64
}
