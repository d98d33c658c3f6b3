package tables

import (
	"fmt"
	"slices"
	"strings"
)

// Code is what a document's tables describe.
type Code struct {
	// Packages are the packages that are described, by the headings of the
	// columns that hold their names.
	Packages map[string]Exports
	// Excused are the names of each package that need no row: Name or
	// Type.Member, or Type.* for all members of a type.
	Excused map[string][]string
	// Tests are all tests that rows may name.
	Tests Tests
}

// Check compares the tables of a document with code and returns what is wrong,
// a sentence each.
func Check(markdown string, code Code) []string {
	c := checker{Code: code, listed: map[string]map[string]bool{}}
	for name := range code.Packages {
		c.listed[name] = map[string]bool{}
	}
	for _, r := range rows(markdown) {
		c.row(r)
	}
	for name, exports := range code.Packages {
		c.complete(name, exports)
	}
	slices.Sort(c.problems)
	return c.problems
}

type checker struct {
	Code
	listed   map[string]map[string]bool // the full names in rows, by package
	problems []string
}

func (c *checker) problem(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// row checks T2 to T4 for one row.
func (c *checker) row(r row) {
	cell, hasColumn := r.cells["test"]
	tests := testName.FindAllString(cell, -1)
	if hasColumn && len(tests) == 0 && !strings.Contains(r.text, "not there") {
		c.problem("line %d names no test: %s", r.line, r.text)
	}
	for _, test := range tests {
		if c.Tests[test] == nil {
			c.problem("line %d: there is no %s", r.line, test)
		}
	}
	for heading, exports := range c.Packages {
		for _, name := range names(r.cells[heading]) {
			c.name(r, heading, exports, name, tests)
		}
	}
}

// name checks a name of a row.
func (c *checker) name(r row, heading string, exports Exports, name string, tests []string) {
	full := exports.all(name)
	if len(full) == 0 {
		c.problem("line %d: there is no %s in %s", r.line, name, heading)
	}
	for _, f := range full {
		c.listed[heading][f] = true
	}
	word := name[strings.Index(name, ".")+1:]
	used := func(test string) bool { return c.Tests[test][word] }
	if len(tests) > 0 && !slices.ContainsFunc(tests, used) {
		c.problem("line %d: no test of the row uses %s: %s", r.line, name, strings.Join(tests, ", "))
	}
}

// complete checks T1, and T2 for what is excused.
func (c *checker) complete(heading string, exports Exports) {
	excused := map[string]bool{}
	for _, name := range c.Excused[heading] {
		excused[name] = true
		typeName, allOfIt := strings.CutSuffix(name, ".*")
		if !exports.required[typeName] || allOfIt && !exports.hasMembers(typeName) {
			c.problem("%s of %s is excused, but is not there", name, heading)
		}
	}
	for name := range exports.required {
		typeName, _, _ := strings.Cut(name, ".")
		if !c.listed[heading][name] && !excused[name] && !(typeName != name && excused[typeName+".*"]) {
			c.problem("%s of %s is in no table", name, heading)
		}
	}
}

func (e Exports) hasMembers(typeName string) bool {
	for name := range e.required {
		if strings.HasPrefix(name, typeName+".") {
			return true
		}
	}
	return false
}
