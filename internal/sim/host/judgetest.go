package host

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tetratelabs/wazero/sys"
)

// testLimit is how much virtual time a test may take. The test binary itself
// ends at it, with the stacks of all goroutines.
const testLimit = 10 * time.Minute

// testTailFactor is how many more lines of a test's trace are kept than shown:
// most of them are the disk's, which are no concern of its author.
const testTailFactor = 20

// withoutDisk returns the last lines that are not of the disk, at most so many.
func withoutDisk(tail []string, limit int) []string {
	tail = slices.DeleteFunc(tail, func(line string) bool {
		_, text, _ := strings.Cut(line, " ")
		return strings.HasPrefix(text, "disk ")
	})
	return tail[max(0, len(tail)-limit):]
}

var (
	errTestFailed = errors.New("the test failed, see its output")
	errNoRun      = errors.New("the test ended without calling simtest.Run: only such tests run in the simulation")
)

// judgeTest replaces what judge has said of a test binary, which ended with
// err, by what it means for a test.
func (r *Result) judgeTest(err error) {
	var exit *sys.ExitError
	status := uint32(0)
	if errors.As(err, &exit) {
		status = exit.ExitCode()
	}
	switch {
	case r.Outcome == Violated && r.Report.Violation.Invariant == "":
		// It is the user's own, and has no number.
		r.Err = errors.New(r.Report.Violation.Text)
	case r.Outcome == Violated:
		r.Err = fmt.Errorf("a promise of the store was broken, please report that: %w", r.Report.Violation)
	case r.Outcome == Crashed && status == 1:
		// go test's status for tests that failed.
		r.Outcome, r.Err = Violated, errTestFailed
	case r.Outcome == Crashed && status == 0 && r.Report == nil:
		r.Err = errNoRun
	case r.Outcome == Crashed && strings.Contains(r.Stderr, "panic: test timed out"):
		r.Outcome, r.Err = Hung, fmt.Errorf("the test did not end within %v of virtual time", testLimit)
	}
}

// outsideHint explains errors of what the simulation does not have.
const outsideHint = `note: in the simulation there is no file system, no network beyond the process, and there are no other processes.
Embed test data (go:embed), and keep what needs the rest out of the test, or behind World.Simulated.`

// touchesOutside reports whether a test's output shows errors of what is
// missing in the simulation.
func touchesOutside(output string) bool {
	return slices.ContainsFunc([]string{
		"Bad file number", "not implemented on wasip1", "Not supported", "not supported by wasip1", "exec format", "operation not supported",
		"Function not implemented", "function not implemented", "Capabilities insufficient",
		"executable file not found", "connect: Connection refused",
	}, func(sign string) bool { return strings.Contains(output, sign) })
}
