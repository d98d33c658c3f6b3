package cluster

import (
	"context"
	"time"

	"github.com/plinthdb/plinth/internal/usage"
	"github.com/plinthdb/plinth/internal/wal"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/resolver"
	"github.com/plinthdb/plinth/storage"
	"github.com/plinthdb/plinth/txlog"
	"github.com/plinthdb/plinth/txn"
)

// LocalStatus describes a local store.
type LocalStatus struct {
	// Dir is the data directory.
	Dir string `json:"dir"`
	// Generation is the number of times that the store was opened.
	Generation wire.Generation `json:"generation"`
	// CommittedVersion is the version of the newest commit.
	CommittedVersion wire.Version `json:"committed_version"`
	// LimitedBy names what the store is held back by, in the words of
	// FoundationDB's status: "workload" is nothing.
	LimitedBy wire.LimitedBy `json:"limited_by"`
	// ReadVersions, Log, WriteAheadLog, Resolver and Storage are the parts' own.
	ReadVersions txn.ReadVersionStats `json:"read_versions"`

	Log           txlog.Status   `json:"log"`
	WriteAheadLog wal.Stats      `json:"write_ahead_log"`
	Resolver      resolver.Stats `json:"resolver"`
	Storage       storage.Stats  `json:"storage"`
	// Error is why the store serves nothing any more; empty while it does.
	Error string `json:"error,omitempty"`
}

// connectionPrefix begins the text that programs name an embedded store by,
// where others have the path of a cluster file.
const connectionPrefix = "plinth-embedded:"

// StoreStatus describes the store to clients. Its Earlier is what had been done
// when a status was asked for five seconds ago or more, at first when the store
// was opened.
func (l *Local) StoreStatus(context.Context) (wire.StoreStatus, error) {
	s := l.Status()
	now := sample{at: time.Now(), work: s.work()}
	from := l.recent.observe(now)
	connection := connectionPrefix + s.Dir
	return wire.StoreStatus{
		ConnectionString: connection, ClusterFile: connection, Address: localAddress, ID: l.id,
		Generation: s.Generation, CommittedVersion: s.CommittedVersion,
		ReadableVersion: s.Storage.Version, DurableVersion: s.Storage.Durable,
		StorageBytes: int64(s.Storage.DiskBytes), LogBytes: s.WriteAheadLog.LiveBytes,
		StorageQueueBytes: int64(s.Storage.WindowBytes), LogQueueBytes: s.WriteAheadLog.QueuedBytes,
		LimitedBy: s.LimitedBy, LoadThousandths: s.ReadVersions.LoadThousandths,
		ThrottledTags: s.ReadVersions.ThrottledTags, Watches: s.Storage.Watches,
		Work: now.work, Earlier: from.work, EarlierSeconds: now.at.Sub(from.at).Seconds(),
		Process: l.process(now.at), Failure: s.Error,
	}, nil
}

// work returns what the store has done since it was opened.
func (s *LocalStatus) work() wire.Workload {
	return wire.Workload{
		StartedDefault: s.ReadVersions.StartsDefault, StartedBatch: s.ReadVersions.StartsBatch, StartedImmediate: s.ReadVersions.StartsImmediate,
		Resolved: s.Resolver.Transactions, Conflicted: s.Resolver.Conflicts, TooOld: s.Resolver.TooOld,
		Requests: s.Storage.Requests, Reads: s.Storage.Gets, Rows: s.Storage.Rows, Writes: s.Storage.Mutations,
		ReadBytes: s.Storage.ReadBytes, WrittenBytes: s.Storage.WrittenBytes,
		CacheHits: uint64(s.Storage.CacheHits), CacheMisses: uint64(s.Storage.CacheMisses),
		CPUSeconds: usage.CPUTime().Seconds(),
	}
}

// Status describes the store as it is now.
func (l *Local) Status() LocalStatus {
	s := LocalStatus{
		Dir: l.config.Dir, Generation: l.generation, CommittedVersion: l.sequencer.Committed(), LimitedBy: l.load.limitedBy(),
		ReadVersions: l.versions.Stats(), Log: l.log.Status(), WriteAheadLog: l.wal.Stats(), Resolver: l.resolver.Stats(), Storage: l.storage.Stats(),
	}
	if err := l.Err(); err != nil {
		s.Error = err.Error()
	}
	return s
}
