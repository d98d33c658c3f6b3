package tables

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const source = `// Package p is described.
package p

type T struct{ Field, hidden int }

func (t *T) Get() {}
func (t T) Wait() {}

type inner struct{}

func (inner) Promoted() {}

type U struct{ inner }

func (*U) Get() {}

type I interface{ Call(); hiddenCall() }

const C, c = 1, 2

func F[T any]() {}
func f() {}
`

const testSource = `package p_test

func TestGet(t *testing.T) { var x p.T; x.Get(); _ = x.Field; p.F[int]() }
func TestC(t *testing.T) { _ = helper().constant() }
func helper() w { return w{} }

type w struct{}

func (w) constant() int { return constants[0] }
func (w) other() { p.Unused() }

var constants = []int{p.C}

func unused() { var i p.I; i.Call() }

var _ = p.I.Call
`

// code writes the sources into a directory and reads them.
func code(t *testing.T) Code {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"p.go": source, "p_test.go": testSource} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	exports, err := ExportsOf(dir)
	if err != nil {
		t.Fatal(err)
	}
	tests, err := TestsOf(dir)
	if err != nil {
		t.Fatal(err)
	}
	return Code{Packages: map[string]Exports{"p": exports}, Tests: tests}
}

// whole is a document in which nothing is wrong.
const whole = "" +
	"| p | test |\n" +
	"|---|---|\n" +
	"| `F`, `T`, `Get`, `T.Field` as in `f(x)` | TestGet, TestC |\n" +
	"| `C` \\| `I` | not there |\n" +
	"\n" +
	"| kind | p | meaning |\n" +
	"|---|---|---|\n" +
	"| a | `T.Wait`, `U`, `U.Promoted` | `No` name in this column counts |\n"

func TestADocumentThatTellsTheTruthHasNoProblem(t *testing.T) {
	c := code(t)
	c.Excused = map[string][]string{"p": {"I.*"}}
	if problems := Check(whole, c); len(problems) > 0 {
		t.Errorf("%q", problems)
	}
}

// TestWhatIsMissingOrMadeUpIsFound (T1 to T4).
func TestWhatIsMissingOrMadeUpIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string // what is changed in the document
		excused  []string
		want     []string // parts of the problems
	}{
		"a function is missing":      {"`F`, ", "", nil, []string{"F of p is in no table"}},
		"a method is missing":        {"`Get`, ", "`T.Get`, ", nil, []string{"U.Get of p is in no table"}},
		"a promoted one is missing":  {", `U.Promoted`", "", nil, []string{"U.Promoted of p is in no table"}},
		"an interface's is missing":  {"", "", []string{"F"}, []string{"I.Call of p is in no table"}},
		"a constant is missing":      {"`C` \\|", "", nil, []string{"C of p is in no table"}},
		"a name is made up":          {"`F`, ", "`F`, `G`, ", nil, []string{"line 3: there is no G in p", "uses G"}},
		"a method is made up":        {"`T.Field`", "`T.Put`", nil, []string{"line 3: there is no T.Put in p", "uses T.Put"}},
		"what is excused is made up": {"", "", []string{"I.*", "Gone", "F.*"}, []string{"F.* of p is excused", "Gone of p is excused"}},
		"a test is made up":          {"TestC |", "TestD |", nil, []string{"line 3: there is no TestD"}},
		"a test is missing":          {"TestGet, TestC |", " |", nil, []string{"line 3 names no test"}},
		"a test does not use it":     {"| `C` \\| `I` | not there |", "| `C`, `I` | TestC |", nil, []string{"no test of the row uses I: TestC"}},
		"another test uses it":       {"| TestGet, TestC |", "| TestC |", nil, []string{"uses F: TestC", "uses Get: TestC", "uses T.Field: TestC"}},
		"a helper of helpers does":   {"| `C` \\| `I` | not there |", "| `C` | TestC |\n| `I` | not there |", nil, nil},
	} {
		documented := code(t)
		documented.Excused = map[string][]string{"p": {"I.*"}}
		if c.excused != nil {
			documented.Excused["p"] = c.excused
		}
		if !strings.Contains(whole, c.old) {
			t.Fatalf("%s: %q is not in the document", name, c.old)
		}
		problems := Check(strings.Replace(whole, c.old, c.new, 1), documented)
		for _, part := range c.want {
			if !slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, part) }) {
				t.Errorf("%s: nothing says %q: %q", name, part, problems)
			}
		}
		if len(problems) != len(c.want) {
			t.Errorf("%s: %q", name, problems)
		}
	}
}

func TestADirectoryWithoutSourcesIsAnError(t *testing.T) {
	if _, err := ExportsOf(t.TempDir()); err == nil {
		t.Error("no error")
	}
	if _, err := TestsOf(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no error for a directory that is not there")
	}
}
