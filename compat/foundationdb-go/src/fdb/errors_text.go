package fdb

import "github.com/plinthdb/plinth/kv"

// errorText says what the error with this number means.
func errorText(code int) string {
	for _, e := range otherErrors() {
		if e.code == code {
			return e.name + ": " + e.text
		}
	}
	for _, e := range kvErrors() {
		if e.Code == code {
			return e.Name + ": " + e.Text
		}
	}
	return "unknown number"
}

// kvErrors returns the errors of which kv knows the text.
func kvErrors() []*kv.Error {
	return []*kv.Error{
		kv.ErrTransactionTooOld, kv.ErrFutureVersion, kv.ErrNotCommitted, kv.ErrCommitUnknownResult, kv.ErrCommitResultExpired,
		kv.ErrTransactionCancelled, kv.ErrTransactionTimedOut, kv.ErrTooManyWatches, kv.ErrWatchesDisabled,
		kv.ErrAccessedUnreadable, kv.ErrProcessBehind, kv.ErrDatabaseLocked, kv.ErrClusterVersionChanged,
		kv.ErrCommitProxyMemoryLimit, kv.ErrBatchThrottled, kv.ErrGRVProxyMemoryLimit, kv.ErrTagThrottled,
		kv.ErrIO, kv.ErrFileCorrupt, kv.ErrClientInvalidOperation, kv.ErrKeyOutsideLegalRange,
		kv.ErrInvertedRange, kv.ErrInvalidOptionValue, kv.ErrInvalidOption, kv.ErrReadVersionAlreadySet,
		kv.ErrVersionInvalid, kv.ErrRangeLimitsInvalid, kv.ErrUsedDuringCommit, kv.ErrInvalidMutationType,
		kv.ErrNoCommitVersion, kv.ErrTransactionReadOnly, kv.ErrMapperBadIndex, kv.ErrMapperBadRange,
		kv.ErrKeyNotTuple, kv.ErrValueNotTuple, kv.ErrMapperNotTuple, kv.ErrTransactionTooLarge, kv.ErrKeyTooLarge,
		kv.ErrValueTooLarge, kv.ErrUnsupportedOperation, kv.ErrTooManyTags, kv.ErrTagTooLong,
		kv.ErrSpecialCrossModuleRead, kv.ErrSpecialNoModule, kv.ErrSpecialWriteDisabled,
		kv.ErrSpecialNoWriteModule, kv.ErrSpecialCrossModule, kv.ErrSpecialAPIFailure,
		kv.ErrExactModeWithoutLimits, kv.ErrInternal, kv.ErrDatabaseClosed, kv.ErrDirectoryInUse,
		kv.ErrNewerFormat, kv.ErrDiskFull,
	}
}

type numberedText struct {
	code       int
	name, text string
}

// otherErrors returns the documented numbers that kv has no use for, and those
// of opening: their text has to say by itself what to do.
func otherErrors() []numberedText {
	return []numberedText{
		{0, "success", "no error"},
		{1000, "operation_failed", "the operation failed"},
		{1004, "timed_out", "the operation took too long"},
		{1040, "external_client_already_loaded", "the external client is loaded already"},
		{1079, "blob_granule_request_failed", "a request for blob granules failed; run the transaction again"},
		{1101, "operation_cancelled", "the future was cancelled"},
		{1102, "future_released", "the future was released"},
		{1223, "proxy_tag_throttled", "transactions with this tag are throttled; run it again later"},
		{1235, "transaction_throttled_hot_shard", "transactions on this shard are throttled; run it again later"},
		{1242, "transaction_rejected_range_locked", "the range is locked; run the transaction again later"},
		{1500, "platform_error", "the operating system failed"},
		{1501, "large_alloc_failed", "a large block of memory cannot be had"},
		{1502, "performance_counter_error", "the performance counter failed"},
		{1511, "file_not_found", "there is no such file"},
		{1512, "bind_failed", "the network address cannot be bound"},
		{1513, "file_not_readable", "the file cannot be read"},
		{1514, "file_not_writable", "the file cannot be written"},
		{1515, "no_cluster_file_found", "there is no cluster file; name one, or write plinth-embedded:DIR instead"},
		{1516, "file_too_large", "the file is too large"},
		{1520, "checksum_failed", "a checksum of data is wrong"},
		{2002, "commit_read_incomplete", "a read was not complete at the commit"},
		{2003, "test_specification_invalid", "the specification of a test is not valid"},
		{2008, "network_not_setup", "the network is not set up yet"},
		{2009, "network_already_setup", "the network is set up already"},
		{2013, "invalid_database_name", `the database's name must be "DB"`},
		{2014, "attribute_not_found", "a string lacks an attribute"},
		{2015, "future_not_set", "the future is not ready"},
		{2016, "future_not_error", "the future is no error"},
		{2020, "transaction_invalid_version", "the transaction has no commit version"},
		{2022, "environment_variable_network_option_failed", "a network option of the environment cannot be set"},
		{2024, "invalid_cache_eviction_policy", "only random and lru are policies of eviction"},
		{2025, "network_cannot_be_restarted", "the network was stopped; it cannot be started again"},
		{2026, "blocked_from_network_thread", "a callback waits for itself"},
		{2100, "incompatible_protocol_version", "client and servers speak different protocols"},
		{2104, "connection_string_invalid", "neither a connection string nor plinth-embedded:DIR, which opens a store in the directory DIR"},
		{2105, "address_in_use", "the local address is in use"},
		{2106, "invalid_local_address", "the local address is not valid"},
		{2107, "tls_error", "TLS failed"},
		{2108, "unsupported_operation", "Plinth does not do this; if a cluster file names servers, write plinth-embedded:DIR into it instead, to open a store in the directory DIR"},
		{2111, "too_many_tag_throttles", "there are too many throttles of tags"},
		{2130, "tenant_name_required", "the tenant must be named"},
		{2131, "tenant_not_found", "there is no such tenant"},
		{2132, "tenant_already_exists", "there is a tenant of this name already"},
		{2133, "tenant_not_empty", "the tenant is not empty"},
		{2134, "invalid_tenant_name", `a tenant's name must not begin with \xff`},
		{2135, "tenant_prefix_allocator_conflict", "there are keys already where the tenant's were to be"},
		{2136, "tenants_disabled", "Plinth has no tenants; give each part of the data a subspace or a directory of its own"},
		{2200, "api_version_unset", "no API version is selected; call fdb.APIVersion first"},
		{2201, "api_version_already_set", "another API version is selected already; a program can select one"},
		{2202, "api_version_invalid", "the API version is not valid"},
		{2203, "api_version_not_supported", "the API version is not supported; select one from 200 to 730"},
		{4000, "unknown_error", "unknown error"},
		{9002, "directory_in_use", "the directory of the store is in use: by another process, or it was removed while this one has it open"},
		{9005, "generation_ended", "the generation has ended; run the transaction again"},
		{9006, "stale_role", "the call was for a role that was replaced; run the transaction again"},
	}
}
