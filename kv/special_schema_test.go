package kv_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/kv"
)

// statusSchema holds the names and types of FoundationDB's machine-readable
// status, from its documentation, of all parts that this store tells something
// of. "*" is any name, "[]" the elements of a list; int and num are numbers, the
// one without a fraction; rate is an object of the three fields of a counter,
// lag one of the two of a lag; values between bars are all that a text may be.
const statusSchema = `
client.cluster_file.path str
client.cluster_file.up_to_date bool
client.coordinators.coordinators list
client.coordinators.quorum_reachable bool
client.database_status.available bool
client.database_status.healthy bool
client.messages list
client.messages[].description str
client.messages[].name inconsistent_cluster_file|unreachable_cluster_controller|no_cluster_controller|status_incomplete_client|status_incomplete_coordinators|status_incomplete_error|status_incomplete_timeout|status_incomplete_cluster|quorum_not_reachable
client.timestamp int
cluster.clients.count int
cluster.cluster_controller_timestamp int
cluster.configuration.commit_proxies int
cluster.configuration.coordinators_count int
cluster.configuration.excluded_servers list
cluster.configuration.grv_proxies int
cluster.configuration.log_replicas int
cluster.configuration.logs int
cluster.configuration.redundancy_mode single|double|triple|three_datacenter|three_datacenter_fallback|three_data_hall|three_data_hall_fallback
cluster.configuration.resolvers int
cluster.configuration.storage_engine ssd|ssd-1|ssd-2|ssd-redwood-1|ssd-rocksdb-v1|ssd-sharded-rocksdb|memory|memory-1|memory-2|memory-radixtree
cluster.configuration.storage_replicas int
cluster.configuration.usable_regions int
cluster.connection_string str
cluster.data.average_partition_size_bytes int
cluster.data.moving_data.in_flight_bytes int
cluster.data.moving_data.in_queue_bytes int
cluster.data.moving_data.total_written_bytes int
cluster.data.partitions_count int
cluster.data.state.healthy bool
cluster.data.state.min_replicas_remaining int
cluster.data.state.name initializing|missing_data|healing|optimizing_team_collections|healthy_populating_region|healthy_repartitioning|healthy_removing_server|healthy_rebalancing|healthy
cluster.data.total_disk_used_bytes int
cluster.data.total_kv_size_bytes int
cluster.database_available bool
cluster.database_lock_state.lock_uid str
cluster.database_lock_state.locked bool
cluster.degraded_processes int
cluster.fault_tolerance.max_zone_failures_without_losing_availability int
cluster.fault_tolerance.max_zone_failures_without_losing_data int
cluster.full_replication bool
cluster.generation int
cluster.latency_probe.immediate_priority_transaction_start_seconds num
cluster.latency_probe.read_seconds num
cluster.latency_probe.transaction_start_seconds num
cluster.layers._valid bool
cluster.logs list
cluster.logs[].current bool
cluster.logs[].epoch int
cluster.logs[].log_fault_tolerance int
cluster.logs[].log_interfaces list
cluster.logs[].log_interfaces[].address str
cluster.logs[].log_interfaces[].healthy bool
cluster.logs[].log_interfaces[].id str
cluster.logs[].log_replication_factor int
cluster.logs[].log_write_anti_quorum int
cluster.logs[].possibly_losing_data bool
cluster.messages list
cluster.messages[].description str
cluster.messages[].name unreachable_master_worker|unreadable_configuration|full_replication_timeout|client_issues|unreachable_processes|storage_servers_error|status_incomplete|layer_status_incomplete|database_availability_timeout
cluster.page_cache.log_hit_rate num
cluster.page_cache.storage_hit_rate num
cluster.processes.*.address str
cluster.processes.*.class_source command_line|configure_auto|set_class
cluster.processes.*.class_type unset|storage|transaction|resolution|stateless|commit_proxy|grv_proxy|master|test
cluster.processes.*.cpu.usage_cores num
cluster.processes.*.degraded bool
cluster.processes.*.disk.busy num
cluster.processes.*.disk.free_bytes int
cluster.processes.*.disk.total_bytes int
cluster.processes.*.excluded bool
cluster.processes.*.memory.available_bytes int
cluster.processes.*.memory.limit_bytes int
cluster.processes.*.memory.rss_bytes int
cluster.processes.*.memory.unused_allocated_memory int
cluster.processes.*.memory.used_bytes int
cluster.processes.*.messages list
cluster.processes.*.messages[].description str
cluster.processes.*.messages[].name incorrect_cluster_file_contents|process_error|io_error|io_timeout|platform_error|storage_server_lagging
cluster.processes.*.messages[].time num
cluster.processes.*.messages[].type str
cluster.processes.*.roles list
cluster.processes.*.roles[].active_watches int
cluster.processes.*.roles[].bytes_queried rate
cluster.processes.*.roles[].data_lag lag
cluster.processes.*.roles[].data_version int
cluster.processes.*.roles[].durability_lag lag
cluster.processes.*.roles[].durable_version int
cluster.processes.*.roles[].finished_queries rate
cluster.processes.*.roles[].id str
cluster.processes.*.roles[].keys_queried rate
cluster.processes.*.roles[].kvstore_available_bytes int
cluster.processes.*.roles[].kvstore_free_bytes int
cluster.processes.*.roles[].kvstore_total_bytes int
cluster.processes.*.roles[].kvstore_used_bytes int
cluster.processes.*.roles[].mutation_bytes rate
cluster.processes.*.roles[].mutations rate
cluster.processes.*.roles[].queue_disk_available_bytes int
cluster.processes.*.roles[].queue_disk_free_bytes int
cluster.processes.*.roles[].queue_disk_total_bytes int
cluster.processes.*.roles[].queue_disk_used_bytes int
cluster.processes.*.roles[].role master|commit_proxy|grv_proxy|log|storage|resolver|cluster_controller|data_distributor|ratekeeper|router|coordinator
cluster.processes.*.roles[].stored_bytes int
cluster.processes.*.roles[].total_queries rate
cluster.processes.*.under_maintenance bool
cluster.processes.*.uptime_seconds num
cluster.processes.*.version str
cluster.qos.batch_performance_limited_by.description str
cluster.qos.batch_performance_limited_by.name workload|storage_server_write_queue_size|storage_server_write_bandwidth_mvcc|storage_server_readable_behind|log_server_mvcc_write_bandwidth|log_server_write_queue
cluster.qos.batch_performance_limited_by.reason_id int
cluster.qos.batch_performance_limited_by.reason_server_id str
cluster.qos.batch_released_transactions_per_second num
cluster.qos.batch_transactions_per_second_limit num
cluster.qos.limiting_data_lag_storage_server lag
cluster.qos.limiting_durability_lag_storage_server lag
cluster.qos.limiting_queue_bytes_storage_server int
cluster.qos.performance_limited_by.description str
cluster.qos.performance_limited_by.name workload|storage_server_write_queue_size|storage_server_write_bandwidth_mvcc|storage_server_readable_behind|log_server_mvcc_write_bandwidth|log_server_write_queue
cluster.qos.performance_limited_by.reason_id int
cluster.qos.performance_limited_by.reason_server_id str
cluster.qos.released_transactions_per_second num
cluster.qos.throttled_tags.auto.busy_read int
cluster.qos.throttled_tags.auto.busy_write int
cluster.qos.throttled_tags.auto.count int
cluster.qos.throttled_tags.auto.recommended_only int
cluster.qos.throttled_tags.manual.count int
cluster.qos.transactions_per_second_limit num
cluster.qos.worst_data_lag_storage_server lag
cluster.qos.worst_durability_lag_storage_server lag
cluster.qos.worst_queue_bytes_log_server int
cluster.qos.worst_queue_bytes_storage_server int
cluster.recovery_state.active_generations int
cluster.recovery_state.description str
cluster.recovery_state.name accepting_commits|all_logs_recruited|storage_recovered|fully_recovered|recruiting_transaction_servers
cluster.recovery_state.seconds_since_last_recovered num
cluster.version_epoch.enabled bool
cluster.workload.bytes.read rate
cluster.workload.bytes.written rate
cluster.workload.keys.read rate
cluster.workload.operations.memory_errors rate
cluster.workload.operations.read_requests rate
cluster.workload.operations.reads rate
cluster.workload.operations.writes rate
cluster.workload.transactions.committed rate
cluster.workload.transactions.conflicted rate
cluster.workload.transactions.rejected_for_queued_too_long rate
cluster.workload.transactions.started rate
cluster.workload.transactions.started_batch_priority rate
cluster.workload.transactions.started_default_priority rate
cluster.workload.transactions.started_immediate_priority rate
`

