package kv

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

// StatusBackend is a back-end that can describe its store. Of one that is none
// the special keys on status and connection are absent.
type StatusBackend interface {
	// StoreStatus returns the state of the store now.
	StoreStatus(context.Context) (wire.StoreStatus, error)
}

// storeStatus asks the back-end; ok is false if it cannot say.
func (a *attempt) storeStatus() (s wire.StoreStatus, ok bool, err error) {
	backend, ok := a.db.backend.(StatusBackend)
	if !ok {
		return s, false, nil
	}
	ctx, err := a.callContext()
	if err != nil {
		return s, false, err
	}
	if s, err = a.calls().storeStatus(ctx, backend); err != nil {
		return s, false, callError(ctx, err)
	}
	return s, true, nil
}

func (a *attempt) clusterFilePath() ([]byte, error) {
	s, ok, err := a.storeStatus()
	if err != nil || !ok {
		return nil, err
	}
	return []byte(s.ClusterFile), nil
}

func (a *attempt) connectionString() ([]byte, error) {
	s, ok, err := a.storeStatus()
	if err != nil || !ok {
		return nil, err
	}
	return []byte(s.ConnectionString), nil
}

// clusterID returns the id of the store in hex, as FoundationDB does.
func (a *attempt) clusterID() ([]byte, error) {
	s, ok, err := a.storeStatus()
	if err != nil || !ok || s.ID == (wire.StoreID{}) {
		return nil, err
	}
	return hex.AppendEncode(nil, s.ID[:]), nil
}

// object is a JSON object.
type object = map[string]any

// statusJSON describes the store in FoundationDB's schema for machine-readable
// status, as far as it has what that speaks of: fields that would have no
// meaning are missing, which the schema allows.
func (a *attempt) statusJSON() ([]byte, error) {
	s, ok, err := a.storeStatus()
	if err != nil || !ok {
		return nil, err
	}
	p, err := a.probe()
	if err != nil && s.Failure == "" {
		return nil, err
	}
	return json.Marshal(object{"client": clientStatus(&s), "cluster": clusterStatus(&s, &p)})
}

// probe is what a sample transaction finds out: the lock at this moment, and how
// long the two calls took.
type probe struct {
	lock        object // database_lock_state
	start, read time.Duration
}

// probe runs the sample transaction. It is aware of locks, and goes on at once
// however full the store is: then above all people want to know its status.
func (a *attempt) probe() (p probe, err error) {
	ctx, err := a.callContext()
	if err != nil {
		return p, err
	}
	began := time.Now()
	version, err := a.calls().own().ReadVersion(ctx, wire.ReadVersionRequest{Priority: wire.PriorityImmediate})
	if err != nil {
		return p, callError(ctx, err)
	}
	started := time.Now()
	reply, err := a.calls().own().GetValues(ctx, &wire.GetValuesRequest{Version: version.Version, Keys: [][]byte{[]byte(DatabaseLockedKey)}})
	if err != nil {
		return p, callError(ctx, err)
	}
	p = probe{lock: object{"locked": version.Locked}, start: started.Sub(began), read: time.Since(started)}
	if value := reply.Values[0]; version.Locked && len(value) >= wire.StampBytes {
		p.lock["lock_uid"] = hex.EncodeToString(value[wire.StampBytes:])
	}
	return p, nil
}

// clientStatus is what concerns this client.
func clientStatus(s *wire.StoreStatus) object {
	serves := s.Failure == ""
	messages := []object{}
	if !serves {
		messages = append(messages, object{"name": "status_incomplete_error", "description": s.Failure})
	}
	return object{
		"cluster_file":    object{"path": s.ClusterFile, "up_to_date": true},
		"coordinators":    object{"coordinators": []object{}, "quorum_reachable": serves},
		"database_status": object{"available": serves, "healthy": serves},
		"messages":        messages,
		"timestamp":       time.Now().Unix(),
	}
}

