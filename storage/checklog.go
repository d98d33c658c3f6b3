package storage

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/plinthdb/plinth/internal/rowsum"
	"github.com/plinthdb/plinth/internal/wire"
)

// LogReader is what CheckLog compares an engine with. Read is called once,
// with the version at which the engine stands, and hands every version of the
// server's tag that the log keeps to apply, ascending; lists need only be valid
// during the call. Read may return ErrNoComparison if the two do not fit
// together in a way that makes comparing them pointless.
type LogReader struct {
	Read func(engine wire.Version, apply func(v wire.TaggedVersion) error) error
	// End is the version at which the log ends. At lists further versions, from
	// the engine's up to End, whose states are wanted.
	End wire.Version
	At  []wire.Version
}

// State sums up the rows of users at one version.
type State struct {
	Version wire.Version `json:"version"`
	Rows    int64        `json:"rows"`
	Bytes   int64        `json:"bytes"`
	// Sum is equal for equal rows only, see internal/rowsum.
	Sum string `json:"sum"`
}

// maxMismatches is how many differences CheckLog reports.
const maxMismatches = 10

// comparison holds an engine against a log: what the log has up to the
// engine's version must be what the engine holds, as far as the log alone says
// it; what it has after that is applied, to know the state at its end.
type comparison struct {
	engine  *engine
	version wire.Version
	log     LogReader
	at      []wire.Version // ascending, not passed yet
	// before and after are what the log has up to the engine's version, and
	// what it has after it.
	before, after *overlay
	report        *Report
	buf           []byte
}

func newComparison(e *engine, log LogReader, report *Report) *comparison {
	c := &comparison{engine: e, version: report.Version, log: log, report: report, before: newOverlay(nil)}
	c.after = newOverlay(c.stored)
	for _, v := range log.At {
		if v >= c.version && v <= log.End {
			c.at = append(c.at, v)
		}
	}
	slices.Sort(c.at)
	c.at = slices.Compact(c.at)
	return c
}

// stored returns a copy of the engine's value of key, nil if there is none.
func (c *comparison) stored(key []byte) (value []byte, err error) {
	value, c.buf, err = c.engine.getInto(key, new(arena), c.buf)
	return value, err
}

// read reads the log and compares what it has set.
func (c *comparison) read(ctx context.Context) error {
	if err := c.log.Read(c.version, func(v wire.TaggedVersion) error { return c.apply(ctx, v) }); err != nil {
		return err
	}
	if err := c.sumBefore(ctx, wire.MaxVersion); err != nil {
		return err
	}
	return c.compareRows(ctx)
}

func (c *comparison) apply(ctx context.Context, v wire.TaggedVersion) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	target := c.before
	if v.Version > c.version {
		target = c.after
		if err := c.sumBefore(ctx, v.Version); err != nil {
			return err
		}
	}
	for _, list := range v.Lists {
		mutations := wire.ReadMutations(list)
		for {
			m, ok, err := mutations.Next()
			if err != nil {
				return wire.ErrFileCorrupt.With("log: version %d: %v", v.Version, err)
			}
			if !ok {
				break
			}
			if err := target.apply(m); err != nil {
				return err
			}
		}
	}
	c.report.Replayed++
	return nil
}

// sumBefore sums up the wanted states below version: all that is before it has
// been applied.
func (c *comparison) sumBefore(ctx context.Context, version wire.Version) error {
	for len(c.at) > 0 && c.at[0] < version {
		if err := c.sum(ctx, c.at[0]); err != nil {
			return err
		}
		c.at = c.at[1:]
	}
	return nil
}

// sum adds the state that the log has led to so far to the report.
func (c *comparison) sum(ctx context.Context, version wire.Version) error {
	s := rowsum.New()
	rows := c.after.merger(userRows(s))
	if err := c.engine.scan(ctx, func(key, value []byte) error { rows.add(key, value); return nil }); err != nil {
		return err
	}
	rows.finish()
	c.report.addState(version, s)
	return nil
}

func userRows(s *rowsum.Sum) func(key, value []byte) {
	return func(key, value []byte) {
		if bytes.Compare(key, []byte(wire.SystemPrefix)) < 0 {
			s.Add(key, value)
		}
	}
}

func (r *Report) addState(version wire.Version, s *rowsum.Sum) {
	r.States = append(r.States, State{Version: version, Rows: s.Rows(), Bytes: s.Bytes(), Sum: s.String()})
}

// finish returns what to call with every row of the engine, and then once at
// the end: it compares what the log has cleared, and sums up the state at the
// log's end.
func (c *comparison) finish() (row func(key, value []byte), end func()) {
	s := rowsum.New()
	rows := c.after.merger(userRows(s))
	row = func(key, value []byte) {
		if _, state := c.before.look(key); state == absent {
			c.mismatch("row %.60q is there, by the log it was cleared", key)
		}
		rows.add(key, value)
	}
	end = func() {
		rows.finish()
		c.report.addState(max(c.log.End, c.version), s)
	}
	return row, end
}

// compareRows verifies that what the log has set the engine holds.
func (c *comparison) compareRows(ctx context.Context) (err error) {
	c.before.rows.Ascend(func(row *overlayRow) bool {
		if row.state != present {
			return true
		}
		var value []byte
		if value, err = c.stored(row.key); err == nil {
			err = ctx.Err()
		}
		switch {
		case err != nil:
			return false
		case value == nil:
			return c.mismatch("row %.60q is missing: by the log it has %d bytes", row.key, len(row.value))
		case !bytes.Equal(value, row.value):
			return c.mismatch("row %.60q holds %.60q, by the log it is %.60q", row.key, value, row.value)
		}
		return true
	})
	return err
}

// mismatch notes a difference and reports whether more are of interest.
func (c *comparison) mismatch(format string, args ...any) bool {
	if len(c.report.Mismatches) < maxMismatches {
		c.report.Mismatches = append(c.report.Mismatches, fmt.Sprintf(format, args...))
	}
	return len(c.report.Mismatches) < maxMismatches
}