// schemaKinds returns the kind of each path of the schema.
func schemaKinds(t *testing.T) map[string]string {
	t.Helper()
	kinds := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(statusSchema), "\n") {
		path, kind, ok := strings.Cut(line, " ")
		if !ok || kinds[path] != "" {
			t.Fatalf("the schema has %q", line)
		}
		switch kind {
		case "rate":
			kinds[path+".counter"], kinds[path+".hz"], kinds[path+".roughness"] = "int", "num", "num"
		case "lag":
			kinds[path+".versions"], kinds[path+".seconds"] = "int", "num"
		default:
			kinds[path] = kind
		}
	}
	return kinds
}

var processKey = regexp.MustCompile(`^cluster\.processes\.[^.]+`)

// leaves adds the values below value to found, by their paths in the schema.
func leaves(found map[string][]any, path string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, below := range value {
			leaves(found, strings.TrimPrefix(path+"."+name, "."), below)
		}
		return
	case []any:
		for _, element := range value {
			leaves(found, path+"[]", element)
		}
	}
	path = processKey.ReplaceAllString(path, "cluster.processes.*")
	found[path] = append(found[path], value)
}

// fits reports whether a value is of a kind of the schema.
func fits(kind string, value any) bool {
	switch kind {
	case "str":
		_, ok := value.(string)
		return ok
	case "bool":
		_, ok := value.(bool)
		return ok
	case "list":
		_, ok := value.([]any)
		return ok
	case "int":
		number, ok := value.(json.Number)
		_, err := number.Int64()
		return ok && err == nil
	case "num":
		_, ok := value.(json.Number)
		return ok
	}
	text, ok := value.(string)
	return ok && slices.Contains(strings.Split(kind, "|"), text)
}