// clusterStatus is what concerns the store. Of one that has ended it says that,
// and nothing that would need a store to be known.
func clusterStatus(s *wire.StoreStatus, p *probe) object {
	serves := s.Failure == ""
	o := object{
		"cluster_controller_timestamp": time.Now().Unix(),
		"generation":                   s.Generation,
		"connection_string":            s.ConnectionString,
		"database_available":           serves,
		"degraded_processes":           0,
		"full_replication":             true,
		"configuration": object{
			"redundancy_mode": "single", "storage_engine": "pebble", "coordinators_count": 0, "usable_regions": 1,
			"storage_replicas": 1, "log_replicas": 1,
			"commit_proxies": 1, "grv_proxies": 1, "resolvers": 1, "logs": 1, "excluded_servers": []object{},
		},
		"fault_tolerance": object{
			"max_zone_failures_without_losing_availability": 0, "max_zone_failures_without_losing_data": 0,
		},
		"processes":     object{processName: processStatus(s)},
		"layers":        object{"_valid": true},
		"messages":      []object{},
		"version_epoch": object{"enabled": false},
	}
	if !serves {
		o["messages"] = []object{{"name": "status_incomplete", "description": "The store has ended: " + s.Failure}}
		return o
	}
	o["database_lock_state"] = p.lock
	o["recovery_state"] = object{
		"name": "fully_recovered", "description": "Recovery complete.", "active_generations": 1,
		"seconds_since_last_recovered": s.Process.UptimeSeconds,
	}
	o["latency_probe"] = object{"immediate_priority_transaction_start_seconds": p.start.Seconds(), "read_seconds": p.read.Seconds()}
	o["clients"] = object{"count": 1}
	o["data"], o["logs"], o["workload"], o["qos"] = dataStatus(s), logsStatus(s), workloadStatus(s), qosStatus(s)
	if cache, ok := cacheStatus(s); ok {
		o["page_cache"] = cache
	}
	return o
}

// dataStatus is what is stored.
func dataStatus(s *wire.StoreStatus) object {
	return object{
		"state":                        object{"name": "healthy", "healthy": true, "min_replicas_remaining": 1},
		"total_disk_used_bytes":        s.StorageBytes + s.LogBytes,
		"total_kv_size_bytes":          s.StorageBytes,
		"average_partition_size_bytes": s.StorageBytes,
		"partitions_count":             1,
		"moving_data":                  object{"in_flight_bytes": 0, "in_queue_bytes": 0, "total_written_bytes": 0},
	}
}

// qosStatus is how far the parts are behind, and what that holds back. There is
// no limit in transactions per second: what is held waits for room in queues.
func qosStatus(s *wire.StoreStatus) object {
	o := object{
		"performance_limited_by":              limitOf(s, wire.FullLoad),
		"batch_performance_limited_by":        limitOf(s, wire.BatchLoad),
		"throttled_tags":                      throttledTags(s),
		"worst_queue_bytes_log_server":        s.LogQueueBytes,
		"worst_queue_bytes_storage_server":    s.StorageQueueBytes,
		"worst_data_lag_storage_server":       lagOf(s.CommittedVersion - s.ReadableVersion),
		"worst_durability_lag_storage_server": lagOf(s.ReadableVersion - s.DurableVersion),
	}
	if s.EarlierSeconds > 0 {
		o["released_transactions_per_second"] = lately(s, started) / s.EarlierSeconds
		o["batch_released_transactions_per_second"] = lately(s, startedBatch) / s.EarlierSeconds
	}
	return o
}

// throttledTags counts the limits on tags. All are set by somebody: the store
// limits no tag by itself.
func throttledTags(s *wire.StoreStatus) object {
	return object{
		"auto":   object{"count": 0, "recommended_only": 0, "busy_read": 0, "busy_write": 0},
		"manual": object{"count": s.ThrottledTags},
	}
}

// limitOf is what holds transactions back that are held from a load on.
func limitOf(s *wire.StoreStatus, load int) object {
	if s.LoadThousandths >= load {
		for _, reason := range []struct {
			name        wire.LimitedBy
			description string
			id          int
		}{
			{wire.LimitedByWindow, "The storage server holds nearly as much in memory as it may.", 1},
			{wire.LimitedByLag, "The storage server is behind the commits.", 3},
			{wire.LimitedByCommits, "Commits wait for the log.", 5},
		} {
			if reason.name == s.LimitedBy {
				return object{"name": reason.name, "reason_id": reason.id, "reason_server_id": roleID(s), "description": reason.description}
			}
		}
	}
	return object{"name": wire.LimitedByWorkload, "reason_id": 0, "description": "Nothing limits the rate of transactions."}
}

// lagOf is how far versions are apart, in FoundationDB's form.
func lagOf(v wire.Version) object {
	v = max(v, 0)
	return object{"versions": v, "seconds": float64(v) / wire.VersionsPerSecond}
}
