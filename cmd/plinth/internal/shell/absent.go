package shell

import (
	"fmt"
	"strings"
)

// What the commands that are absent need, or what to use instead.
const (
	needsProcesses     = "it manages the processes of a cluster, which Plinth does not have yet: this store runs inside one process"
	needsConfiguration = "it configures a cluster, which Plinth does not have yet: this store has one copy of everything, in one process"
	needsTenants       = "Plinth has no tenants yet: use a prefix or a directory for each"
	needsLimits        = "Plinth has no quotas yet: use throttle to limit the starts of transactions with a tag"
	needsShards        = "it shows or moves the shards of a cluster, which Plinth does not have yet: this store is one shard"
	needsRecovery      = "it intervenes in the recovery of a cluster, which Plinth does not have yet"
	needsBlobs         = "Plinth keeps nothing in blob stores"
	needsKnobs         = "this store has no knobs: sizes are options of embedded.Open"
	needsTracing       = "Plinth has no client profiling by transaction yet"
	useCheck           = "use `plinth check', which verifies the whole directory once the shell is closed"
	useExport          = "use `plinth export' and `plinth import'"
	removesThem        = "the store removes the ids of commits by itself after a minute"
	hasOneCopy         = "it compares the servers that hold a key, and this store has one copy of everything: use get"
)

// Why the options that are absent are.
const (
	meantForTools  = "it is meant for FoundationDB's own tools"
	meantForProxy  = "this store has one proxy, inside this process"
	readsOfOneKind = "reads are of one kind here, from one cache"
	needsTokens    = "Plinth has no tenants yet, and nobody has to be authorized"
	useOwnTracing  = "traces belong to the program: see kv.WithTracer"
	useBoth        = "turn on debug_transaction_identifier and log_transaction"
	needsReplicas  = "this store has one copy of everything: use `plinth check'"
	alwaysDurable  = "what is committed is on disk"
)

// absentOptions returns the transaction options of FoundationDB that there are
// not, and why.
func absentOptions() map[string]string {
	return byName(map[string]string{
		meantForTools:  "initialize_new_database first_in_batch check_writes_enable debug_dump causal_read_disable expensive_clear_cost_estimation_enable",
		meantForProxy:  "commit_on_first_proxy use_provisional_proxies include_port_in_address max_grv_queue_delay",
		readsOfOneKind: "read_server_side_cache_enable read_server_side_cache_disable read_priority_normal read_priority_low read_priority_high",
		needsTokens:    "raw_access bypass_storage_quota authorization_token",
		useOwnTracing:  "server_request_tracing span_parent debug_retry_logging",
		useBoth:        "transaction_logging_enable",
		needsReplicas:  "enable_replica_consistency_check consistency_check_required_replicas",
		alwaysDurable:  "durability_datacenter durability_risky durability_dev_null_is_web_scale",
	})
}

// byName turns lists of names around.
func byName(lists map[string]string) map[string]string {
	all := map[string]string{}
	for why, names := range lists {
		for name := range strings.FieldsSeq(names) {
			all[name] = why
		}
	}
	return all
}

// absent returns the commands of fdbcli that there are not, and why.
func absent() map[string]string {
	return byName(map[string]string{
		needsProcesses:     "coordinators exclude include kill suspend setclass maintenance expensive_data_check",
		needsConfiguration: "configure fileconfigure changefeed rangeconfig cache_range datadistribution tssq",
		needsTenants:       "tenant tenantgroup createtenant deletetenant listtenants gettenant renametenant usetenant defaulttenant metacluster",
		needsLimits:        "quota",
		needsShards:        "location_metadata locationmetadata hotrange redistribute triggerddteaminfolog rangelock",
		needsRecovery:      "advanceversion versionepoch targetversion force_recovery_with_data_loss",
		needsBlobs:         "blobrange blobkey blobrestore",
		needsKnobs:         "setknob getknob clearknob",
		needsTracing:       "profile",
		useCheck:           "consistencycheck consistencyscan audit_storage get_audit_status",
		useExport:          "snapshot bulkload bulkdump",
		removesThem:        "idempotencyids",
		hasOneCopy:         "getall checkall",
	})
}

// absence is the one line that an absent command answers with.
func absence(name, why string) string { return fmt.Sprintf("`%s' is not available: %s.", name, why) }

// unknownVerb is the misuse of a command that there is not.
func unknownVerb(c Command) error {
	name := string(c[0])
	if why, ok := absent()[name]; ok {
		return &misuse{absence(name, why)}
	}
	return &misuse{fmt.Sprintf("Unknown command `%s'. Try `help'?", Quote(c[:1]))}
}
