package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/internal/sim/history"
	"github.com/plinthdb/plinth/internal/sim/host"
	"github.com/plinthdb/plinth/internal/sim/report"
)

// failingCampaign ends with one result.
type failingCampaign struct{ result *host.Result }

func (f failingCampaign) Campaign(_ context.Context, _ host.CampaignConfig, each func(*host.Result, *host.Totals)) *host.Totals {
	each(f.result, &host.Totals{})
	return &host.Totals{}
}

// ranWith returns a campaign of one run that recorded these histories.
func ranWith(t *testing.T, outcome host.Outcome, histories map[string]history.History) failingCampaign {
	t.Helper()
	r := &host.Result{Outcome: outcome, Report: &report.Report{Histories: make(map[string]json.RawMessage)}}
	for workload, h := range histories {
		encoded, err := h.Encode()
		if err != nil {
			t.Fatal(err)
		}
		r.Report.Histories[workload] = encoded
	}
	return failingCampaign{r}
}

// record lets h see a campaign and returns what it says at the end.
func (h *historian) record(t *testing.T) (said string, err error) {
	t.Helper()
	var b strings.Builder
	h.Campaign(t.Context(), host.CampaignConfig{}, func(*host.Result, *host.Totals) {})
	err = h.conclude(&b)
	return b.String(), err
}

func stale() history.History {
	return history.History{Transactions: []history.Transaction{
		{End: 1, Ops: []history.Op{{Kind: history.Write, Key: "x", Value: "1"}}},
		{Begin: 2, End: 3, Ops: []history.Op{{Kind: history.Read, Key: "x", Absent: true}}},
	}}
}

func clearing() history.History {
	return history.History{Transactions: []history.Transaction{{End: 1, Ops: []history.Op{{Kind: history.Clear, Key: "x"}}}}}
}

func TestTheHistoryOfARunIsWrittenInTheFormatOfItsName(t *testing.T) {
	for _, outcome := range []host.Outcome{host.Passed, host.Violated, host.Hung} {
		ran := ranWith(t, outcome, map[string]history.History{"Registers": stale()})
		for ending, want := range map[string]string{
			".txt": "T0: client 0, committed", ".html": "<html", ".edn": `[[:w "x" 1]]`, ".json": `"Transactions"`,
		} {
			file := filepath.Join(t.TempDir(), "h"+ending)
			if err := checkHistoryFile(file); err != nil {
				t.Error(err)
			}
			k := historian{campaigner: ran, file: file}
			if said, err := k.record(t); err != nil || !strings.Contains(said, file) {
				t.Errorf("%v: %q, %v", outcome, said, err)
			}
			if data, err := os.ReadFile(file); err != nil || !strings.Contains(string(data), want) {
				t.Errorf("%v: %s holds %q (%v), want %q in it", outcome, file, data, err, want)
			}
		}
	}
}

func TestEachWorkloadThatRecordedGetsAFileOfItsOwn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "h.edn")
	k := historian{campaigner: ranWith(t, host.Passed, map[string]history.History{"A": stale(), "B": clearing()}), file: file}
	said, err := k.record(t)
	if err != nil || !strings.Contains(said, "h-A.edn") || !strings.Contains(said, "the history of B: ") {
		t.Errorf("%q, %v", said, err)
	}
	names, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*"))
	if err != nil || len(names) != 1 || filepath.Base(names[0]) != "h-A.edn" {
		t.Errorf("the files are %v (%v), want h-A.edn", names, err)
	}
}

func TestTheFirstFailedRunIsPreferredToThoseThatPassed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "h.txt")
	k := historian{file: file}
	for seed, outcome := range []host.Outcome{host.Passed, host.Violated, host.Passed, host.Violated} {
		ran := ranWith(t, outcome, map[string]history.History{"A": stale()})
		ran.result.Seed = uint64(seed)
		k.campaigner = ran
		k.Campaign(t.Context(), host.CampaignConfig{}, func(*host.Result, *host.Totals) {})
	}
	var said strings.Builder
	if err := k.conclude(&said); err != nil || !strings.Contains(said.String(), "in seed 1:") {
		t.Errorf("%q, %v", said.String(), err)
	}
}

func TestAHistoryThatCannotBeWrittenIsAnError(t *testing.T) {
	if err := checkHistoryFile("x.pdf"); err == nil || !strings.Contains(err.Error(), ".html") {
		t.Errorf("a name without a format: %v", err)
	}
	file := filepath.Join(t.TempDir(), "h.edn")
	k := historian{campaigner: ranWith(t, host.Violated, map[string]history.History{"A": clearing()}), file: file}
	if _, err := k.record(t); err == nil || !strings.Contains(err.Error(), "Elle knows none; write .txt or .json") {
		t.Errorf("clears for Elle: %v", err)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("half a file was left: %v", err)
	}
	k = historian{campaigner: ranWith(t, host.Passed, nil), file: file}
	if said, err := k.record(t); err != nil || !strings.Contains(said, "was not written") || !strings.Contains(said, "ListAppend") {
		t.Errorf("a run without a history: %q, %v", said, err)
	}
}
