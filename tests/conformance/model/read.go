package model

import (
	"github.com/plinthdb/plinth/internal/sim/oracle"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/tests/conformance/machine"
)

// snapshot reads without conflicts.
type snapshot struct{ t *transaction }

// depend notes that the transaction depends on what is stored in s, but for
// what own writes determine.
func (t *transaction) depend(s oracle.Span) {
	rest := []oracle.Span{s}
	for _, d := range t.determined {
		var next []oracle.Span
		for _, r := range rest {
			if left := (oracle.Span{Begin: r.Begin, End: min(r.End, d.Begin)}); left.Begin < left.End {
				next = append(next, left)
			}
			if right := (oracle.Span{Begin: max(r.Begin, d.End), End: r.End}); right.Begin < right.End {
				next = append(next, right)
			}
		}
		rest = next
	}
	t.reads = append(t.reads, rest...)
}

// dependOn does depend for reads that are not of a snapshot.
func (t *transaction) dependOn(s oracle.Span, snapshot bool) {
	if !snapshot {
		t.depend(s)
	}
}

// answer makes a future of what is known already.
func answer(value any, err error) machine.Future {
	return func() (any, error) { return value, err }
}

func (t *transaction) Get(key []byte) machine.Future { return t.get(key, false) }
func (s snapshot) Get(key []byte) machine.Future     { return s.t.get(key, true) }

func (t *transaction) get(key []byte, snapshot bool) machine.Future {
	if err := t.usable(); err != nil {
		return answer(nil, err)
	}
	if err := checkKey(key); err == errKeyTooLarge && !t.store.dialect.LongKeysFail {
		return answer(nil, nil)
	} else if err != nil {
		return answer(nil, err)
	}
	value, err := t.look(snapshot).Get(string(key))
	if err != nil {
		return answer(nil, errUnreadable)
	}
	t.dependOn(oracle.Point(string(key)), snapshot)
	if value == nil {
		return answer(nil, nil)
	}
	return answer(value, nil)
}

func (t *transaction) GetKey(s machine.Selector) machine.Future { return t.getKey(s, false) }
func (s snapshot) GetKey(sel machine.Selector) machine.Future   { return s.t.getKey(sel, true) }

func (t *transaction) getKey(s machine.Selector, snapshot bool) machine.Future {
	if err := t.usable(); err != nil {
		return answer(nil, err)
	}
	if string(s.Key) > system {
		return answer(nil, errOutsideLegalRange)
	}
	key, err := t.find(s, snapshot)
	if err != nil {
		return answer(nil, err)
	}
	return answer([]byte(key), nil)
}

// find resolves a selector.
func (t *transaction) find(s machine.Selector, snapshot bool) (string, error) {
	selector := kv.KeySelector{Key: s.Key, OrEqual: s.OrEqual, Offset: s.Offset}
	key, err := t.look(snapshot).Key(selector)
	if err != nil {
		return "", errUnreadable
	}
	from := string(s.Key)
	if s.OrEqual && from < system {
		from += "\x00"
	}
	passed := oracle.Span{Begin: key, End: from}
	if s.Offset > 0 {
		passed = oracle.Span{Begin: from, End: min(key+"\x00", system)}
	}
	t.dependOn(passed, snapshot)
	return key, nil
}

// bound returns the bound that a selector gives a range.
func (t *transaction) bound(s machine.Selector, snapshot bool) (string, error) {
	if s.Offset != 1 {
		return t.find(s, snapshot)
	}
	if s.OrEqual && string(s.Key) < system {
		return string(s.Key) + "\x00", nil
	}
	return string(s.Key), nil
}

func (t *transaction) Range(begin, end []byte, o machine.RangeOptions) ([]machine.KeyValue, error) {
	return t.rangeOf(begin, end, o, false)
}

func (s snapshot) Range(begin, end []byte, o machine.RangeOptions) ([]machine.KeyValue, error) {
	return s.t.rangeOf(begin, end, o, true)
}

