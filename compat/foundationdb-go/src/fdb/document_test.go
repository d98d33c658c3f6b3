package fdb_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/tests/tables"
)

// docsPage is where the module is described, from here.
const docsPage = "../../../../docs/compat.md"

// Every exported name of the module is in a table, with a test that exists and
// uses it.
func TestTheTablesOfTheModuleAreTrueAndComplete(t *testing.T) {
	document, err := os.ReadFile(docsPage)
	accept(t, err)
	tests, err := tables.TestsOf(".")
	accept(t, err)
	code := tables.Code{
		Packages: map[string]tables.Exports{},
		// Types whose methods have rows, and which programs need not name.
		Excused: map[string][]string{"fdb": {"Cluster", "Tenant", "RangeIterator"}, "subspace": {"Subspace"}, "directory": {"Directory"}},
		Tests:   tests,
	}
	for name, dir := range map[string]string{"fdb": ".", "tuple": "tuple", "subspace": "subspace", "directory": "directory"} {
		exports, err := tables.ExportsOf(dir)
		accept(t, err)
		code.Packages[name] = exports
	}
	for _, problem := range tables.Check(string(document), code) {
		t.Error(problem)
	}
}

// Every number that the package itself returns has a row.
func TestTheNumbersOfTheModuleAreListed(t *testing.T) {
	document, err := os.ReadFile(docsPage)
	accept(t, err)
	source, err := os.ReadFile("errors.go")
	accept(t, err)
	numbers := regexp.MustCompile(`\bError\{(\d+)\}`).FindAllStringSubmatch(string(source), -1)
	if len(numbers) < 10 {
		t.Errorf("only %d numbers were found", len(numbers))
	}
	for _, number := range numbers {
		if !strings.Contains(string(document), "\n| "+number[1]+" | ") {
			t.Errorf("number %s is in no row", number[1])
		}
	}
}
