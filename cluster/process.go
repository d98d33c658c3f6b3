package cluster

import (
	"math"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/plinthdb/plinth/internal/usage"
	"github.com/plinthdb/plinth/internal/wire"
)

// modulePath is that of the module which this package belongs to.
const modulePath = "github.com/plinthdb/plinth"

// process describes this process and the file system of the data. What cannot
// be found out here is zero.
func (l *Local) process(now time.Time) wire.ProcessStatus {
	s := wire.ProcessStatus{Version: moduleVersion(), UptimeSeconds: now.Sub(l.openedAt).Seconds(), UnusedBytes: unusedBytes()}
	s.VirtualBytes, s.ResidentBytes = usage.MemoryBytes()
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		s.LimitBytes = limit
	}
	if disk, err := l.config.FS.GetDiskUsage(l.config.Dir); err == nil {
		s.DiskTotalBytes, s.DiskFreeBytes = int64(disk.TotalBytes), int64(disk.AvailBytes)
	}
	return s
}

// moduleVersion returns the version of Plinth in this program, "(devel)" if it
// was built from a work tree, and nothing if the program does not know.
func moduleVersion() string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	if build.Main.Path == modulePath {
		return build.Main.Version
	}
	for _, dependency := range build.Deps {
		if dependency.Path != modulePath {
			continue
		}
		if dependency.Replace != nil {
			dependency = dependency.Replace
		}
		return dependency.Version
	}
	return ""
}

// unusedBytes is the memory that Go's runtime has got from the system and has
// neither given out nor given back.
func unusedBytes() (sum int64) {
	samples := []metrics.Sample{{Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
	metrics.Read(samples)
	for _, s := range samples {
		if s.Value.Kind() == metrics.KindUint64 {
			sum += int64(s.Value.Uint64())
		}
	}
	return sum
}
