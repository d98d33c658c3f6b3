package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// subject is the store that the goals are about.
const subject = "plinth"

// goal is a figure that Plinth is to reach within one run.
type goal struct {
	clients  int
	workload string
	what     string
	// figure takes it from the subject's cell; ok is false if the run lacks
	// what it is compared with.
	figure func(*cell) (value float64, ok bool)
	// Either the least or the most that it may be.
	least, most float64
}

// goals are those of docs/benchmarks.md.
func goals() []goal {
	toPebble := func(c *cell) (float64, bool) { return c.ToPebble, c.ToPebble > 0 }
	toBadger := func(c *cell) (float64, bool) { return c.ToBadger, c.ToBadger > 0 }
	slowness := func(c *cell) (float64, bool) { return 1 / c.ToPebble, c.ToPebble > 0 }
	retries := func(c *cell) (float64, bool) { return c.RetriesTransaction, true }
	latency := func(c *cell) (float64, bool) { return c.P50Micros, true }
	return []goal{
		{64, "read10", "of raw Pebble", toPebble, 0.5, 0},
		{64, "scan100", "of raw Pebble", toPebble, 0.5, 0},
		{64, "write10", "of raw Pebble", toPebble, 0.45, 0},
		{64, "mixed91", "of raw Pebble", toPebble, 0.45, 0},
		{64, "rmw1", "of raw Pebble", toPebble, 0.35, 0},
		{64, "write10", "times Badger", toBadger, 5, 0},
		{64, "mixed91", "times Badger", toBadger, 5, 0},
		{64, "rmw1", "times Badger", toBadger, 5, 0},
		{64, "hot1", "times Badger", toBadger, 1, 0},
		{64, "hot1", "retries per transaction", retries, 0, 3},
		{1, "write1", "times as long as raw Pebble's commit", slowness, 0, 1.5},
		{1, "read1", "µs of median latency", latency, 0, 30},
	}
}

// writeGoals prints the goals that this run can judge.
func (rep *report) writeGoals(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	begun := false
	for _, g := range goals() {
		c := rep.find(g.clients, g.workload, subject)
		if c == nil {
			continue
		}
		figure, ok := g.figure(c)
		if !ok {
			continue
		}
		if !begun {
			fmt.Fprintf(table, "\n| clients\t| workload\t| Plinth\t|\t| goal\t| reached\t|\n|%s\n", strings.Repeat("---\t|", 6))
			begun = true
		}
		bound, reached := g.judge(figure)
		fmt.Fprintf(table, "| %d\t| %s\t| %.2f\t| %s\t| %s\t| %s\t|\n", g.clients, g.workload, figure, g.what, bound, reached)
	}
	table.Flush()
}

// judge says what the bound is and whether the figure keeps it.
func (g goal) judge(figure float64) (bound, reached string) {
	bound, met := fmt.Sprintf("at least %g", g.least), figure >= g.least
	if g.least == 0 {
		bound, met = fmt.Sprintf("at most %g", g.most), figure <= g.most
	}
	if met {
		return bound, "yes"
	}
	return bound, "no"
}
