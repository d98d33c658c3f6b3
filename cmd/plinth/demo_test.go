package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/cmd/plinth/internal/demo"
)

// actAsPlinth is the environment variable that makes the test binary plinth.
const actAsPlinth = "PLINTH_TEST_ACT_AS_PLINTH"

// The demo runs its own executable as the process to be killed. In a test that
// is the test binary, as it is for tests that kill a command.
func TestMain(m *testing.M) {
	if os.Getenv(actAsPlinth) != "" || len(os.Args) > 1 && os.Args[1] == demoChildCommand {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// smallSource is a tree of a few files.
func smallSource(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"one.go", "two.go"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("package "+name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestDemoShowsEveryCheckAndATable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	status, out, errOut := plinth(t, "demo", "--source", smallSource(t), "--seconds", "0.5", "--dir", dir, "--keep")
	if status != statusOK {
		t.Fatalf("exit status %d, errors %q, output %s", status, errOut, out)
	}
	for _, want := range []string{
		"1. Import a source tree", "5. Go on", "ok     every acknowledged transfer is there", "transfers before the kill", "Every check held.", "plinth shell --dir " + dir,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the output does not mention %q: %s", want, out)
		}
	}
	if strings.Contains(out, "\x1b") || strings.Contains(out, "FAILED") {
		t.Errorf("the output is not plain text, or a check failed: %s", out)
	}
	if status, out, errOut := plinth(t, "check", dir); status != statusOK {
		t.Errorf("check of the store that was kept: %d, %s, %s", status, out, errOut)
	}
}

func TestDemoAsJSONIsAReportAndLeavesNothingBehind(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	status, out, errOut := plinth(t, "demo", "--json", "--source", smallSource(t), "--seconds", "0.3", "--dir", dir)
	var r demo.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || status != statusOK {
		t.Fatalf("exit status %d, error %v, errors %q, output %s", status, err, errOut, out)
	}
	if !r.OK || len(r.Checks) < 10 || r.Import.Files != 2 || r.BeforeKill.Transfers == 0 {
		t.Errorf("report %+v", r)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the store is still there: %v", err)
	}
}

func TestDemoRefusesWhatItCannotWorkWith(t *testing.T) {
	full := smallSource(t)
	t.Setenv("TMPDIR", t.TempDir())
	for _, c := range []struct {
		args   []string
		text   string
		status int
	}{
		{[]string{"--dir", full}, "is not empty", statusFailed},
		{[]string{"--source", filepath.Join(full, "nothing")}, "source directory", statusFailed},
		{[]string{"--source", t.TempDir()}, "no file that can be imported", statusFailed},
		{[]string{"--seconds", "0"}, "--seconds", statusUsage},
		{[]string{"--seconds", "NaN"}, "--seconds", statusUsage},
	} {
		args := append([]string{"demo", "--source", full}, c.args...)
		if status, _, errOut := plinth(t, args...); status != c.status || !strings.Contains(errOut, c.text) {
			t.Errorf("plinth %v: exit status %d, errors %q", args, status, errOut)
		}
	}
	if names, err := os.ReadDir(os.TempDir()); err != nil || len(names) != 0 {
		t.Errorf("stores are left behind: %v (%v)", names, err)
	}
	if names, err := os.ReadDir(full); err != nil || len(names) != 2 {
		t.Errorf("a directory that was refused holds %v now (%v)", names, err)
	}
}
