package scenario

import (
	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/sim/disk"
	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/internal/sim/world"
)

// Count puts what the disk and the fault sites counted into the report.
func Count(w *world.World, d *disk.Disk) {
	s := d.Stats()
	w.Count(func(r *report.Report) {
		r.DiskFaults += s.Injected
		r.LostBlocks += s.LostBlocks + s.TornBlocks
		r.Flips += s.Flips
		r.Syncs += s.Syncs
		r.BytesWritten += s.BytesWritten
		for _, site := range fault.Sites() {
			if r.FaultSites == nil {
				r.FaultSites = make(map[string]uint64)
			}
			r.FaultSites[site.Name] += site.Fired
		}
	})
}

// NewDisk returns the empty disk of a seed. It is as large as may be until the
// faults begin.
func NewDisk(w *world.World, swarm Swarm) *disk.Disk {
	config := swarm.Disk
	config.CapacityBytes = 0
	return disk.New(config, w.Rand("disk"), w.TraceLine)
}
