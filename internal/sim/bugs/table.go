package bugs

import (
	"fmt"
	"io"
	"strings"
)

// Table writes what came of a hunt to w, as a table in Markdown: docs/testing.md
// holds one.
func Table(w io.Writer, findings []Finding) error {
	var b strings.Builder
	b.WriteString("| bug | what it does | seeds until found | found by |\n|---|---|---|---|\n")
	for _, f := range findings {
		seeds := fmt.Sprint(f.Seeds)
		if !f.Found() {
			seeds = fmt.Sprintf("not in %d", f.Seeds)
		}
		by := f.By()
		if f.Innocent {
			by += ", and without the bug as well"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", f.Bug.Name, strings.ReplaceAll(f.Bug.What, "|", `\|`), seeds, by)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
