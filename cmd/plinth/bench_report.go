package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/plinthdb/plinth/internal/bench"
)

// benchReport holds the figures of a run of the command bench.
type benchReport struct {
	Machine     bench.Machine `json:"machine"`
	Fsync       benchFsync    `json:"fsync"`
	Records     int           `json:"records"`
	CacheBytes  int64         `json:"cache_bytes"`
	Interrupted bool          `json:"interrupted"`
	Results     []benchResult `json:"results"`

	settings bench.Settings
	fsync    bench.FsyncTimes
}

// benchFsync is how long appending 4 KiB to a file and its fsync took.
type benchFsync struct {
	MedianMicros float64 `json:"median_micros"`
	P99Micros    float64 `json:"p99_micros"`
}

// benchResult is one workload with one number of clients.
type benchResult struct {
	Workload           string  `json:"workload"`
	Clients            int     `json:"clients"`
	Seconds            float64 `json:"seconds"`
	Transactions       uint64  `json:"transactions"`
	PerSecond          float64 `json:"transactions_per_second"`
	RetriesTransaction float64 `json:"retries_per_transaction"`
	P50Micros          float64 `json:"p50_micros,omitempty"`
	P99Micros          float64 `json:"p99_micros,omitempty"`
	// Fsyncs is P50Micros as a multiple of the median fsync, for workloads that
	// wait for the disk.
	Fsyncs       float64 `json:"fsyncs,omitempty"`
	MaxRSSBytes  uint64  `json:"max_rss_bytes"`
	MaxHeapBytes uint64  `json:"max_heap_bytes"`
	// CheckedCommits is how many commits a check found in the store.
	CheckedCommits uint64 `json:"checked_commits,omitempty"`

	writes bool
}

func newBenchReport(s bench.Settings) *benchReport {
	return &benchReport{Machine: bench.ThisMachine(), Records: s.Records, CacheBytes: s.CacheBytes, settings: s}
}

// measureFsync adds to the times of fsync on the disk of dir.
func (r *benchReport) measureFsync(dir string) error {
	err := r.fsync.Measure(dir)
	r.Fsync = benchFsync{r.fsync.MedianMicros, r.fsync.P99Micros}
	return err
}

func (r *benchReport) add(clients int, w bench.Workload, m bench.Result) {
	r.Results = append(r.Results, benchResult{
		Workload: w.Name, Clients: clients, Seconds: m.Seconds,
		Transactions: m.Transactions, PerSecond: m.PerSecond, RetriesTransaction: m.RetriesEach(),
		P50Micros: m.P50Micros, P99Micros: m.P99Micros,
		MaxRSSBytes: m.Memory.MaxRSSBytes, MaxHeapBytes: m.Memory.MaxHeapBytes,
		CheckedCommits: m.Checked, writes: w.Writes,
	})
}

// show prints the report. The multiples of fsync are computed here since its
// median is known only at the end.
func (r *benchReport) show(out io.Writer, asJSON bool) error {
	for i := range r.Results {
		if c := &r.Results[i]; c.writes && r.Fsync.MedianMicros > 0 {
			c.Fsyncs = c.P50Micros / r.Fsync.MedianMicros
		}
	}
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	w := &writer{out: out}
	w.line("%s", r.Machine)
	w.line("Appending 4 KiB to a file and its fsync, on the disk of the store: %s.", &r.fsync)
	w.line("%d records of %d + %d bytes, %s of cache, %g s measured after %g s of warm-up.\n",
		r.Records, bench.KeyBytes, bench.ValueBytes, formatBytes(r.CacheBytes), r.settings.Seconds, r.settings.WarmUpSeconds)
	if w.err == nil {
		w.err = r.table(out)
	}
	r.conclude(w)
	return w.err
}

// table prints a line per result.
func (r *benchReport) table(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "workload\tclients\ttx/s\tretries/tx\tp50\tp99\tfsyncs\tmax memory\tmax heap\t\n")
	for _, c := range r.Results {
		fsyncs := "-"
		if c.Fsyncs > 0 {
			fsyncs = fmt.Sprintf("%.1f", c.Fsyncs)
		}
		fmt.Fprintf(t, "%s\t%d\t%.0f\t%.2f\t%s\t%s\t%s\t%s\t%s\t\n", c.Workload, c.Clients, c.PerSecond, c.RetriesTransaction,
			benchTime(c.P50Micros), benchTime(c.P99Micros), fsyncs, formatBytes(int64(c.MaxRSSBytes)), formatBytes(int64(c.MaxHeapBytes)))
	}
	return t.Flush()
}

// conclude says in words what the table shows of durable writes, and which
// checks held.
func (r *benchReport) conclude(w *writer) {
	w.line("")
	for _, c := range r.Results {
		if c.Workload == "write1" && c.Clients == 1 && c.Fsyncs > 0 {
			w.line("A durable write of one client takes %.1f fsyncs: %s, where the fsync of a file that grows takes %s.",
				c.Fsyncs, benchTime(c.P50Micros), benchTime(r.Fsync.MedianMicros))
		}
	}
	for _, c := range r.Results {
		if c.CheckedCommits > 0 {
			w.line("%s with %s: the final value equals the %d commits.", c.Workload, quantity(int64(c.Clients), "client"), c.CheckedCommits)
		}
	}
	if r.Interrupted {
		w.line("The run was interrupted: the last workload may have been measured for less time than asked for.")
	}
}

// benchTime prints a latency, "-" for none.
func benchTime(micros float64) string {
	d := time.Duration(micros * float64(time.Microsecond))
	switch {
	case d == 0:
		return "-"
	case d < 10*time.Microsecond:
		return d.Round(100 * time.Nanosecond).String()
	case d < 10*time.Millisecond:
		return d.Round(time.Microsecond).String()
	}
	return d.Round(time.Millisecond / 10).String()
}
