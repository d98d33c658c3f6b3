package main

import (
	"strings"
	"testing"

	"github.com/plinthdb/plinth/internal/bench"
)

// fabricated is a report of one round with the given transactions a second.
func fabricated(clients int, workloadName string, perSecond map[string]float64) *report {
	rep := newReport(&plan{rounds: 1, drivers: []string{subject, "pebble", "badger"}})
	for name, figure := range perSecond {
		rep.add(clients, workloadName, name, bench.Result{PerSecond: figure, Transactions: 100, Retries: 250, P50Micros: 29})
	}
	return rep
}

func TestFiguresAreMediansAndRatiosOfMedians(t *testing.T) {
	rep := fabricated(64, "write10", map[string]float64{subject: 100, "pebble": 400, "badger": 10})
	for _, figure := range []float64{300, 900} {
		rep.add(64, "write10", subject, bench.Result{PerSecond: figure})
	}
	c := rep.find(64, "write10", subject)
	if c.PerSecond != 300 || c.ToPebble != 0.75 || c.ToBadger != 30 {
		t.Errorf("median %g, of pebble %g, of badger %g", c.PerSecond, c.ToPebble, c.ToBadger)
	}
	rep.add(64, "write10", subject, bench.Result{PerSecond: 500})
	if c.PerSecond != 400 {
		t.Errorf("the median of four is %g, want 400", c.PerSecond)
	}
}

func TestGoalsAreJudgedOnlyWhereTheRunSaysSomething(t *testing.T) {
	for _, c := range []struct {
		clients   int
		workload  string
		perSecond map[string]float64
		yes, no   int
	}{
		{64, "write10", map[string]float64{subject: 46, "pebble": 100, "badger": 10}, 1, 1},
		{64, "write10", map[string]float64{subject: 50, "pebble": 100, "badger": 10}, 2, 0},
		{64, "write10", map[string]float64{subject: 40}, 0, 0},
		{64, "hot1", map[string]float64{subject: 40, "badger": 50}, 1, 1},
		{1, "write1", map[string]float64{subject: 60, "pebble": 100}, 0, 1},
		{1, "write1", map[string]float64{subject: 70, "pebble": 100}, 1, 0},
		{1, "write1", map[string]float64{subject: 70}, 0, 0},
		{64, "hot1", map[string]float64{subject: 40}, 1, 0},
		{1, "read1", map[string]float64{subject: 1}, 1, 0},
		{1, "hot1", map[string]float64{subject: 1}, 0, 0},
	} {
		var text strings.Builder
		fabricated(c.clients, c.workload, c.perSecond).writeGoals(&text)
		yes, no := strings.Count(text.String(), "| yes"), strings.Count(text.String(), "| no")
		if yes != c.yes || no != c.no {
			t.Errorf("%+v: %d reached, %d not:\n%s", c, yes, no, text.String())
		}
	}
}

func TestRotationKeepsAllAndMovesTheFirst(t *testing.T) {
	list := []string{"a", "b", "c"}
	for n, want := range []string{"abc", "bca", "cab", "abc"} {
		if got := strings.Join(rotated(list, n), ""); got != want {
			t.Errorf("rotated by %d: %s, want %s", n, got, want)
		}
	}
}
