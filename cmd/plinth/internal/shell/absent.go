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
	needsLimits        = "Plinth has no limits on the rate of tags or tenants yet"
	needsShards        = "it shows or moves the shards of a cluster, which Plinth does not have yet: this store is one shard"
	needsRecovery      = "it intervenes in the recovery of a cluster, which Plinth does not have yet"
	needsBlobs         = "Plinth keeps nothing in blob stores"
	needsKnobs         = "this store has no knobs: sizes are options of embedded.Open"
	needsTracing       = "Plinth has no client profiling by transaction yet"
	useCheck           = "use `plinth check', which verifies the whole directory"
	useExport          = "use `plinth export' and `plinth import'"
	isDebugging        = "it is for those who debug FoundationDB itself"
)

// absent returns the commands of fdbcli that there are not, and why.
func absent() map[string]string {
	all := map[string]string{}
	for why, names := range map[string]string{
		needsProcesses:     "coordinators exclude include kill suspend setclass maintenance expensive_data_check",
		needsConfiguration: "configure fileconfigure changefeed rangeconfig cache_range datadistribution tssq",
		needsTenants:       "tenant tenantgroup createtenant deletetenant listtenants gettenant renametenant usetenant defaulttenant metacluster",
		needsLimits:        "throttle quota",
		needsShards:        "locationmetadata hotrange redistribute triggerddteaminfolog rangelock",
		needsRecovery:      "advanceversion versionepoch targetversion force_recovery_with_data_loss",
		needsBlobs:         "blobrange blobkey blobrestore",
		needsKnobs:         "setknob getknob clearknob",
		needsTracing:       "profile",
		useCheck:           "consistencycheck consistencyscan audit_storage get_audit_status",
		useExport:          "snapshot bulkload bulkdump",
		isDebugging:        "idempotencyids",
	} {
		for name := range strings.FieldsSeq(names) {
			all[name] = why
		}
	}
	return all
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
