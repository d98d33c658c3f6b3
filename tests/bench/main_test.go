package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/internal/bench"
)

// TestMain lets the test binary be the worker process that the benchmark
// starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == workerArgument {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestWholeRunReportsEveryStoreAndLeavesNothingBehind(t *testing.T) {
	dir, jsonPath := t.TempDir(), filepath.Join(t.TempDir(), "out.json")
	var out, progress strings.Builder
	args := []string{"--workloads", "read10,hot1", "--clients", "1,3", "--seconds", "0.02", "--warmup", "0", "--rounds", "2", "--records", "300", "--dir", dir, "--json", jsonPath}
	if err := run(t.Context(), args, strings.NewReader(""), &out, &progress); err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	content, err := os.ReadFile(jsonPath)
	if err != nil {
		t.Fatal(err)
	}
	var rep report
	if err := json.Unmarshal(content, &rep); err != nil {
		t.Fatal(err)
	}
	for _, clients := range []int{1, 3} {
		for _, d := range drivers() {
			for _, name := range []string{bench.LoadName, "read10", "hot1"} {
				c := rep.find(clients, name, d.Name)
				switch {
				case name == "hot1" && !d.Isolated:
					if c != nil {
						t.Errorf("%s ran hot1, which it cannot", d.Name)
					}
				case c == nil || len(c.Rounds) != 2:
					t.Errorf("%d clients, %s on %s: %+v, want two rounds", clients, name, d.Name, c)
				case !strings.Contains(out.String(), d.Name):
					t.Errorf("the table lacks %s:\n%s", d.Name, out.String())
				}
			}
		}
	}
	if rep.Fsync.MedianMicros <= 0 || rep.Machine.CPUs < 1 {
		t.Errorf("machine %+v with fsync %+v", rep.Machine, rep.Fsync)
	}
}

func TestFailureOfAWorkerIsReportedAndCleanedUp(t *testing.T) {
	dir := t.TempDir()
	// A profile cannot be written into a directory that is a file.
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := &plan{drivers: []string{"bbolt"}, workloads: []string{"read1"}, clients: []int{1}, rounds: 1, dir: dir,
		settings: bench.Settings{Records: bench.MinRecords, CacheBytes: 1 << 20, Seconds: 0.01}}
	rep := newReport(p)
	r := &roundRun{plan: p, report: rep, progress: io.Discard, clients: 1}
	r.profileDir = file
	err := r.run(t.Context(), dir)
	if err == nil || !strings.Contains(err.Error(), "bbolt") {
		t.Errorf("error %v does not name the store", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestFlagsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, args := range []string{
		"--drivers nonsense", "--workloads load", "--clients 0", "--clients x", "--rounds 0", "--seconds 0",
		"--records 10", "--cache 5", "superfluous", "--nonsense", "--warmup -1",
	} {
		if _, _, err := parseFlags(strings.Fields(args), io.Discard); err == nil {
			t.Errorf("%s: accepted", args)
		}
	}
	p, _, err := parseFlags(nil, io.Discard)
	if err != nil || len(p.drivers) != len(drivers()) || p.settings.Records != 200_000 || p.rounds != 3 {
		t.Errorf("defaults: %+v, %v", p, err)
	}
}
