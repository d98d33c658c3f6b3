package tables

import (
	"regexp"
	"strings"
)

// row is one row of a table.
type row struct {
	line  int               // in the document, from 1
	cells map[string]string // by the headings of the columns
	text  string
}

// rows returns the rows of all tables of a Markdown text. A table has a bar
// before the first column and after the last one.
func rows(markdown string) []row {
	var all []row
	var heading []string
	lines := strings.Split(markdown, "\n")
	for i, line := range lines {
		switch {
		case !strings.HasPrefix(line, "|"):
			heading = nil
		case heading == nil:
			heading = split(line)
		case !strings.HasPrefix(line, "|--"):
			r := row{line: i + 1, cells: map[string]string{}, text: line}
			for column, cell := range split(line) {
				if column < len(heading) {
					r.cells[heading[column]] = cell
				}
			}
			all = append(all, r)
		}
	}
	return all
}

// split returns the cells of a line of a table. A bar within a cell is
// written with a backslash.
func split(line string) []string {
	line = strings.ReplaceAll(strings.Trim(line, " "), `\|`, "\x00")
	cells := strings.Split(strings.Trim(line, "|"), "|")
	for i, cell := range cells {
		cells[i] = strings.ReplaceAll(strings.TrimSpace(cell), "\x00", "|")
	}
	return cells
}

var (
	quoted     = regexp.MustCompile("`([^`]*)`")
	identifier = regexp.MustCompile(`^[A-Z]\w*(\.[A-Z]\w*)?$`)
	testName   = regexp.MustCompile(`\b(Test|Example)[A-Z_]\w*`)
)

// names returns the exported names that a cell holds in backticks; other words
// in backticks are left out.
func names(cell string) (all []string) {
	for _, match := range quoted.FindAllStringSubmatch(cell, -1) {
		if identifier.MatchString(match[1]) {
			all = append(all, match[1])
		}
	}
	return all
}
