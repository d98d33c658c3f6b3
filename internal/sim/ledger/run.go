package ledger

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plinthdb/plinth/internal/sim/host"
	"github.com/plinthdb/plinth/internal/sim/report"
)

// Run is what is kept of one run.
type Run struct {
	Seed uint64   `json:"seed"`
	Args []string `json:"args,omitempty"`
	// Outcome is host.Outcome in words.
	Outcome string `json:"outcome"`
	// Error says what went wrong, Replay how to see it again; both are empty if
	// the run passed.
	Error  string `json:"error,omitempty"`
	Replay string `json:"replay,omitempty"`
	// Trace is the hash of the trace, Lines its length.
	Trace string `json:"trace"`
	Lines uint64 `json:"lines"`
	// VirtualSeconds were simulated in WallSeconds.
	VirtualSeconds float64 `json:"virtual_seconds"`
	WallSeconds    float64 `json:"wall_seconds"`
	// StartSeconds are those of them before the first line of trace.
	StartSeconds float64 `json:"start_seconds,omitempty"`
	// Again is host.Result's.
	Again  string         `json:"again,omitempty"`
	Report *report.Report `json:"report,omitempty"`
}

// NewRun returns what is kept of a result.
func NewRun(r *host.Result) Run {
	run := Run{
		Seed: r.Seed, Args: r.Args, Outcome: r.Outcome.String(), Trace: r.Hash, Lines: r.Lines,
		VirtualSeconds: r.Virtual.Seconds(), WallSeconds: r.Wall.Seconds(), StartSeconds: r.Start.Seconds(),
		Again: r.Again, Report: r.Report,
	}
	if run.Report != nil && len(run.Report.Histories) > 0 {
		// A history is large, and a replay has it again.
		kept := *run.Report
		kept.Histories, run.Report = nil, &kept
	}
	if r.Outcome != host.Passed {
		run.Error, run.Replay = r.Err.Error(), r.Replay()
	}
	return run
}

// Failed reports whether the run did not pass.
func (r *Run) Failed() bool { return r.Outcome != host.Passed.String() }

// id is what makes two runs the same one.
func (r *Run) id() string { return runID(r.Seed, r.Args) }

func runID(seed uint64, args []string) string {
	return strconv.FormatUint(seed, 10) + "\x00" + strings.Join(args, "\x00")
}

// Sitting is one call of plinth sim.
type Sitting struct {
	// First is the first of Count seeds.
	First uint64 `json:"first"`
	Count uint64 `json:"count"`
	// Args are the arguments of the simulated program.
	Args []string `json:"args,omitempty"`
	// Began is when, by RFC 3339.
	Began string `json:"began"`
}

// Totals adds up a campaign.
type Totals struct {
	Key
	Sittings int `json:"sittings"`
	Seeds    int `json:"seeds"`
	// Restricted is how many of the seeds ran with arguments of the simulated
	// program, such as --workload, and so were not the whole run.
	Restricted     int           `json:"restricted"`
	VirtualSeconds float64       `json:"virtual_seconds"`
	WallSeconds    float64       `json:"wall_seconds"`
	Speed          host.Pace     `json:"speed"`
	Report         report.Report `json:"report"`
	// Failures are the runs that did not pass.
	Failures []Run `json:"failures"`
}

func (t *Totals) add(r *Run) {
	t.Seeds++
	if len(r.Args) > 0 {
		t.Restricted++
	}
	t.VirtualSeconds += r.VirtualSeconds
	t.WallSeconds += r.WallSeconds
	t.Speed.Add(seconds(r.VirtualSeconds), seconds(r.WallSeconds), seconds(r.StartSeconds))
	if r.Report != nil {
		t.Report.Add(r.Report)
	}
	if r.Failed() {
		t.Failures = append(t.Failures, *r)
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// sortFailures orders failures by seed.
func (t *Totals) sortFailures() {
	slices.SortFunc(t.Failures, func(a, b Run) int {
		switch {
		case a.Seed < b.Seed:
			return -1
		case a.Seed > b.Seed:
			return 1
		}
		return strings.Compare(a.id(), b.id())
	})
}
