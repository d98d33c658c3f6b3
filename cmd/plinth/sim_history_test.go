package main

import (
	"context"
	"io"
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

func TestTheHistoryOfAFailedRunIsWrittenInTheFormatOfItsName(t *testing.T) {
	h := history.History{Transactions: []history.Transaction{
		{End: 1, Ops: []history.Op{{Kind: history.Write, Key: "x", Value: "1"}}},
		{Begin: 2, End: 3, Ops: []history.Op{{Kind: history.Read, Key: "x", Absent: true}}},
	}}
	encoded, err := h.Encode()
	if err != nil {
		t.Fatal(err)
	}
	failed := failingCampaign{&host.Result{Report: &report.Report{History: encoded}}}
	for ending, want := range map[string]string{
		".txt": "T0: client 0, committed", ".html": "<html", ".edn": `[[:w "x" 1]]`, ".json": `"Transactions"`,
	} {
		file := filepath.Join(t.TempDir(), "h"+ending)
		if err := checkHistoryFile(file); err != nil {
			t.Error(err)
		}
		k := historian{campaigner: failed, file: file}
		k.Campaign(t.Context(), host.CampaignConfig{}, func(*host.Result, *host.Totals) {})
		if err := k.conclude(io.Discard); err != nil {
			t.Error(err)
		}
		if data, err := os.ReadFile(file); err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%s holds %q (%v), want %q in it", ending, data, err, want)
		}
	}
}

func TestAHistoryThatCannotBeWrittenIsAnError(t *testing.T) {
	if err := checkHistoryFile("x.pdf"); err == nil || !strings.Contains(err.Error(), ".html") {
		t.Errorf("a name without a format: %v", err)
	}
	h := history.History{Transactions: []history.Transaction{{End: 1, Ops: []history.Op{{Kind: history.Clear, Key: "x"}}}}}
	encoded, err := h.Encode()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "h.edn")
	k := historian{campaigner: failingCampaign{&host.Result{Report: &report.Report{History: encoded}}}, file: file}
	k.Campaign(t.Context(), host.CampaignConfig{}, func(*host.Result, *host.Totals) {})
	if err := k.conclude(io.Discard); err == nil || !strings.Contains(err.Error(), "Elle knows no clears") {
		t.Errorf("clears for Elle: %v", err)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("half a file was left: %v", err)
	}
	passed := historian{campaigner: failingCampaign{&host.Result{Report: &report.Report{}}}, file: file}
	passed.Campaign(t.Context(), host.CampaignConfig{}, func(*host.Result, *host.Totals) {})
	var said strings.Builder
	if err := passed.conclude(&said); err != nil || !strings.Contains(said.String(), "was not written") {
		t.Errorf("a run that passed: %q, %v", said.String(), err)
	}
}
