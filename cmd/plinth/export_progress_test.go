package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/plinthdb/plinth/kv"
)

// progressOf makes the progress of an export of a range whose bytes before a
// key the caller says, on a clock that the caller moves.
func progressOf(whole int64, before map[string]int64) (p *exportProgress, clock *time.Time, asked *int) {
	clock, asked = new(time.Time), new(int)
	*clock = time.Unix(1_000_000, 0)
	p = newExportProgress(io.Discard, kv.KeyRange{Begin: []byte("a"), End: []byte("z")}, func(begin, end []byte) (int64, error) {
		*asked++
		if string(end) == "z" {
			return whole, nil
		}
		return before[string(end)], nil
	})
	p.now = func() time.Time { return *clock }
	return p, clock, asked
}

func TestExportSaysAboutHowMuchIsDone(t *testing.T) {
	p, clock, _ := progressOf(800, map[string]int64{"c": 200, "d": 600, "e": 100, "y": 900})
	for _, c := range []struct {
		last string
		want string
	}{
		{"c", "exported 1 rows, 1.0 MB of about 4.0 MB (25%), 500.0 kB/s, about 6s left"},
		{"d", "exported 2 rows, 2.0 MB of about 2.7 MB (75%), 1.0 MB/s, about 1s left"},
		// What the store says may go back, what is shown does not.
		{"e", "exported 3 rows, 3.0 MB of about 4.0 MB (75%), 1.5 MB/s, about 1s left"},
		// Nor is it ever said that all is done.
		{"y", "exported 4 rows, 4.0 MB of about 4.0 MB (98%), 2.0 MB/s, about 0s left"},
	} {
		p.add(1, 1_000_000, []byte(c.last))
		if got := p.meter.line(2 * time.Second); got != c.want {
			t.Errorf("after key %s: %q, want %q", c.last, got, c.want)
		}
		*clock = clock.Add(time.Second)
	}
}

func TestExportAsksTheStoreOnlyNowAndThen(t *testing.T) {
	p, clock, asked := progressOf(1000, map[string]int64{"c": 500})
	for range 1000 {
		p.add(256, 10_000, []byte("c"))
		*clock = clock.Add(time.Millisecond)
		if p.meter.total <= p.meter.bytes {
			t.Fatalf("the total %d is reached by %d", p.meter.total, p.meter.bytes)
		}
	}
	// Once to begin with, and twice for each half of the second.
	if *asked != 5 {
		t.Errorf("the store was asked %d times", *asked)
	}
}

func TestExportWithoutAnEstimateHasNoTotal(t *testing.T) {
	for _, estimate := range []estimateFunc{
		func(_, _ []byte) (int64, error) { return 0, nil },
		func(_, _ []byte) (int64, error) { return 0, errors.New("closed") },
	} {
		p := newExportProgress(io.Discard, kv.KeyRange{}, estimate)
		p.add(1, 1000, []byte("k"))
		p.add(0, 0, nil)
		if got, want := p.meter.line(time.Second), "exported 1 rows, 1.0 kB, 1.0 kB/s"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestBarOfAnEstimatedTotalGoesOnWhenTheTotalGrows(t *testing.T) {
	var out bytes.Buffer
	p, _, _ := progressOf(10, nil)
	p.meter.bar = newBar(&out, "exported", 10)
	for range 10 {
		p.add(1, 1000, []byte("c"))
	}
	if p.meter.bar.IsFinished() || !strings.Contains(out.String(), "rows, about") {
		t.Errorf("the bar is finished, or silent: %q", out.String())
	}
	p.meter.end()
}
