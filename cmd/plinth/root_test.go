package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// plinth runs the binary's command line and returns exit status and output.
func plinth(t *testing.T, args ...string) (status int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	status = run(t.Context(), args, strings.NewReader(""), &o, &e)
	return status, o.String(), e.String()
}

func TestWrongUsageExitsWithTwoAndNamesTheHelp(t *testing.T) {
	for _, args := range [][]string{
		{"nonsense"},
		{"version", "superfluous"},
		{"version", "--nonsense"},
		{"--log-level", "loud", "version"},
		{"--log-format", "xml", "version"},
	} {
		status, out, errOut := plinth(t, args...)
		if status != statusUsage {
			t.Errorf("plinth %v: exit status %d, want %d", args, status, statusUsage)
		}
		if out != "" || !strings.Contains(errOut, "--help' for usage") {
			t.Errorf("plinth %v: printed %q and, as errors, %q", args, out, errOut)
		}
	}
}

func TestHelpAndNoCommandShowExamples(t *testing.T) {
	for _, args := range [][]string{nil, {"--help"}, {"help"}, {"version", "--help"}} {
		status, out, errOut := plinth(t, args...)
		if status != statusOK || errOut != "" {
			t.Errorf("plinth %v: exit status %d, errors %q", args, status, errOut)
		}
		if !strings.Contains(out, "Examples:") {
			t.Errorf("plinth %v: no examples in %q", args, out)
		}
	}
}

func TestVersionAsJSONNamesTheToolchain(t *testing.T) {
	status, out, _ := plinth(t, "version", "--json")
	var info buildInfo
	if err := json.Unmarshal([]byte(out), &info); err != nil || status != statusOK {
		t.Fatalf("exit status %d, error %v, output %q", status, err, out)
	}
	if !strings.HasPrefix(info.Go, "go") || info.Version == "" {
		t.Errorf("version reports %+v", info)
	}
}

// executeProbe runs a command of the given body and returns exit status and
// standard error.
func executeProbe(ctx context.Context, args []string, body func(*environment) error) (int, string) {
	env := &environment{}
	probe := &cobra.Command{Use: "probe", RunE: func(*cobra.Command, []string) error { return body(env) }}
	probe.Flags().String("needed", "", "a flag that must be given")
	if err := probe.MarkFlagRequired("needed"); err != nil {
		return -1, err.Error()
	}
	var errOut bytes.Buffer
	root := newRootCommand(env, probe)
	status := execute(ctx, env, root, args, strings.NewReader(""), io.Discard, &errOut)
	return status, errOut.String()
}

func TestExitStatusTellsFailureFromUsageAndInterruption(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	fails := func(*environment) error { return errors.New("disk on fire") }
	stops := func(*environment) error { return context.Cause(cancelled) }
	works := func(env *environment) error { env.logger.Error("logged"); return nil }
	given := []string{"probe", "--needed", "x"}

	for name, c := range map[string]struct {
		ctx    context.Context
		args   []string
		body   func(*environment) error
		status int
		errOut string
	}{
		"success":                     {t.Context(), given, works, statusOK, "logged"},
		"failure":                     {t.Context(), given, fails, statusFailed, "plinth: disk on fire\n"},
		"missing flag":                {t.Context(), []string{"probe"}, works, statusUsage, "required flag"},
		"interruption":                {cancelled, given, stops, statusInterrupted, "interrupted"},
		"failure after interruption":  {cancelled, given, fails, statusFailed, "disk on fire"},
		"cancelled without interrupt": {t.Context(), given, stops, statusFailed, "context canceled"},
	} {
		status, errOut := executeProbe(c.ctx, c.args, c.body)
		if status != c.status || !strings.Contains(errOut, c.errOut) {
			t.Errorf("%s: exit status %d and %q, want %d and %q", name, status, errOut, c.status, c.errOut)
		}
	}
}
