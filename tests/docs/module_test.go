package docs

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/tests/tables"
)

// The FoundationDB module and its page. The tests are here and not there, since
// the go command would not see that the page has changed: it is outside of that
// module.
const (
	moduleDir  = "../../compat/foundationdb-go/src/fdb"
	modulePage = "../../docs/compat.md"
)

// Every exported name of the module is in a table, with a test that exists and
// uses it.
func TestTheTablesOfTheModuleAreTrueAndComplete(t *testing.T) {
	tests, err := tables.TestsOf(moduleDir)
	if err != nil {
		t.Fatal(err)
	}
	code := tables.Code{
		Packages: map[string]tables.Exports{},
		// Types whose methods have rows, and which programs need not name.
		Excused: map[string][]string{"fdb": {"Cluster", "Tenant", "RangeIterator"}, "subspace": {"Subspace"}, "directory": {"Directory"}},
		Tests:   tests,
	}
	for name, dir := range map[string]string{"fdb": "", "tuple": "/tuple", "subspace": "/subspace", "directory": "/directory"} {
		exports, err := tables.ExportsOf(moduleDir + dir)
		if err != nil {
			t.Fatal(err)
		}
		code.Packages[name] = exports
	}
	for _, problem := range tables.Check(readFile(t, modulePage), code) {
		t.Error(problem)
	}
}

// Every number that the module itself returns has a row.
func TestTheNumbersOfTheModuleAreListed(t *testing.T) {
	page := readFile(t, modulePage)
	numbers := regexp.MustCompile(`\bError\{(\d+)\}`).FindAllStringSubmatch(readFile(t, moduleDir+"/errors.go"), -1)
	if len(numbers) < 10 {
		t.Errorf("only %d numbers were found", len(numbers))
	}
	for _, number := range numbers {
		if !strings.Contains(page, "\n| "+number[1]+" | ") {
			t.Errorf("number %s is in no row", number[1])
		}
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
