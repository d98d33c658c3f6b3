// Package invariants holds assertions that cost nothing in a released binary.
//
// Build with the tag "invariants", with the race detector, or for the
// simulation (GOOS=wasip1) to turn them on. Guard anything that costs time by
// the constant Enabled, so that the compiler removes it:
//
//	if invariants.Enabled {
//		invariants.Assert(w.sortedLocked(), "W2: window entries are out of order")
//	}
package invariants

import "fmt"

// Assert panics with the message if Enabled and cond is false. The message
// begins with the number of the invariant that the package's doc.go states.
func Assert(cond bool, format string, args ...any) {
	if Enabled && !cond {
		panic("invariant violated: " + fmt.Sprintf(format, args...))
	}
}