func (t *transaction) rangeOf(begin, end []byte, o machine.RangeOptions, snapshot bool) ([]machine.KeyValue, error) {
	exact := o.Mode == machine.ModeExact && o.Limit == 0 // whose error comes first
	if string(begin) > string(end) && t.store.dialect.InvertedRangeFails && !exact && t.usable() == nil {
		return nil, errInvertedRange
	}
	return t.selected(machine.Selector{Key: begin, Offset: 1}, machine.Selector{Key: end, Offset: 1}, o, snapshot)
}

func (t *transaction) RangePrefix(prefix []byte, o machine.RangeOptions) ([]machine.KeyValue, error) {
	begin, end := prefixBounds(string(prefix))
	return t.rangeOf([]byte(begin), []byte(end), o, false)
}

func (s snapshot) RangePrefix(prefix []byte, o machine.RangeOptions) ([]machine.KeyValue, error) {
	begin, end := prefixBounds(string(prefix))
	return s.t.rangeOf([]byte(begin), []byte(end), o, true)
}

func (t *transaction) RangeSelectors(begin, end machine.Selector, o machine.RangeOptions) ([]machine.KeyValue, error) {
	return t.selected(begin, end, o, false)
}

func (s snapshot) RangeSelectors(begin, end machine.Selector, o machine.RangeOptions) ([]machine.KeyValue, error) {
	return s.t.selected(begin, end, o, true)
}

func (t *transaction) selected(begin, end machine.Selector, o machine.RangeOptions, snapshot bool) ([]machine.KeyValue, error) {
	switch {
	case o.Mode == machine.ModeExact && o.Limit == 0:
		return nil, errExactWithoutLimits
	case t.usable() != nil:
		return nil, t.usable()
	case string(begin.Key) > system || string(end.Key) > system:
		return nil, errOutsideLegalRange
	}
	lower, err := t.bound(begin, snapshot)
	if err != nil {
		return nil, err
	}
	upper, err := t.bound(end, snapshot)
	if err != nil {
		return nil, err
	}
	rows, err := t.look(snapshot).Scan(oracle.Span{Begin: lower, End: upper}, kv.RangeOptions{Limit: o.Limit, Reverse: o.Reverse})
	limited := o.Limit > 0 && len(rows) == o.Limit
	if err != nil {
		err = errUnreadable
		if o.Mode <= machine.ModeExact || !t.store.dialect.RowsConflictUntilError || len(rows) == 0 {
			return nil, err
		}
		limited = true
	}
	if limited && o.Reverse {
		lower = string(rows[len(rows)-1].Key)
	} else if limited {
		upper = string(rows[len(rows)-1].Key) + "\x00"
	}
	if lower < upper {
		t.dependOn(oracle.Span{Begin: lower, End: upper}, snapshot)
	}
	if err != nil {
		return nil, err
	}
	return ownRows(rows), nil
}

func ownRows(rows []kv.KeyValue) []machine.KeyValue {
	out := make([]machine.KeyValue, len(rows))
	for i, row := range rows {
		out[i] = machine.KeyValue{Key: row.Key, Value: row.Value}
	}
	return out
}

func (s snapshot) ReadVersion() (int64, error) { return s.t.ReadVersion() }

// EstimatedRangeSize implements machine.Reader. What it would be nobody
// promises.
func (t *transaction) EstimatedRangeSize(begin, end []byte) (int64, error) {
	return 0, t.measure(begin, end)
}

func (s snapshot) EstimatedRangeSize(begin, end []byte) (int64, error) {
	return s.t.EstimatedRangeSize(begin, end)
}

// RangeSplitPoints implements machine.Reader. Beyond the bounds nobody promises
// any.
func (t *transaction) RangeSplitPoints(begin, end []byte, chunkBytes int64) ([][]byte, error) {
	err := t.measure(begin, end)
	if err == nil && chunkBytes <= 0 {
		err = errInvalidOperation
	}
	return [][]byte{begin, end}, err
}

func (s snapshot) RangeSplitPoints(begin, end []byte, chunkBytes int64) ([][]byte, error) {
	return s.t.RangeSplitPoints(begin, end, chunkBytes)
}

// measure returns why nothing can be said of a range.
func (t *transaction) measure(begin, end []byte) error {
	if err := t.usable(); err != nil {
		return err
	}
	return t.checkRange(begin, end)
}
