package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/sys"

	"github.com/plinthdb/plinth/internal/sim/report"
)

const userTests = `package user

import (
	"testing"

	sim "github.com/plinthdb/plinth/kv/simtest"
)

func TestDirect(t *testing.T) { sim.Run(t, nil) }

func TestByHelper(t *testing.T) { t.Run("sub", func(t *testing.T) { helper(t) }) }

func TestPlain(t *testing.T) { run() }

func Testimony(t *testing.T) { sim.Run(t, nil) }

func TestMain(m *testing.M) {}

func run() {}

func helper(t *testing.T) { other.loop(t) }

func (o *other) loop(t *testing.T) { helper(t); o.run(t) }

func (*other) run(t *testing.T) { sim.Run(t, nil) }
`

func readTests(t *testing.T, source string) *Tests {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "user_test.go"), source)
	tests, err := (&userPackage{Dir: dir, ImportPath: "example.com/user", XTestGoFiles: []string{"user_test.go"}}).tests()
	if err != nil {
		t.Fatal(err)
	}
	return tests
}

func TestTestsAreFoundThatComeToSimtestRun(t *testing.T) {
	tests := readTests(t, strings.ReplaceAll(userTests, "func TestPlain(t *testing.T) { run() }", "func TestPlain(t *testing.T) {}"))
	if want := []string{"TestDirect", "TestByHelper"}; !slices.Equal(tests.Simulated, want) {
		t.Errorf("simulated %q, want %q", tests.Simulated, want)
	}
	if want := []string{"TestDirect", "TestByHelper", "TestPlain"}; !slices.Equal(tests.All, want) {
		t.Errorf("all %q, want %q", tests.All, want)
	}
	if renamed := readTests(t, strings.ReplaceAll(userTests, "sim.Run", "imp.Run")); len(renamed.Simulated) != 0 {
		t.Errorf("of another package's Run: %q", renamed.Simulated)
	}
}

func TestChosenTestsRunAlone(t *testing.T) {
	tests := &Tests{Package: "example.com/user", Simulated: []string{"TestA", "TestAB"}, All: []string{"TestA", "TestAB", "TestOther"}}
	for pattern, want := range map[string][]string{
		"": {"^TestA$", "^TestAB$"}, "AB": {"^TestAB$"}, "^TestA$/x": {"^TestA$/x"}, "Other": {"^TestOther$"},
	} {
		if got, err := tests.Choose(pattern); err != nil || !slices.Equal(got, want) {
			t.Errorf("--run %q gives %q (%v), want %q", pattern, got, err, want)
		}
	}
	for _, pattern := range []string{"Nothing", "("} {
		if got, err := tests.Choose(pattern); err == nil {
			t.Errorf("--run %q gives %q", pattern, got)
		}
	}
	if _, err := (&Tests{All: []string{"TestPlain"}}).Choose(""); !errors.Is(err, ErrNoTest) {
		t.Errorf("without a test for the simulation: %v", err)
	}
}

func TestModuleFileIsCopiedWithAbsoluteReplacements(t *testing.T) {
	root := t.TempDir()
	text := "module example.com/user\n\ngo 1.26.0\n\nreplace (\n\texample.com/a => ../a\n\texample.com/b v1.0.0 => ./b\n\texample.com/c => example.com/d v1.2.3\n)\n"
	write(t, filepath.Join(root, "go.mod"), text)
	b, err := newPlainBuilder(BuildConfig{Root: root, CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.openDir("build-x"); err != nil {
		t.Fatal(err)
	}
	b.modfile = filepath.Join(b.dir, "go.mod")
	t.Setenv("GOWORK", "off")
	// The module does not require Plinth, which is found out last.
	if err := b.prepareModfile(t.Context()); err == nil || !strings.Contains(err.Error(), "module example.com/user does not require "+modulePath) {
		t.Errorf("a module that does not require Plinth: %v", err)
	}
	copied, err := os.ReadFile(b.modfile)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"example.com/a => " + filepath.Join(filepath.Dir(root), "a") + "\n", "example.com/b v1.0.0 => " + filepath.Join(root, "b") + "\n",
		"example.com/c => example.com/d v1.2.3\n",
	} {
		if !strings.Contains(string(copied), want) {
			t.Errorf("%q is missing in\n%s", want, copied)
		}
	}
	if untouched, err := os.ReadFile(filepath.Join(root, "go.mod")); err != nil || string(untouched) != text {
		t.Errorf("the user's go.mod was changed (%v) to\n%s", err, untouched)
	}
}

func TestAModuleThatReplacesPebbleIsRefused(t *testing.T) {
	var m moduleFile
	m.Replace = append(m.Replace, struct {
		Old, New struct{ Path, Version string }
	}{})
	m.Replace[0].Old.Path, m.Replace[0].New.Path = pebbleModule, "../pebble"
	if _, err := m.replacements("/root"); err == nil || !strings.Contains(err.Error(), pebbleModule) {
		t.Errorf("error %v", err)
	}
}

func TestAPackageThatIsNamedByItsDirectoryIsSeenFromThere(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "nested", "go.mod"), "module example.com/nested\n")
	nested := filepath.Join(root, "nested")
	for name, want := range map[string][2]string{
		"./nested":               {nested, "."},
		nested:                   {nested, "."},
		"example.com/nested":     {root, "example.com/nested"},
		"./nested/...":           {root, "./nested/..."},
		"./nothing":              {root, "./nothing"},
		filepath.Join(root, "x"): {root, filepath.Join(root, "x")},
	} {
		dir, pkg := (&TestConfig{Package: name, Dir: root}).inModule()
		if dir != want[0] || pkg != want[1] {
			t.Errorf("%s is looked for in %s as %s, want %v", name, dir, pkg, want)
		}
	}
}

