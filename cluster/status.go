package cluster

import (
	"github.com/plinthdb/plinth/internal/wal"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/resolver"
	"github.com/plinthdb/plinth/storage"
	"github.com/plinthdb/plinth/txlog"
)

// LocalStatus describes a local store.
type LocalStatus struct {
	// Dir is the data directory.
	Dir string `json:"dir"`
	// Generation is the number of times that the store was opened.
	Generation wire.Generation `json:"generation"`
	// CommittedVersion is the version of the newest commit.
	CommittedVersion wire.Version `json:"committed_version"`
	// Log, WriteAheadLog, Resolver and Storage are the parts' own.
	Log           txlog.Status   `json:"log"`
	WriteAheadLog wal.Stats      `json:"write_ahead_log"`
	Resolver      resolver.Stats `json:"resolver"`
	Storage       storage.Stats  `json:"storage"`
	// Error is why the store serves nothing any more; empty while it does.
	Error string `json:"error,omitempty"`
}

// Status describes the store as it is now.
func (l *Local) Status() LocalStatus {
	s := LocalStatus{
		Dir: l.config.Dir, Generation: l.generation, CommittedVersion: l.sequencer.Committed(),
		Log: l.log.Status(), WriteAheadLog: l.wal.Stats(), Resolver: l.resolver.Stats(), Storage: l.storage.Stats(),
	}
	if err := l.Err(); err != nil {
		s.Error = err.Error()
	}
	return s
}
