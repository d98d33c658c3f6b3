package host

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/plinthdb/plinth/internal/sim/report"
)

// stderrLines is how much of the program's standard error is printed for a
// failed run: a panic's message and the first goroutines.
const stderrLines = 80

// Print writes what became of the run to w: one line and the line "trace HASH"
// if it passed; otherwise also the end of the trace, the beginning of what the
// program wrote to standard error, and the command that replays the run.
func (r *Result) Print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %v, %.1f s simulated in %.1f s%s\n",
		r.name(), r.Outcome, r.Virtual.Seconds(), r.Wall.Seconds(), Describe(r.Report))
	if r.Outcome != Passed {
		r.printFailure(&b)
	}
	fmt.Fprintf(&b, "trace %s\n", r.Hash)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Result) printFailure(b *strings.Builder) {
	if len(r.Tail) > 0 {
		what := "lines of the trace"
		if r.Test != "" {
			what += ", without the disk's"
		}
		fmt.Fprintf(b, "the last %d of %d %s:\n", len(r.Tail), r.Lines, what)
		for _, line := range r.Tail {
			b.WriteString("  " + line)
		}
	}
	if r.Stderr != "" {
		if r.Test == "" {
			fmt.Fprintln(b, "standard error of the simulated program:")
		} else {
			fmt.Fprintln(b, "output of the test:")
		}
		lines := strings.SplitAfter(r.Stderr, "\n")
		for _, line := range lines[:min(len(lines), stderrLines)] {
			b.WriteString("  " + line)
		}
		if len(lines) > stderrLines {
			fmt.Fprintf(b, "  ... %d lines more\n", len(lines)-stderrLines)
		}
	}
	if r.Test != "" && touchesOutside(r.Stderr) {
		fmt.Fprintln(b, outsideHint)
	}
	fmt.Fprintf(b, "\nFAILED %s: %v\nreplay: %s\n", r.name(), r.Err, r.Replay())
	if r.Again != "" {
		fmt.Fprintf(b, "a second run was %s\n", r.Again)
	}
	if r.Report != nil && len(r.Report.Histories) > 0 {
		fmt.Fprintf(b, "what the clients did and saw: %s --history seed%d.txt (or .html, .edn, .json)\n", r.Replay(), r.Seed)
	}
}

// name says what ran.
func (r *Result) name() string {
	if r.Test == "" {
		return fmt.Sprintf("seed %d", r.Seed)
	}
	return fmt.Sprintf("%s, seed %d", strings.Trim(r.Test, "^$"), r.Seed)
}

// Replay is the command that runs the seed again, from the source tree, or from
// the directory that the test was run from.
func (r *Result) Replay() string {
	words := []string{cmp.Or(r.Command, "go run ./cmd/plinth sim"), "--seed", fmt.Sprint(r.Seed)}
	args := slices.Clone(r.Flags)
	if r.Test != "" && len(r.Args) > 0 {
		args = append(args, "--")
	}
	for _, arg := range append(args, r.Args...) {
		words = append(words, quote(arg))
	}
	return strings.Join(words, " ")
}

// quote returns arg as a shell takes it for one word.
func quote(arg string) string {
	plain := func(r rune) bool {
		return '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' || strings.ContainsRune("-_,./:=+@%", r)
	}
	if arg != "" && strings.TrimFunc(arg, plain) == "" {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}

// Describe puts the counts of r into words, to follow upon others; r may be nil.
func Describe(r *report.Report) string {
	if r == nil {
		return ""
	}
	text := fmt.Sprintf(", %d commits, %d read-only, %d conflicts, %d aborted, %d unknown, %d retries, %d boots, %d kills, %d power losses, %d disk faults, %d blocks lost, %d bits flipped, %d disks lost (%d damaged)",
		r.Commits, r.ReadOnly, r.Conflicts, r.Aborted, r.Unknown, r.Retries, r.Boots, r.Kills, r.PowerLosses, r.DiskFaults, r.LostBlocks,
		r.Flips, r.LostDisks, r.Damaged)
	if r.SlowDisks > 0 {
		text += fmt.Sprintf(", %d times a slow disk", r.SlowDisks)
	}
	if r.NetworkFaults > 0 {
		text += fmt.Sprintf(", %d network faults", r.NetworkFaults)
	}
	if r.Undecided > 0 {
		text += fmt.Sprintf(", %d histories that porcupine gave up on", r.Undecided)
	}
	return text
}

// Print writes the totals of a campaign to w in one line, one for its speed, and
// one for the fault sites if there are any.
func (t *Totals) Print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "total: %d seeds, %d failed, %.0f s simulated in %.0f s%s\n",
		t.Runs, t.Failed, t.Virtual.Seconds(), t.Wall.Seconds(), Describe(&t.Report))
	fmt.Fprintf(&b, "speed: %v\n", t.Pace)
	if sites := t.Report.FaultSites; len(sites) > 0 {
		var never []string
		for name, fired := range sites {
			if fired == 0 {
				never = append(never, name)
			}
		}
		slices.Sort(never)
		fmt.Fprintf(&b, "fault sites: %d visited, %d of them never fired %v\n", len(sites), len(never), never)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Progress says how far a campaign has come, and when it will have ended: of
// count seeds, or at the time until if that is not zero.
func (t *Totals) Progress(elapsed time.Duration, count uint64, until time.Time) string {
	rate := float64(t.Runs) / elapsed.Seconds()
	s := fmt.Sprintf("%d seeds, %d failed, %.2f seeds/s, %.1f simulated s/s", t.Runs, t.Failed, rate, t.Virtual.Seconds()/elapsed.Seconds())
	switch {
	case !until.IsZero():
		s += fmt.Sprintf(", %v left", max(0, time.Until(until)).Round(time.Second))
	case t.Runs > 0:
		left := time.Duration(float64(count-uint64(t.Runs)) / rate * float64(time.Second))
		s += fmt.Sprintf(", %d to go, %v left", count-uint64(t.Runs), left.Round(time.Second))
	}
	return s
}
