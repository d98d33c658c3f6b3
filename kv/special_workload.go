package kv

import "github.com/plinthdb/plinth/internal/wire"

// figure is something that a store counts.
type figure func(*wire.Workload) uint64

// lately returns how much of f the rates of a status are about.
func lately(s *wire.StoreStatus, f figure) float64 {
	return max(float64(f(&s.Work))-float64(f(&s.Earlier)), 0)
}

// counter is a count in FoundationDB's form, with its rate over the last
// seconds. The roughness is missing: to know it, every operation would have to
// be timed.
func counter(s *wire.StoreStatus, f figure) object {
	o := object{"counter": f(&s.Work)}
	if s.EarlierSeconds > 0 {
		o["hz"] = lately(s, f) / s.EarlierSeconds
	}
	return o
}

func started(w *wire.Workload) uint64 {
	return w.StartedDefault + w.StartedBatch + w.StartedImmediate
}
func startedBatch(w *wire.Workload) uint64 { return w.StartedBatch }
func requests(w *wire.Workload) uint64     { return w.Requests }
func keysRead(w *wire.Workload) uint64     { return w.Reads + w.Rows }
func bytesRead(w *wire.Workload) uint64    { return w.ReadBytes }
func mutations(w *wire.Workload) uint64    { return w.Writes }
func bytesWritten(w *wire.Workload) uint64 { return w.WrittenBytes }

// workloadStatus is what was done.
func workloadStatus(s *wire.StoreStatus) object {
	of := func(f figure) object { return counter(s, f) }
	return object{
		"keys":       object{"read": of(keysRead)},
		"bytes":      object{"read": of(bytesRead), "written": of(bytesWritten)},
		"operations": object{"reads": of(requests), "writes": of(mutations)},
		"transactions": object{
			"started":                    of(started),
			"started_default_priority":   of(func(w *wire.Workload) uint64 { return w.StartedDefault }),
			"started_batch_priority":     of(startedBatch),
			"started_immediate_priority": of(func(w *wire.Workload) uint64 { return w.StartedImmediate }),
			"conflicted":                 of(func(w *wire.Workload) uint64 { return w.Conflicted }),
			"committed":                  of(func(w *wire.Workload) uint64 { return w.Resolved - w.Conflicted - w.TooOld }),
		},
	}
}

// cacheStatus is how often a block of the storage server's files was found in
// memory lately. ok is false if none was looked for.
func cacheStatus(s *wire.StoreStatus) (o object, ok bool) {
	hits := lately(s, func(w *wire.Workload) uint64 { return w.CacheHits })
	looks := hits + lately(s, func(w *wire.Workload) uint64 { return w.CacheMisses })
	if looks == 0 {
		return nil, false
	}
	return object{"storage_hit_rate": hits / looks}, true
}
