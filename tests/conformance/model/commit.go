package model

import (
	"bytes"
	"slices"

	"github.com/plinthdb/plinth/internal/sim/oracle"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/tests/conformance/machine"
)

// Commit implements machine.Transaction.
func (t *transaction) Commit() machine.Future {
	err := t.commit()
	return func() (any, error) { return nil, err }
}

func (t *transaction) commit() error {
	if err := t.usable(); err != nil {
		return err
	}
	t.ended, t.hadVersion = errUsedDuringCommit, t.base != nil
	o := &outcome{}
	t.outcomeOf().set(o)
	t.apply(o)
	if t.store.dialect.CommitResets {
		unknown := t.unknown && o.err != nil
		t.Reset()
		t.unknown, t.last = unknown, o
	}
	return o.err
}

// apply does what the transaction has collected, or says why it cannot.
func (t *transaction) apply(o *outcome) {
	if len(t.mutations) == 0 && len(t.writes) == 0 {
		t.committed = true
		return
	}
	t.read()
	if t.store.writtenSince(t.version, t.reads) {
		o.err = errNotCommitted
		return
	}
	t.committed = true
	o.stamp, o.version = t.store.nextStamp()
	rows := oracle.New(t.store.last().values)
	for _, m := range t.mutations {
		if m.Type == wire.SetValue { // by far the most, and all rows can be read
			rows.Values[string(m.Param1)] = string(m.Param2)
			continue
		}
		rows.Commit([]wire.Mutation{m}, o.stamp)
	}
	for _, param := range t.stampedKeys {
		t.writes = append(t.writes, possibleKeys(param, wire.MakeStamp(wire.Version(t.version), 0)))
	}
	t.store.states = append(t.store.states, state{o.version, rows.Values})
	t.store.commits = append(t.store.commits, commit{o.version, slices.Clone(t.writes)})
}

// possibleKeys are those that a versionstamped key can become.
func possibleKeys(param string, least wire.Stamp) oracle.Span {
	n := len(param) - 4
	place := int(param[n]) | int(param[n+1])<<8
	begin, end := []byte(param[:n]), []byte(param[:n]+"\x00")
	copy(begin[place:], least[:])
	copy(end[place:], bytes.Repeat([]byte{0xff}, wire.StampBytes))
	return oracle.Span{Begin: string(begin), End: string(end)}
}

// end is where the outcome of an attempt is written to and read from. It
// outlives the attempt.
type end struct{ o *outcome }

func (e *end) set(o *outcome) { e.o = o }

// OnError implements machine.Transaction.
func (t *transaction) OnError(code int) machine.Future {
	err := t.onError(code)
	return func() (any, error) { return nil, err }
}

func (t *transaction) onError(code int) error {
	t.unknown = t.unknown || mayBeCommitted(code)
	switch {
	case !isRetryable(code):
		switch d := t.store.dialect; {
		case d.OnErrorCancels:
			t.cancelled = true
		case d.OnErrorResets:
			t.Reset()
		}
		return failure(code)
	case t.cancelled && !t.store.dialect.CommitOutlivesCancel:
		return errCancelled
	}
	t.reset()
	switch {
	case !t.cancelled:
		return nil
	case t.store.dialect.UnknownOutcomeSticks && t.unknown:
		return errUnknownResult
	}
	return errCancelled
}

// Reset implements machine.Transaction.
func (t *transaction) Reset() {
	if t.store.dialect.ResetRevives {
		t.cancelled = false
	}
	t.unknown, t.last = false, nil
	t.reset()
}

func (t *transaction) reset() {
	if e := t.outcomeOf(); e.o == nil {
		e.o = &outcome{err: errCancelled}
	}
	t.attempt = attempt{}
}

// Cancel implements machine.Transaction.
func (t *transaction) Cancel() {
	t.cancelled = true
	if e := t.outcomeOf(); e.o == nil {
		e.o = &outcome{err: errCancelled}
	}
}

// outcomeOf returns where the outcome of this attempt goes.
func (t *transaction) outcomeOf() *end {
	if t.outcome == nil {
		t.outcome = &end{}
	}
	return t.outcome
}

// CommittedVersion implements machine.Transaction.
func (t *transaction) CommittedVersion() (int64, error) {
	if o := t.outcomeOf().o; o != nil && o.version != 0 {
		return o.version, nil
	}
	if t.last != nil && t.last.version != 0 {
		return t.last.version, nil
	}
	if t.store.dialect.NoCommitVersion {
		return 0, errNoCommitVersion
	}
	return -1, nil
}

// Versionstamp implements machine.Transaction. A program that waits before the
// outcome is known would wait for ever.
func (t *transaction) Versionstamp() machine.Future {
	e := t.outcomeOf()
	return func() (any, error) {
		switch {
		case e.o == nil:
			return nil, errWaitsForEver
		case e.o.err != nil:
			return nil, e.o.err
		case e.o.version == 0:
			return nil, errNoCommitVersion
		}
		return clone(e.o.stamp[:]), nil
	}
}
