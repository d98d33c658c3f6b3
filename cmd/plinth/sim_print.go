package main

import (
	"encoding/json"
	"io"

	"github.com/plinthdb/plinth/internal/sim/host"
	"github.com/plinthdb/plinth/internal/sim/ledger"
	"github.com/plinthdb/plinth/internal/sim/report"
)

// simPrinter prints results for people, or as lines of JSON for scripts.
type simPrinter struct {
	out, progress io.Writer
	asJSON        bool
}

// simLine is one line for scripts; one of its fields is set.
type simLine struct {
	Run      *ledger.Run    `json:"run,omitempty"`
	Sitting  *simTotals     `json:"sitting,omitempty"`
	Campaign *ledger.Totals `json:"campaign,omitempty"`
}

// simTotals are those of one sitting.
type simTotals struct {
	Seeds          int           `json:"seeds"`
	Failed         int           `json:"failed"`
	VirtualSeconds float64       `json:"virtual_seconds"`
	WallSeconds    float64       `json:"wall_seconds"`
	Speed          host.Pace     `json:"speed"`
	Report         report.Report `json:"report"`
}

func (p simPrinter) line(l simLine) error { return json.NewEncoder(p.out).Encode(l) }

// run prints what became of one run. What a person needs to see why it failed
// does not go into the JSON.
func (p simPrinter) run(r *host.Result) error {
	if !p.asJSON {
		return r.Print(p.out)
	}
	if r.Outcome != host.Passed {
		if err := r.Print(p.progress); err != nil {
			return err
		}
	}
	run := ledger.NewRun(r)
	return p.line(simLine{Run: &run})
}

// sitting prints the totals of a sitting of count seeds, unless it is one.
func (p simPrinter) sitting(t *host.Totals, count uint64) error {
	switch {
	case p.asJSON:
		return p.line(simLine{Sitting: &simTotals{
			Seeds: t.Runs, Failed: t.Failed, VirtualSeconds: t.Virtual.Seconds(), WallSeconds: t.Wall.Seconds(), Speed: t.Pace, Report: t.Report,
		}})
	case count == 1:
		return nil
	}
	return t.Print(p.out)
}

// campaign prints the totals of a campaign.
func (p simPrinter) campaign(t *ledger.Totals) error {
	if p.asJSON {
		return p.line(simLine{Campaign: t})
	}
	return t.Print(p.out)
}
