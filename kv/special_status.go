package kv

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
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
	lock, err := a.lockState()
	if err != nil && s.Failure == "" {
		return nil, err
	}
	return json.Marshal(object{"client": clientStatus(&s), "cluster": clusterStatus(&s, lock)})
}

// lockState returns database_lock_state at this moment.
func (a *attempt) lockState() (object, error) {
	ctx, err := a.callContext()
	if err != nil {
		return nil, err
	}
	version, err := a.calls().own().ReadVersion(ctx, wire.ReadVersionRequest{})
	if err != nil {
		return nil, callError(ctx, err)
	}
	state := object{"locked": version.Locked}
	if !version.Locked {
		return state, nil
	}
	reply, err := a.calls().own().GetValues(ctx, &wire.GetValuesRequest{Version: version.Version, Keys: [][]byte{[]byte(DatabaseLockedKey)}})
	if err != nil {
		return nil, callError(ctx, err)
	}
	if value := reply.Values[0]; len(value) >= wire.StampBytes {
		state["lock_uid"] = hex.EncodeToString(value[wire.StampBytes:])
	}
	return state, nil
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

// clusterStatus is what concerns the store.
func clusterStatus(s *wire.StoreStatus, lock object) object {
	recovery, messages := "fully_recovered", []object{}
	if s.Failure != "" {
		recovery = "recruiting_transaction_servers"
		messages = append(messages, object{"name": "unreadable_configuration", "description": s.Failure})
	}
	return object{
		"generation":          s.Generation,
		"connection_string":   s.ConnectionString,
		"database_available":  s.Failure == "",
		"database_lock_state": lock,
		"degraded_processes":  0,
		"full_replication":    true,
		"configuration": object{
			"redundancy_mode": "single", "storage_engine": "pebble", "coordinators_count": 0, "usable_regions": 1,
			"commit_proxies": 1, "grv_proxies": 1, "resolvers": 1, "logs": 1, "excluded_servers": []object{},
		},
		"recovery_state": object{"name": recovery, "active_generations": 1},
		"fault_tolerance": object{
			"max_zone_failures_without_losing_availability": 0, "max_zone_failures_without_losing_data": 0,
		},
		"data":      dataStatus(s),
		"workload":  workloadStatus(s),
		"qos":       qosStatus(s),
		"processes": object{"embedded": processStatus(s)},
		"layers":    object{"_valid": true},
		"messages":  messages,
		"machines":  object{},
	}
}

// dataStatus is what is stored.
func dataStatus(s *wire.StoreStatus) object {
	return object{
		"state":                        object{"name": "healthy", "healthy": s.Failure == "", "min_replicas_remaining": 1},
		"total_disk_used_bytes":        s.StorageBytes + s.LogBytes,
		"total_kv_size_bytes":          s.StorageBytes,
		"average_partition_size_bytes": s.StorageBytes,
		"partitions_count":             1,
		"moving_data":                  object{"in_flight_bytes": 0, "in_queue_bytes": 0, "total_written_bytes": 0},
	}
}

// workloadStatus is what was done.
func workloadStatus(s *wire.StoreStatus) object {
	return object{
		"keys":       object{"read": counter(s.Reads + s.Rows)},
		"operations": object{"reads": counter(s.Reads), "writes": counter(s.Writes)},
		"transactions": object{
			"started":    counter(s.Started),
			"conflicted": counter(s.Conflicted),
			"committed":  counter(s.Started - s.Conflicted - s.TooOld),
		},
	}
}

// qosStatus is how far the parts are behind.
func qosStatus(s *wire.StoreStatus) object {
	return object{
		"performance_limited_by": object{
			"name": "workload", "reason_id": 0, "description": "Nothing limits the rate of transactions.",
		},
		"worst_queue_bytes_log_server":        s.LogQueueBytes,
		"worst_queue_bytes_storage_server":    s.StorageQueueBytes,
		"worst_data_lag_storage_server":       lagOf(s.CommittedVersion - s.ReadableVersion),
		"worst_durability_lag_storage_server": lagOf(s.ReadableVersion - s.DurableVersion),
	}
}

// processStatus is the one process, with one of each role.
func processStatus(s *wire.StoreStatus) object {
	return object{
		"address": s.Address, "class_type": "unset", "class_source": "command_line",
		"excluded": false, "degraded": false, "messages": []object{},
		"roles": []object{
			{"role": "master"}, {"role": "resolver"}, {"role": "commit_proxy"}, {"role": "grv_proxy"},
			{"role": "log", "kvstore_used_bytes": s.LogBytes, "data_version": s.CommittedVersion},
			{
				"role": "storage", "kvstore_used_bytes": s.StorageBytes, "stored_bytes": s.StorageBytes,
				"data_version": s.ReadableVersion, "durable_version": s.DurableVersion,
				"data_lag":       lagOf(s.CommittedVersion - s.ReadableVersion),
				"durability_lag": lagOf(s.ReadableVersion - s.DurableVersion),
			},
		},
	}
}

// counter is a count in FoundationDB's form; rates are for who asks twice.
func counter(n uint64) object { return object{"counter": n} }

// lagOf is how far versions are apart, in FoundationDB's form.
func lagOf(v wire.Version) object {
	v = max(v, 0)
	return object{"versions": v, "seconds": float64(v) / wire.VersionsPerSecond}
}

const shardStatsPrefix = specialBegin + "/metrics/data_distribution_stats/"

// readMetrics shows the sizes of the shards, the one kind of metrics that there
// is.
func (a *attempt) readMetrics(r KeyRange) ([]KeyValue, error) {
	if !r.Overlaps(PrefixRange([]byte(shardStatsPrefix))) {
		return nil, wire.ErrSpecialNoModule.With("no metrics at %s: this store has %q alone", printable(r.Begin), shardStatsPrefix)
	}
	locator, err := a.calls().own().locator()
	if err != nil {
		return nil, err
	}
	ctx, err := a.callContext()
	if err != nil {
		return nil, err
	}
	reply, err := locator.Locate(ctx, &wire.LocateRequest{Begin: []byte{}, End: []byte(wire.MaxKey)})
	if err != nil {
		return nil, callError(ctx, err)
	}
	var rows []KeyValue
	for _, s := range reply.Shards {
		size, err := locator.EstimateBytes(ctx, s.Begin, s.End)
		if err != nil {
			return nil, callError(ctx, err)
		}
		rows = append(rows, KeyValue{Key: append([]byte(shardStatsPrefix), s.Begin...), Value: fmt.Appendf(nil, `{"shard_bytes":%d}`, size)})
	}
	return rows, nil
}
