package main

import (
	"io"
	"time"

	"github.com/plinthdb/plinth/kv"
)

const (
	// estimateEvery is how often an export asks the store how far it is.
	estimateEvery = 500 * time.Millisecond
	// estimateMost is the most of an export that is ever said to be done before
	// its end: the figures are rough.
	estimateMost = 0.99
)

// estimateFunc returns about how many bytes the store holds between two keys;
// see embedded.Store.
type estimateFunc func(begin, end []byte) (int64, error)

// exportProgress shows how far an export is. The size of its text is not known
// before its end; it is estimated from how much of the range's bytes in the
// store lie before the last key written.
type exportProgress struct {
	meter    *meter
	keys     kv.KeyRange
	estimate estimateFunc
	asked    time.Time
	// done is the part of the range that is before the last key, as far as is
	// known; it never goes back.
	done float64
	now  func() time.Time
}

// newExportProgress begins to measure. Without an estimate, for instance for a
// range that seems to be empty, the progress has no total.
func newExportProgress(out io.Writer, keys kv.KeyRange, estimate estimateFunc) *exportProgress {
	total, err := estimate(keys.Begin, keys.End)
	if err != nil || total <= 0 {
		total = -1
	}
	p := &exportProgress{meter: newMeter(out, "exported", total), keys: keys, estimate: estimate, now: time.Now}
	p.meter.about = total > 0
	return p
}

// add counts rows and bytes that are done, up to the key last.
func (p *exportProgress) add(rows, bytes int64, last []byte) {
	if p.meter.about {
		if now := p.now(); last != nil && now.Sub(p.asked) >= estimateEvery {
			p.asked = now
			p.ask(last, p.meter.bytes+bytes)
		}
		// Between two estimates the total must stay ahead.
		soFar := p.meter.bytes + bytes
		p.meter.expect(max(p.meter.total, int64(float64(soFar)/estimateMost)+1))
	}
	p.meter.add(rows, bytes)
}

// ask brings the total up to date after so many bytes of text.
func (p *exportProgress) ask(last []byte, soFar int64) {
	before, err := p.estimate(p.keys.Begin, last)
	if err != nil {
		return // The export will meet it too, and say it.
	}
	whole, err := p.estimate(p.keys.Begin, p.keys.End)
	if err != nil || whole <= 0 {
		return
	}
	p.done = max(p.done, min(float64(before)/float64(whole), estimateMost))
	if p.done > 0 {
		p.meter.expect(int64(float64(soFar) / p.done))
	}
}