func TestBuildTestsSaysWhatIsWrongWithThePackage(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.com/user\n\ngo 1.26.0\n")
	write(t, filepath.Join(dir, "cgo", "c.go"), "package cgo\n\nimport \"C\"\n")
	write(t, filepath.Join(dir, "plain", "p.go"), "package plain\n")
	write(t, filepath.Join(dir, "other", "o.go"), "package other\n")
	for pkg, want := range map[string]string{"./nowhere": "looking for the package", "./cgo": "GOOS=wasip1 GOARCH=wasm", "./...": "several packages", "./plain": "does not require"} {
		_, err := BuildTests(t.Context(), TestConfig{Package: pkg, Dir: dir, CacheDir: t.TempDir()})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", pkg, err, want)
		}
	}
}

func TestResultsOfTestsAreJudgedAsTests(t *testing.T) {
	status := func(code uint32) error { return sys.NewExitError(code) }
	own := &report.Report{Violation: &report.Violation{Source: "TestX", Text: "lost"}}
	store := &report.Report{Violation: &report.Violation{Source: "simtest", Invariant: "S2", Text: "does not open"}}
	for _, c := range []struct {
		end    error
		report *report.Report
		stderr string
		want   Outcome
		text   string
	}{
		{status(0), &report.Report{}, "", Passed, ""},
		{status(1), own, "", Violated, "lost"},
		{status(1), store, "", Violated, "promise of the store was broken"},
		{status(1), nil, "", Violated, "the test failed"},
		{status(0), nil, "", Crashed, "without calling simtest.Run"},
		{status(2), nil, "panic: test timed out after 10m0s", Hung, "virtual time"},
		{status(2), nil, "panic: oh", Crashed, "status 2"},
	} {
		r := run{report: c.report}
		result := Result{Seed: 3, Test: "^TestX$", Report: c.report, Stderr: c.stderr}
		result.Outcome, result.Err = r.judge(context.Background(), c.end)
		result.judgeTest(c.end)
		if result.Outcome != c.want || (result.Err == nil) != (c.text == "") || result.Err != nil && !strings.Contains(result.Err.Error(), c.text) {
			t.Errorf("end %v, report %v: %v, %v; want %v, %q", c.end, c.report, result.Outcome, result.Err, c.want, c.text)
		}
	}
}

func TestReportsOfOneTestBinaryAddUp(t *testing.T) {
	var r run
	for _, next := range []*report.Report{
		{Commits: 2, Violation: nil}, {Commits: 3, Violation: &report.Violation{Text: "first"}}, {Commits: 4, Violation: &report.Violation{Text: "second"}},
	} {
		data, err := next.Encode()
		if err != nil {
			t.Fatal(err)
		}
		r.setReport(data)
	}
	if r.err != nil || r.report.Commits != 9 || r.report.Violation.Text != "first" {
		t.Errorf("report %+v (%v)", r.report, r.err)
	}
}

func TestFailedTestSaysHowToReplayItWithoutTheDisksLines(t *testing.T) {
	tail := []string{"1.0 test a\n", "1.1 disk d0 write\n", "1.2 process store up 2\n", "1.3 disk d0 sync\n", "1.4 test b\n"}
	r := &Result{
		Seed: 7, Test: "^TestX$", Command: "plinth sim", Flags: []string{"--package", "./my bank", "--run", "^TestX$"}, Args: []string{"-broken"},
		Outcome: Violated, Err: errTestFailed, Tail: withoutDisk(tail, 2), Lines: 5, Stderr: "open x: Bad file number\n",
	}
	var b strings.Builder
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"TestX, seed 7: violated", "last 2 of 5 lines of the trace, without the disk's", "1.2 process store up 2\n  1.4 test b\n",
		"output of the test:\n  open x", "there is no file system", "replay: plinth sim --seed 7 --package './my bank' --run '^TestX$' -- -broken\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &b)
		}
	}
}
