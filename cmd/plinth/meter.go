package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// meter shows the progress of a long command on standard error: a bar at a
// terminal, otherwise a line now and then.
type meter struct {
	out   io.Writer
	verb  string // "imported"
	total int64  // bytes, or -1 if unknown
	about bool   // total is an estimate
	bar   *progressbar.ProgressBar
	begun time.Time
	told  time.Time
	rows  int64
	bytes int64
}

// tellEvery is how often a line is printed where there is no terminal.
const tellEvery = 10 * time.Second

// newMeter begins to measure. total is the number of bytes to come, -1 if that
// is not known.
func newMeter(out io.Writer, verb string, total int64) *meter {
	now := time.Now()
	m := &meter{out: out, verb: verb, total: total, begun: now, told: now}
	if isTerminal(out) {
		m.bar = newBar(out, verb, total)
	}
	return m
}

func newBar(out io.Writer, verb string, total int64) *progressbar.ProgressBar {
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(out),
		progressbar.OptionSetDescription(verb),
		progressbar.OptionShowBytes(true),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionFullWidth(),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSpinnerType(14),
	)
}

// add counts rows and bytes that are done.
func (m *meter) add(rows, bytes int64) {
	m.rows += rows
	m.bytes += bytes
	if m.bar != nil {
		m.bar.Describe(m.description())
		// The bar's only error is that it cannot be drawn, which is no reason
		// to stop.
		_ = m.bar.Add64(bytes)
		return
	}
	if now := time.Now(); now.Sub(m.told) >= tellEvery {
		m.told = now
		fmt.Fprintln(m.out, m.line(now.Sub(m.begun)))
	}
}

// description is what stands before the bar.
func (m *meter) description() string {
	if m.about {
		return fmt.Sprintf("%s %d rows, about", m.verb, m.rows)
	}
	return fmt.Sprintf("%s %d rows", m.verb, m.rows)
}

// expect replaces the total by an estimate, which must be more than what is
// done. Whoever estimates does so before every add: a bar that has reached its
// total is gone.
func (m *meter) expect(total int64) {
	if m.total == total {
		return
	}
	m.total, m.about = total, true
	if m.bar != nil {
		m.bar.ChangeMax64(total)
	}
}

// line describes the progress after some time.
func (m *meter) line(took time.Duration) string {
	rate := float64(m.bytes) / max(took.Seconds(), 0.001)
	s := fmt.Sprintf("%s %d rows, %s", m.verb, m.rows, formatBytes(m.bytes))
	if m.total > 0 {
		about := ""
		if m.about {
			about = "about "
		}
		s += fmt.Sprintf(" of %s%s (%d%%)", about, formatBytes(m.total), 100*m.bytes/m.total)
	}
	s += fmt.Sprintf(", %s/s", formatBytes(int64(rate)))
	if m.total > m.bytes && rate > 0 {
		left := time.Duration(float64(m.total-m.bytes) / rate * float64(time.Second))
		s += fmt.Sprintf(", about %s left", left.Round(time.Second))
	}
	return s
}

// end takes the bar away and returns how long it took.
func (m *meter) end() time.Duration {
	if m.bar != nil {
		_ = m.bar.Finish() // See add.
	}
	return time.Since(m.begun)
}

// formatBytes returns a number of bytes with a decimal unit.
func formatBytes(n int64) string {
	const step = 1000
	if n < step {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/step, 0
	units := []string{"kB", "MB", "GB", "TB", "PB", "EB"}
	for ; value >= step && unit < len(units)-1; unit++ {
		value /= step
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}

// quantity returns a number and a noun, in the plural unless it is one.
func quantity(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
