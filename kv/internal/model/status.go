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
		Started: 10, Conflicted: 2, TooOld: 1, Reads: 20, Rows: 4, Writes: 5,
	}, nil
}
