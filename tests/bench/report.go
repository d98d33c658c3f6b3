package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/plinthdb/plinth/internal/bench"
)

// report holds all figures of a run. Its JSON form is for machines.
type report struct {
	Machine  bench.Machine     `json:"machine"`
	Fsync    *bench.FsyncTimes `json:"fsync"`
	Settings bench.Settings    `json:"settings"`
	Rounds   int               `json:"rounds"`
	Drivers  map[string]string `json:"drivers"` // name → how it is set up
	Cells    []*cell           `json:"results"`

	order []string // drivers as they stand in the table
}

// cell is one workload on one store with one number of clients.
type cell struct {
	Clients  int    `json:"clients"`
	Workload string `json:"workload"`
	Driver   string `json:"driver"`
	// Medians over the rounds.
	PerSecond          float64 `json:"perSecond"`
	RetriesTransaction float64 `json:"retriesPerTransaction"`
	P50Micros          float64 `json:"p50Micros"`
	P99Micros          float64 `json:"p99Micros"`
	// Greatest over the rounds.
	MaxRSSBytes  uint64 `json:"maxRSSBytes"`
	MaxHeapBytes uint64 `json:"maxHeapBytes"`
	// Ratios of PerSecond, where the other store was part of the run.
	ToPebble float64 `json:"ratioToPebble,omitempty"`
	ToBadger float64 `json:"ratioToBadger,omitempty"`

	Rounds []bench.Result `json:"rounds"`
}

func newReport(p *plan) *report {
	rep := &report{Machine: bench.ThisMachine(), Fsync: &bench.FsyncTimes{}, Settings: p.settings, Rounds: p.rounds, Drivers: map[string]string{}, order: p.drivers}
	for _, d := range drivers() {
		if slices.Contains(p.drivers, d.Name) {
			rep.Drivers[d.Name] = d.About
		}
	}
	return rep
}

// add takes the result of one round.
func (rep *report) add(clients int, workloadName, driverName string, r bench.Result) {
	c := rep.find(clients, workloadName, driverName)
	if c == nil {
		c = &cell{Clients: clients, Workload: workloadName, Driver: driverName}
		rep.Cells = append(rep.Cells, c)
	}
	c.Rounds = append(c.Rounds, r)
	c.PerSecond = medianOf(c.Rounds, func(r *bench.Result) float64 { return r.PerSecond })
	c.RetriesTransaction = medianOf(c.Rounds, (*bench.Result).RetriesEach)
	c.P50Micros = medianOf(c.Rounds, func(r *bench.Result) float64 { return r.P50Micros })
	c.P99Micros = medianOf(c.Rounds, func(r *bench.Result) float64 { return r.P99Micros })
	c.MaxRSSBytes = max(c.MaxRSSBytes, r.Memory.MaxRSSBytes)
	c.MaxHeapBytes = max(c.MaxHeapBytes, r.Memory.MaxHeapBytes)
	rep.relate(clients, workloadName)
}

// relate brings the ratios of one workload up to date.
func (rep *report) relate(clients int, workloadName string) {
	ratio := func(c *cell, to string) float64 {
		other := rep.find(clients, workloadName, to)
		if other == nil || other.PerSecond == 0 {
			return 0
		}
		return c.PerSecond / other.PerSecond
	}
	for _, c := range rep.Cells {
		if c.Clients == clients && c.Workload == workloadName {
			c.ToPebble, c.ToBadger = ratio(c, "pebble"), ratio(c, "badger")
		}
	}
}

func (rep *report) find(clients int, workloadName, driverName string) *cell {
	for _, c := range rep.Cells {
		if c.Clients == clients && c.Workload == workloadName && c.Driver == driverName {
			return c
		}
	}
	return nil
}

func medianOf(rounds []bench.Result, figure func(*bench.Result) float64) float64 {
	var all []float64
	for i := range rounds {
		all = append(all, figure(&rounds[i]))
	}
	slices.Sort(all)
	middle := len(all) / 2
	if len(all)%2 == 0 {
		return (all[middle-1] + all[middle]) / 2
	}
	return all[middle]
}

// write prints the report as Markdown.
func (rep *report) write(w io.Writer) {
	fmt.Fprintf(w, "\n%s\n\n", rep.Machine)
	fmt.Fprintf(w, "fsync after a write of 4 KiB on the disk of the stores: %s.\n\n", rep.Fsync)
	fmt.Fprintf(w, "%d records of %d + %d bytes, %d MiB of cache each, %g s measured after %g s of warm-up, medians of %d rounds.\n",
		rep.Settings.Records, bench.KeyBytes, bench.ValueBytes, rep.Settings.CacheBytes>>20, rep.Settings.Seconds, rep.Settings.WarmUpSeconds, rep.Rounds)
	for _, name := range rep.order {
		fmt.Fprintf(w, "- %s: %s.\n", name, rep.Drivers[name])
	}
	table := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	header := []string{"clients", "workload", "store", "tx/s", "of pebble", "of badger", "retries/tx", "p50 µs", "p99 µs", "max RSS MiB", "max heap MiB"}
	fmt.Fprintf(table, "\n| %s\t|\n|%s\n", strings.Join(header, "\t| "), strings.Repeat("---\t|", len(header)))
	for _, c := range rep.sorted() {
		fmt.Fprintf(table, "| %d\t| %s\t| %s\t| %.0f\t| %s\t| %s\t| %.2f\t| %s\t| %s\t| %d\t| %d\t|\n",
			c.Clients, c.Workload, c.Driver, c.PerSecond, ratioText(c.ToPebble), ratioText(c.ToBadger), c.RetriesTransaction,
			microsText(c.P50Micros), microsText(c.P99Micros), c.MaxRSSBytes>>20, c.MaxHeapBytes>>20)
	}
	table.Flush()
	rep.writeGoals(w)
}

// sorted returns the cells in the order of clients, workloads and drivers.
func (rep *report) sorted() []*cell {
	workloads := append([]string{bench.LoadName}, bench.WorkloadNames()...)
	place := func(c *cell) int {
		return (c.Clients*len(workloads)+slices.Index(workloads, c.Workload))*len(rep.order) + slices.Index(rep.order, c.Driver)
	}
	return slices.SortedFunc(slices.Values(rep.Cells), func(a, b *cell) int { return place(a) - place(b) })
}

func ratioText(ratio float64) string {
	if ratio == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", ratio)
}

func microsText(micros float64) string {
	if micros == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f", micros)
}
