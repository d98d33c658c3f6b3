package main

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/plinthdb/plinth/cmd/plinth/internal/demo"
)

// demoUI shows the demo as text: what happens on standard output, progress on
// standard error.
type demoUI struct {
	out, errOut io.Writer
	// quiet leaves out everything but progress and the report.
	quiet bool
	// marks are what stands before a check that held and one that did not.
	marks [2]string
	steps int
	err   error // first failed write
}

func newDemoUI(cmd *cobra.Command, quiet bool) *demoUI {
	u := &demoUI{out: cmd.OutOrStdout(), errOut: cmd.ErrOrStderr(), quiet: quiet, marks: [2]string{"ok    ", "FAILED"}}
	if isTerminal(u.out) {
		u.marks = [2]string{"\x1b[32m✓\x1b[0m", "\x1b[31m✗\x1b[0m"}
	}
	return u
}

func (u *demoUI) printf(format string, args ...any) {
	if u.quiet || u.err != nil {
		return
	}
	_, u.err = fmt.Fprintf(u.out, format, args...)
}

func (u *demoUI) welcome(dir string) {
	u.printf("A store in %s: all the roles of a cluster, in this process. A commit\nreturns when it is on disk.\n", dir)
}

// Begin implements demo.UI.
func (u *demoUI) Begin(title, why string) {
	u.steps++
	u.printf("\n%d. %s\n   %s\n", u.steps, title, strings.ReplaceAll(why, "\n", "\n   "))
}

// Say implements demo.UI.
func (u *demoUI) Say(format string, args ...any) { u.printf("   "+format+"\n", args...) }

// Checked implements demo.UI.
func (u *demoUI) Checked(c demo.Check) {
	mark := u.marks[0]
	if !c.OK {
		mark = u.marks[1]
	}
	u.printf("   %s %s: %s\n", mark, c.Name, c.Detail)
}

// Progress implements demo.UI.
func (u *demoUI) Progress(verb string, totalBytes int64) demo.Progress {
	return &demoProgress{meter: newMeter(u.errOut, verb, totalBytes)}
}

// demoProgress is a meter for several goroutines.
type demoProgress struct {
	mu    sync.Mutex
	meter *meter
}

// Add implements demo.Progress.
func (p *demoProgress) Add(rows, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.meter.add(rows, bytes)
}

// End implements demo.Progress.
func (p *demoProgress) End() { p.meter.end() }

// table prints what was done.
func (u *demoUI) table(r *demo.Report) {
	rows := append([]demo.Row{{What: "what", Amount: "how much", Took: "took", Rate: "rate"}}, r.Table()...)
	var widths [3]int
	for _, row := range rows {
		for i, cell := range []string{row.What, row.Amount, row.Took} {
			widths[i] = max(widths[i], len(cell))
		}
	}
	u.printf("\n")
	for _, row := range rows {
		line := fmt.Sprintf("%-*s  %-*s  %*s  %s", widths[0], row.What, widths[1], row.Amount, widths[2], row.Took, row.Rate)
		u.printf("%s\n", strings.TrimRight(line, " "))
	}
	if r.OK {
		u.printf("\nEvery check held.\n")
	}
}

func (u *demoUI) kept(dir string) {
	u.printf("\nThe store is kept. Look around: plinth shell --dir %s\n", dir)
}
