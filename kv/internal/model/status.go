package model

import (
	"context"

	"github.com/plinthdb/plinth/internal/wire"
)

// StoreStatus describes the model; what it does not count has fixed values that
// tests look for.
func (s *Store) StoreStatus(ctx context.Context) (wire.StoreStatus, error) {
	if err := s.enter(ctx, "StoreStatus"); err != nil {
		return wire.StoreStatus{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return wire.StoreStatus{
		ConnectionString: "model", ClusterFile: "model-file", Address: "127.0.0.1:0",
		ID: wire.StoreID{0xca, 0xfe}, Generation: 3,
		CommittedVersion: s.mu.version, ReadableVersion: s.mu.version, DurableVersion: s.mu.version - 2*wire.VersionsPerSecond,
		StorageBytes: 4000, LogBytes: 3000, StorageQueueBytes: 200, LogQueueBytes: 100,
		LimitedBy: "storage_server_readable_behind", LoadThousandths: 700, ThrottledTags: 6, Watches: 9,
		Work: wire.Workload{
			StartedDefault: 30, StartedBatch: 10, StartedImmediate: 2, Resolved: 10, Conflicted: 2, TooOld: 1,
			Requests: 20, Reads: 25, Rows: 4, Writes: 5, ReadBytes: 600, WrittenBytes: 500,
			CacheHits: 30, CacheMisses: 10, CPUSeconds: 8,
		},
		Earlier: wire.Workload{
			StartedDefault: 20, StartedBatch: 8, Resolved: 6, Conflicted: 1, Requests: 10, Reads: 9, Writes: 5,
			ReadBytes: 100, CacheMisses: 10, CPUSeconds: 2,
		},
		EarlierSeconds: 4,
		Process: wire.ProcessStatus{
			Version: "v0.0.0-model", UptimeSeconds: 60.5, VirtualBytes: 8000, ResidentBytes: 7000, UnusedBytes: 600, LimitBytes: 9000,
			DiskTotalBytes: 100_000, DiskFreeBytes: 60_000,
		},
		Failure: s.Failure,
	}, nil
}
