package kv_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/tests/tables"
)

// Every option, call, type and error of the client and its layers is in a table,
// with a test that exists and uses it, unless the table says that something is
// not there.
func TestTheTablesOfTheClientAreTrueAndComplete(t *testing.T) {
	document := must(os.ReadFile("../docs/client-options.md"))(t)
	code := tables.Code{
		Packages: map[string]tables.Exports{},
		// What a store implements, and what options, tracers and statistics are
		// made of: programs name them in signatures at most.
		Excused: map[string][]string{"kv": {
			"Backend", "Backend.*", "Locator", "Locator.*", "StatusBackend", "StatusBackend.*",
			"DatabaseOption", "TransactionOption", "Tracer", "Tracer.*", "Span", "Span.*",
			"Latencies",
		}, "directory": {"LayerOption", "Allocator"}, "embedded": {"Option"}},
		Tests: must(tables.TestsOf(".", "../cluster", "../storage", "../txn", "../internal/wire"))(t),
	}
	for name, dir := range map[string]string{
		"kv": ".", "tuple": "tuple", "subspace": "subspace", "directory": "directory", "embedded": "embedded",
	} {
		code.Packages[name] = must(tables.ExportsOf(dir))(t)
	}
	for _, problem := range tables.Check(string(document), code) {
		t.Error(problem)
	}
}

// optionsOf73 are the names of all options of FoundationDB 7.3, hidden ones too.
func optionsOf73() map[string]string {
	return map[string]string{
		"Options of the network": `
			local_address cluster_file trace_enable trace_roll_size trace_max_logs_size trace_log_group trace_format
			trace_clock_source trace_file_identifier trace_share_among_client_threads trace_initialize_on_setup
			trace_partial_file_suffix knob TLS_plugin TLS_cert_bytes TLS_cert_path TLS_key_bytes TLS_key_path
			TLS_verify_peers Buggify_enable Buggify_disable Buggify_section_activated_probability
			Buggify_section_fired_probability TLS_ca_bytes TLS_ca_path TLS_password disable_multi_version_client_api
			callbacks_on_external_threads external_client_library external_client_directory disable_local_client
			client_threads_per_version future_version_client_library retain_client_library_copies
			ignore_external_client_failures fail_incompatible_client disable_client_statistics_logging
			enable_slow_task_profiling enable_run_loop_profiling disable_client_bypass client_buggify_enable
			client_buggify_disable client_buggify_section_activated_probability client_buggify_section_fired_probability
			distributed_client_tracer client_tmp_dir supported_client_versions external_client
			external_client_transport_id`,
		"Options of the database": `
			location_cache_size max_watches machine_id datacenter_id snapshot_ryw_enable snapshot_ryw_disable
			transaction_logging_max_field_length transaction_timeout transaction_retry_limit transaction_max_retry_delay
			transaction_size_limit transaction_causal_read_risky transaction_include_port_in_address
			transaction_automatic_idempotency transaction_bypass_unreadable
			transaction_used_during_commit_protection_disable transaction_report_conflicting_keys use_config_database
			test_causal_read_risky`,
		"Options of a transaction": `
			causal_write_risky causal_read_risky causal_read_disable include_port_in_address
			next_write_no_write_conflict_range commit_on_first_proxy check_writes_enable read_your_writes_disable
			read_ahead_disable read_server_side_cache_enable read_server_side_cache_disable read_priority_normal
			read_priority_low read_priority_high durability_datacenter durability_risky durability_dev_null_is_web_scale
			priority_system_immediate priority_batch initialize_new_database access_system_keys read_system_keys
			raw_access bypass_storage_quota debug_dump debug_retry_logging transaction_logging_enable
			debug_transaction_identifier log_transaction transaction_logging_max_field_length server_request_tracing
			timeout retry_limit max_retry_delay size_limit idempotency_id automatic_idempotency snapshot_ryw_enable
			snapshot_ryw_disable lock_aware used_during_commit_protection_disable read_lock_aware first_in_batch
			use_provisional_proxies report_conflicting_keys special_key_space_relaxed special_key_space_enable_writes tag
			auto_throttle_tag span_parent expensive_clear_cost_estimation_enable bypass_unreadable use_grv_cache
			skip_grv_cache authorization_token`,
	}
}

// Every option of FoundationDB has a row in the section of its kind, and what
// has a row is one.
func TestEveryOptionOfFoundationDBHasARow(t *testing.T) {
	document := string(must(os.ReadFile("../docs/client-options.md"))(t))
	name := regexp.MustCompile(`^\w+$`)
	for title, list := range optionsOf73() {
		_, section, found := strings.Cut(document, "\n## "+title+"\n")
		if !found {
			t.Fatalf("there is no section %q", title)
		}
		section, _, _ = strings.Cut(section, "\n## ")
		missing := map[string]bool{}
		for _, option := range strings.Fields(list) {
			missing[option] = true
		}
		known := maps.Clone(missing)
		for line := range strings.Lines(section) {
			if !strings.HasPrefix(line, "| ") {
				continue
			}
			first, _, _ := strings.Cut(line[2:], " |")
			for _, option := range strings.Split(first, ", ") {
				delete(missing, option)
				if name.MatchString(option) && !known[option] && !slices.Contains([]string{"FoundationDB", "none", "set_option"}, option) {
					t.Errorf("%s: FoundationDB has no option %s", title, option)
				}
			}
		}
		for option := range missing {
			t.Errorf("%s: %s has no row", title, option)
		}
	}
}
