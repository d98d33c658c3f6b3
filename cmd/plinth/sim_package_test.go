package main

import (
	"slices"
	"strings"
	"testing"
)

func TestSimTakesArgumentsForTheTestsOfAPackageOnly(t *testing.T) {
	var f simFlags
	cmd := newSimCommandOn(&f)
	if err := cmd.ParseFlags([]string{"--package", "./bank", "--", "-two-steps", "x"}); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Args(cmd, cmd.Flags().Args()); err != nil || !slices.Equal(f.testArgs, []string{"-two-steps", "x"}) {
		t.Errorf("arguments %q (%v)", f.testArgs, err)
	}
	for _, args := range [][]string{
		{"--package", "./bank", "./other"}, {"--", "-two-steps"}, {"./bank"}, {"--run", "TestX"}, {"--tags", "x"},
		{"--package", "./bank", "--workload", "Cycle"}, {"--package", "./bank", "--bugs", "all"}, {"--package", "./bank", "--resume"},
		{"--package", "./bank", "--trace"},
	} {
		if status, _, errOut := plinth(t, append([]string{"sim"}, args...)...); status != statusUsage {
			t.Errorf("plinth sim %q: exit status %d, %q", args, status, errOut)
		}
	}
}

func TestSimSaysWhatIsWrongWithAPackage(t *testing.T) {
	if status, _, errOut := plinth(t, "sim", "--package", "./nowhere", "--cache", t.TempDir()); status == statusOK || !strings.Contains(errOut, "nowhere") {
		t.Errorf("exit status %d, %q", status, errOut)
	}
}

func TestReplayCommandsAreThoseThatTheUserCanType(t *testing.T) {
	for name, want := range map[string]string{
		"plinth": "plinth sim", "/usr/bin/plinth": "plinth sim",
		"/tmp/go-build123/b001/exe/plinth":       "go run github.com/plinthdb/plinth/cmd/plinth sim",
		"/home/u/.cache/go-build/aa/bb-d/plinth": "go run github.com/plinthdb/plinth/cmd/plinth sim",
	} {
		if got := simCommand(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	f := simFlags{pkg: "./bank", tags: "slow"}
	if got := f.packageFlags("^TestX$"); !slices.Equal(got, []string{"--package", "./bank", "--run", "^TestX$", "--tags", "slow"}) {
		t.Errorf("flags %q", got)
	}
}
