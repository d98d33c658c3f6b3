package report

import (
	"encoding/json"
	"fmt"
)

// Report is the outcome of one run as the simulated program saw it.
type Report struct {
	// Violation is the invariant that did not hold; nil if all held.
	Violation *Violation `json:"violation,omitempty"`
	// Workloads names the workloads that ran.
	Workloads []string `json:"workloads,omitempty"`
	// Commits were acknowledged with a commit version, ReadOnly without one,
	// since they wrote nothing. Conflicts ended with not_committed (1020),
	// Aborted with another error that says that nothing was committed. Unknown
	// may or may not have been committed.
	Commits   uint64 `json:"commits"`
	ReadOnly  uint64 `json:"read_only"`
	Conflicts uint64 `json:"conflicts"`
	Aborted   uint64 `json:"aborted"`
	Unknown   uint64 `json:"unknown"`
	// Retries counts the runs of transactions that Transact ran again.
	Retries uint64 `json:"retries"`
	// Boots counts starts of processes, Kills and PowerLosses their ends.
	Boots       uint64 `json:"boots"`
	Kills       uint64 `json:"kills"`
	PowerLosses uint64 `json:"power_losses"`
	// DiskFaults counts operations that a disk failed on purpose, LostBlocks
	// the unsynced blocks that losses of power destroyed, Flips the bits that
	// went wrong, in a read or for good.
	DiskFaults uint64 `json:"disk_faults"`
	LostBlocks uint64 `json:"lost_blocks"`
	Flips      uint64 `json:"flips"`
	// LostDisks counts disks that were replaced by empty ones, Damaged those of
	// them whose store had found that it was damaged.
	LostDisks uint64 `json:"lost_disks"`
	Damaged   uint64 `json:"damaged"`
	// SlowDisks counts the times that a disk was slow, NetworkFaults the cuts,
	// clogs and resets of a network.
	SlowDisks     uint64 `json:"slow_disks"`
	NetworkFaults uint64 `json:"network_faults"`
	// Syncs and BytesWritten are the work of all disks.
	Syncs        uint64 `json:"syncs"`
	BytesWritten uint64 `json:"bytes_written"`
	// Histories maps each workload that records what its clients did and saw to
	// its last window, as internal/sim/history encodes it. If the violation is
	// one of theirs only that one is there.
	Histories map[string]json.RawMessage `json:"histories,omitempty"`
	// Undecided counts histories whose check by porcupine was given up.
	Undecided uint64 `json:"undecided"`
	// FaultSites maps each fault.Point site that was visited to how often it
	// fired.
	FaultSites map[string]uint64 `json:"fault_sites,omitempty"`
}

// Violation names an invariant that did not hold.
type Violation struct {
	// Source is the workload or other checker, Invariant its number there.
	Source    string `json:"source"`
	Invariant string `json:"invariant"`
	// Text says what was found.
	Text string `json:"text"`
}

// Error makes a violation an error.
func (v *Violation) Error() string {
	return fmt.Sprintf("%s: invariant %s violated: %s", v.Source, v.Invariant, v.Text)
}

// Add adds o's counts to r.
func (r *Report) Add(o *Report) {
	r.Commits += o.Commits
	r.ReadOnly += o.ReadOnly
	r.Conflicts += o.Conflicts
	r.Aborted += o.Aborted
	r.Unknown += o.Unknown
	r.Retries += o.Retries
	r.Boots += o.Boots
	r.Kills += o.Kills
	r.PowerLosses += o.PowerLosses
	r.DiskFaults += o.DiskFaults
	r.LostBlocks += o.LostBlocks
	r.Flips += o.Flips
	r.LostDisks += o.LostDisks
	r.Damaged += o.Damaged
	r.SlowDisks += o.SlowDisks
	r.NetworkFaults += o.NetworkFaults
	r.Syncs += o.Syncs
	r.BytesWritten += o.BytesWritten
	r.Undecided += o.Undecided
	for name, fired := range o.FaultSites {
		if r.FaultSites == nil {
			r.FaultSites = make(map[string]uint64)
		}
		r.FaultSites[name] += fired
	}
}

// Encode returns r in the form that Decode reads.
func (r *Report) Encode() ([]byte, error) { return json.Marshal(r) }

// Decode reads what Encode returned.
func Decode(data []byte) (*Report, error) {
	r := new(Report)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("report of a simulated run: %w", err)
	}
	return r, nil
}
