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
		{"help", "nonsense"},
		{"completion", "nonsense"},
		{"completion", "bash", "superfluous"},
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
	for _, args := range [][]string{nil, {"--help"}, {"help"}, {"version", "--help"}, {"help", "version"}} {
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

// failingWriter is standard output on a full disk.
type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestResultsThatCannotBeWrittenAreAFailure(t *testing.T) {
	dir := storeWithRows(t)
	for _, args := range [][]string{
		{"version"},
		{"check", dir},
		{"export", "--dir", dir, "-"},
		{"shell", "--dir", dir, "--exec", "get a"},
		{"completion", "bash"},
	} {
		var errOut bytes.Buffer
		status := run(t.Context(), args, strings.NewReader(""), failingWriter{}, &errOut)
		if status != statusFailed || strings.Count(errOut.String(), "no space left") != 1 {
			t.Errorf("plinth %v: exit status %d, %q", args, status, errOut.String())
		}
	}
	var errOut bytes.Buffer
	status := run(t.Context(), []string{"shell", "--memory"}, strings.NewReader("getversion\ngetversion\n"), failingWriter{}, &errOut)
	if status != statusFailed || !strings.Contains(errOut.String(), "no space left") {
		t.Errorf("a script: exit status %d, %q", status, errOut.String())
	}
}

func TestTheShellCompletesFlagsAndTheirValues(t *testing.T) {
	for name, mark := range map[string]string{
		"bash": "__start_plinth", "zsh": "#compdef plinth", "fish": "complete -c plinth", "powershell": "Register-ArgumentCompleter",
	} {
		if status, out, errOut := plinth(t, "completion", name); status != statusOK || errOut != "" || !strings.Contains(out, mark) {
			t.Errorf("completion %s: exit status %d, %d bytes, %q", name, status, len(out), errOut)
		}
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"ch"}, "check\t"},
		{[]string{"check", ""}, ":16\n"}, // only directories
		{[]string{"shell", "--dir", ""}, ":16\n"},
		{[]string{"import", "--on-error", ""}, "stop\ncontinue\n:4\n"},
		{[]string{"--log-level", ""}, "debug\ninfo\nwarn\nerror\n:4\n"},
		{[]string{"--log-format", ""}, "text\njson\n:4\n"},
		{[]string{"import", "--format", ""}, "text\njson\n:4\n"},
		{[]string{"export", "--format", ""}, "text\njson\njson-base64\n:4\n"},
		{[]string{"export", "--res"}, "--resume\tgo on with an export"},
		{[]string{"export", "--overw"}, "--overwrite\t"},
		{[]string{"export", "--resume", "--one"}, ":4\n"}, // not both
		{[]string{"export", "--dir", "data", "--resume", ""}, ":0\n"},
		{[]string{"export", "--prefix", ""}, ":4\n"}, // nothing
		{[]string{"import", "--begin", ""}, ":4\n"},
		{[]string{"import", "--resume", "--dir", ""}, ":16\n"},
		{[]string{"import", "--dir", "data", ""}, ":0\n"}, // files
		{[]string{"shell", "--exec", ""}, ":4\n"},
		{[]string{"shell", "--history", ""}, ":0\n"},
		{[]string{"shell", "--memory", ""}, ":4\n"},
	} {
		_, out, _ := plinth(t, append([]string{cobra.ShellCompRequestCmd}, c.args...)...)
		if !strings.HasPrefix(out, c.want) {
			t.Errorf("completions of %q: %q, want %q", c.args, out, c.want)
		}
	}
}
