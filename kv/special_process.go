package kv

import (
	"encoding/hex"

	"github.com/plinthdb/plinth/internal/wire"
)

// processName is the key of the one process.
const processName = "embedded"

// roleID is the id of the one log and of the one storage server of a store: that
// of the store itself.
func roleID(s *wire.StoreStatus) string { return hex.EncodeToString(s.ID[:]) }

// logsStatus is the one generation of logs.
func logsStatus(s *wire.StoreStatus) []object {
	return []object{{
		"current": true, "epoch": s.Generation, "possibly_losing_data": false,
		"log_replication_factor": 1, "log_write_anti_quorum": 0, "log_fault_tolerance": 0,
		"log_interfaces": []object{{"id": roleID(s), "address": s.Address, "healthy": true}},
	}}
}

// processStatus is the one process, with one of each role.
func processStatus(s *wire.StoreStatus) object {
	o := object{
		"address": s.Address, "class_type": "unset", "class_source": "command_line",
		"excluded": false, "degraded": false, "under_maintenance": false, "messages": []object{},
		"uptime_seconds": s.Process.UptimeSeconds,
	}
	setKnown(o, "version", s.Process.Version)
	memory := object{}
	setKnown(memory, "used_bytes", s.Process.VirtualBytes)
	setKnown(memory, "rss_bytes", s.Process.ResidentBytes)
	setKnown(memory, "unused_allocated_memory", s.Process.UnusedBytes)
	setKnown(memory, "limit_bytes", s.Process.LimitBytes)
	o["memory"] = memory
	if usage, ok := coresUsed(s); ok {
		o["cpu"] = object{"usage_cores": usage}
	}
	if s.Process.DiskTotalBytes > 0 {
		o["disk"] = object{"total_bytes": s.Process.DiskTotalBytes, "free_bytes": s.Process.DiskFreeBytes}
	}
	if s.Failure != "" {
		o["messages"] = []object{{"name": "process_error", "type": "StoreEnded", "description": s.Failure}}
		return o
	}
	o["roles"] = []object{
		{"role": "master"}, {"role": "resolver"}, {"role": "commit_proxy"}, {"role": "grv_proxy"}, logRole(s), storageRole(s),
	}
	return o
}

// setKnown sets a field, unless its value is the zero that stands for what
// nobody knows.
func setKnown[T comparable](o object, name string, value T) {
	var unknown T
	if value != unknown {
		o[name] = value
	}
}

// coresUsed is how many processors the process has used lately.
func coresUsed(s *wire.StoreStatus) (cores float64, ok bool) {
	if s.Work.CPUSeconds == 0 || s.EarlierSeconds <= 0 {
		return 0, false
	}
	return max(s.Work.CPUSeconds-s.Earlier.CPUSeconds, 0) / s.EarlierSeconds, true
}

func logRole(s *wire.StoreStatus) object {
	o := object{"role": "log", "id": roleID(s), "queue_disk_used_bytes": s.LogBytes, "data_version": s.CommittedVersion}
	setDisk(o, "queue_disk", s)
	return o
}

func storageRole(s *wire.StoreStatus) object {
	o := object{
		"role": "storage", "id": roleID(s), "kvstore_used_bytes": s.StorageBytes,
		"data_version": s.ReadableVersion, "durable_version": s.DurableVersion,
		"data_lag":         lagOf(s.CommittedVersion - s.ReadableVersion),
		"durability_lag":   lagOf(s.ReadableVersion - s.DurableVersion),
		"active_watches":   s.Watches,
		"finished_queries": counter(s, requests),
		"keys_queried":     counter(s, keysRead), "bytes_queried": counter(s, bytesRead),
		"mutations": counter(s, mutations), "mutation_bytes": counter(s, bytesWritten),
	}
	setDisk(o, "kvstore", s)
	return o
}

// setDisk sets what is known of the disk that both roles share.
func setDisk(o object, prefix string, s *wire.StoreStatus) {
	if s.Process.DiskTotalBytes > 0 {
		o[prefix+"_total_bytes"] = s.Process.DiskTotalBytes
		o[prefix+"_free_bytes"] = s.Process.DiskFreeBytes
		o[prefix+"_available_bytes"] = s.Process.DiskFreeBytes
	}
}