// followsSchema checks a document and returns the paths that it has.
func followsSchema(t *testing.T, document []byte) (paths []string) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var status any
	if err := decoder.Decode(&status); err != nil {
		t.Fatalf("%v: %s", err, document)
	}
	found, kinds := map[string][]any{}, schemaKinds(t)
	// FoundationDB has no such engine, and this store none of its own.
	kinds["cluster.configuration.storage_engine"] += "|pebble"
	leaves(found, "", status)
	for path, values := range found {
		for _, value := range values {
			if !fits(kinds[path], value) {
				t.Errorf("%s is %v, the schema has %q", path, value, kinds[path])
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// What is in the schema and not here has no meaning for one process, or nobody
// knows it: roughness would need the time of every operation.
func TestStatusFollowsFoundationDBsSchema(t *testing.T) {
	db, store := open(t)
	if err := kv.LockDatabase(background, db, lockA); err != nil {
		t.Fatal(err)
	}
	read := func(key string) []byte {
		tx := db.Begin(background)
		defer tx.Cancel()
		return must(tx.Get([]byte(special + key)).Wait())(t)
	}
	full := followsSchema(t, read("/status/json"))
	part := followsSchema(t, read("/metrics/fault_tolerance_metrics_json"))
	for _, path := range part {
		if !slices.Contains(full, path) {
			t.Errorf("%s is in the part about fault tolerance alone", path)
		}
	}
	store.Failure = "the disk is gone"
	ended := followsSchema(t, read("/status/json"))
	for _, path := range []string{"cluster.workload.bytes.read.hz", "cluster.qos.worst_queue_bytes_log_server", "cluster.recovery_state.name"} {
		if !slices.Contains(full, path) || slices.Contains(ended, path) {
			t.Errorf("%s: in the status of a store that serves %v, of one that has ended %v", path, slices.Contains(full, path), slices.Contains(ended, path))
		}
	}
	for _, path := range []string{"cluster.messages[].name", "client.messages[].name", "cluster.processes.*.messages[].name"} {
		if slices.Contains(full, path) || !slices.Contains(ended, path) {
			t.Errorf("%s: in the status of a store that serves %v, of one that has ended %v", path, slices.Contains(full, path), slices.Contains(ended, path))
		}
	}
	if len(full) < 100 {
		t.Errorf("only %d figures: %q", len(full), full)
	}
}

func TestStatusTellsTheFiguresOfTheStore(t *testing.T) {
	db, _ := open(t)
	if err := kv.LockDatabase(background, db, lockA); err != nil {
		t.Fatal(err)
	}
	tx := db.Begin(background)
	defer tx.Cancel()
	var status any
	if err := json.Unmarshal(must(tx.Get([]byte(special+"/status/json")).Wait())(t), &status); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]any{
		"client.database_status.available":                              true,
		"client.cluster_file.path":                                      "model-file",
		"cluster.database_available":                                    true,
		"cluster.generation":                                            3.0,
		"cluster.database_lock_state.locked":                            true,
		"cluster.database_lock_state.lock_uid":                          fmt.Sprintf("%x", lockA),
		"cluster.recovery_state.name":                                   "fully_recovered",
		"cluster.recovery_state.seconds_since_last_recovered":           60.5,
		"cluster.configuration.redundancy_mode":                         "single",
		"cluster.page_cache.storage_hit_rate":                           1.0,
		"cluster.workload.transactions.started.counter":                 42.0,
		"cluster.workload.transactions.started.hz":                      3.5,
		"cluster.workload.transactions.started_batch_priority.hz":       0.5,
		"cluster.workload.transactions.committed.counter":               7.0,
		"cluster.workload.transactions.committed.hz":                    0.5,
		"cluster.workload.operations.reads.counter":                     20.0,
		"cluster.workload.operations.writes.hz":                         0.0,
		"cluster.workload.keys.read.hz":                                 5.0,
		"cluster.workload.bytes.read.hz":                                125.0,
		"cluster.workload.bytes.written.counter":                        500.0,
		"cluster.data.total_disk_used_bytes":                            7000.0,
		"cluster.qos.worst_durability_lag_storage_server.seconds":       2.0,
		"cluster.qos.performance_limited_by.name":                       "workload",
		"cluster.qos.batch_performance_limited_by.name":                 "storage_server_readable_behind",
		"cluster.qos.throttled_tags.manual.count":                       6.0,
		"cluster.processes.embedded.address":                            "127.0.0.1:0",
		"cluster.processes.embedded.version":                            "v0.0.0-model",
		"cluster.processes.embedded.uptime_seconds":                     60.5,
		"cluster.processes.embedded.cpu.usage_cores":                    1.5,
		"cluster.processes.embedded.memory.rss_bytes":                   7000.0,
		"cluster.processes.embedded.disk.free_bytes":                    60_000.0,
		"cluster.fault_tolerance.max_zone_failures_without_losing_data": 0.0,
	} {
		if got := dig(t, status, path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
}

// The rows of the health module are FoundationDB's; what nobody knows is not
// among their fields, and a store that has ended has no health.
func TestHealthTellsHowFarThePartsAreBehind(t *testing.T) {
	db, store := open(t)
	read := func() map[string]string {
		tx := db.Begin(background)
		defer tx.Cancel()
		rows := map[string]string{}
		for _, row := range must(specialRows(tx, "/metrics/health/", "/metrics/health0", kv.RangeOptions{}))(t) {
			rows[strings.TrimPrefix(string(row.Key), special+"/metrics/health/")] = string(row.Value)
		}
		return rows
	}
	id := "cafe" + strings.Repeat("0", 28)
	want := map[string]string{
		"aggregate":     `{"batch_limited":true,"worst_log_queue":100,"worst_storage_durability_lag":2000000,"worst_storage_queue":200}`,
		"log/" + id:     `{"log_queue":100}`,
		"storage/" + id: `{"cpu_usage":150,"storage_durability_lag":2000000,"storage_queue":200}`,
	}
	if got := read(); !maps.Equal(got, want) {
		t.Errorf("health %v, want %v", got, want)
	}
	store.Failure = "the disk is gone"
	if got := read(); len(got) != 0 {
		t.Errorf("health %v of a store that has ended", got)
	}
}
