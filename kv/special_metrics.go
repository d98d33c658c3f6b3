package kv

import (
	"encoding/json"
	"fmt"

	"github.com/plinthdb/plinth/internal/wire"
)

// The metrics, in the order of their keys.
const (
	shardStatsPrefix  = specialBegin + "/metrics/data_distribution_stats/"
	faultToleranceKey = specialBegin + "/metrics/fault_tolerance_metrics_json"
	healthPrefix      = specialBegin + "/metrics/health/"
)

// readMetrics shows the metrics that r overlaps.
func (a *attempt) readMetrics(r KeyRange) (rows []KeyValue, err error) {
	found := false
	for _, m := range []struct {
		keys KeyRange
		read func(a *attempt) ([]KeyValue, error)
	}{
		{PrefixRange([]byte(shardStatsPrefix)), (*attempt).shardStats},
		{wire.SingleKey([]byte(faultToleranceKey)), (*attempt).faultTolerance},
		{PrefixRange([]byte(healthPrefix)), (*attempt).health},
	} {
		if !m.keys.Overlaps(r) {
			continue
		}
		found = true
		part, err := m.read(a)
		if err != nil {
			return nil, err
		}
		rows = append(rows, part...)
	}
	if !found {
		return nil, wire.ErrSpecialNoModule.With("no metrics at %s: this store has %q, %q and %q",
			printable(r.Begin), shardStatsPrefix, faultToleranceKey, healthPrefix)
	}
	return rows, nil
}

// shardStats shows the sizes of the shards.
func (a *attempt) shardStats() (rows []KeyValue, err error) {
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
	for _, s := range reply.Shards {
		size, err := locator.EstimateBytes(ctx, s.Begin, s.End)
		if err != nil {
			return nil, callError(ctx, err)
		}
		rows = append(rows, KeyValue{Key: append([]byte(shardStatsPrefix), s.Begin...), Value: fmt.Appendf(nil, `{"shard_bytes":%d}`, size)})
	}
	return rows, nil
}

// faultTolerance shows the part of the status that tells whether data is safe.
func (a *attempt) faultTolerance() ([]KeyValue, error) {
	s, ok, err := a.storeStatus()
	if err != nil || !ok {
		return nil, err
	}
	all, part := clusterStatus(&s, &probe{}), object{}
	for _, name := range []string{"fault_tolerance", "data", "logs", "qos", "recovery_state", "messages"} {
		if value, ok := all[name]; ok {
			part[name] = value
		}
	}
	return jsonRows(nil, faultToleranceKey, object{"client": clientStatus(&s), "cluster": part})
}

// health shows how far the parts of the store are behind, for programs that
// adapt to that. A store that has ended has no health.
func (a *attempt) health() (rows []KeyValue, err error) {
	s, ok, err := a.storeStatus()
	if err != nil || !ok || s.Failure != "" {
		return nil, err
	}
	lag := max(s.ReadableVersion-s.DurableVersion, 0)
	aggregate := object{
		"batch_limited":                s.LoadThousandths >= wire.BatchLoad,
		"worst_storage_durability_lag": lag,
		"worst_storage_queue":          s.StorageQueueBytes,
		"worst_log_queue":              s.LogQueueBytes,
	}
	storage := object{"storage_durability_lag": lag, "storage_queue": s.StorageQueueBytes}
	if cores, ok := coresUsed(&s); ok {
		storage["cpu_usage"] = 100 * cores
	}
	rows, err = jsonRows(rows, healthPrefix+"aggregate", aggregate)
	if err == nil {
		rows, err = jsonRows(rows, healthPrefix+"log/"+roleID(&s), object{"log_queue": s.LogQueueBytes})
	}
	if err == nil {
		rows, err = jsonRows(rows, healthPrefix+"storage/"+roleID(&s), storage)
	}
	return rows, err
}

// jsonRows appends a row with a JSON object.
func jsonRows(rows []KeyValue, key string, o object) ([]KeyValue, error) {
	value, err := json.Marshal(o)
	if err != nil {
		return nil, wire.ErrInternal.Because(err)
	}
	return append(rows, KeyValue{Key: []byte(key), Value: value}), nil
}
