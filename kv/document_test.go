package kv_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// readFile returns the text of a file of the project.
func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// testNames returns the names of all tests in the project's main module.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names, function := map[string]bool{}, regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, dir := range []string{".", "../cluster", "../storage", "../txn", "../internal/wire"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			for _, match := range function.FindAllStringSubmatch(readFile(t, path), -1) {
				names[match[1]] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// Every row of the tables on options, calls and errors names a test that
// exists, unless it says that something is not there; and no option and no
// error is left out.
func TestTheTablesOfTheClientAreTrueAndComplete(t *testing.T) {
	document, tests := readFile(t, "../docs/client-options.md"), testNames(t)
	isTest := regexp.MustCompile(`\bTest[A-Z]\w+`)
	rows := 0
	for _, line := range strings.Split(document, "\n") {
		if !strings.HasPrefix(line, "| ") || strings.HasSuffix(line, "| test |") {
			continue
		}
		rows++
		named := isTest.FindAllString(line, -1)
		if len(named) == 0 && !strings.Contains(line, "| not there |") {
			t.Errorf("no test for %s", line)
		}
		for _, name := range named {
			if !tests[name] {
				t.Errorf("there is no %s, which is to prove %s", name, line)
			}
		}
	}
	if rows < 100 {
		t.Errorf("only %d rows were found", rows)
	}
	sources, err := filepath.Glob("*.go")
	if err != nil || len(sources) == 0 {
		t.Fatal(err)
	}
	exported := regexp.MustCompile(`(?m)^func (With\w+)\(|^\t(Err\w+) += wire\.`)
	for _, path := range sources {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, match := range exported.FindAllStringSubmatch(readFile(t, path), -1) {
			if name := match[1] + match[2]; !strings.Contains(document, "`"+name+"`") {
				t.Errorf("%s of %s is in no table", name, path)
			}
		}
	}
}
