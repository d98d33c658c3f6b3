package kv_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/plinthdb/plinth/internal/atomicop"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
)

// world is what a transaction should see: a plain map, and the keys that
// cannot be read before the commit.
type world struct {
	rows       map[string]string
	unreadable []span
}

// span is the keys from begin up to end.
type span struct{ begin, end string }

func (w *world) clone() *world {
	return &world{rows: maps.Clone(w.rows), unreadable: slices.Clone(w.unreadable)}
}

// write changes a transaction and its world alike.
type write struct {
	text  string
	apply func(*world)
	issue func(*kv.Transaction)
}

// read is one read, as a transaction does it and as it ought to come out.
// Outcomes are compared as text.
type read struct {
	text   string
	expect func(*world) string
	// depends is all that the read looks at, if that is more than its outcome.
	depends func(*world) string
	// issue begins the read; the function that it returns waits for it.
	issue func(kv.Reader) func() string
}

// define makes all keys of s readable and absent, but for the rows given.
func (w *world) define(s span, rows map[string]string) {
	maps.DeleteFunc(w.rows, func(k, _ string) bool { return s.begin <= k && k < s.end })
	maps.Copy(w.rows, rows)
	var rest []span
	for _, u := range w.unreadable {
		if left := (span{u.begin, min(u.end, s.begin)}); left.begin < left.end {
			rest = append(rest, left)
		}
		if right := (span{max(u.begin, s.end), u.end}); right.begin < right.end {
			rest = append(rest, right)
		}
	}
	w.unreadable = rest
}

// hide makes all keys of s unreadable.
func (w *world) hide(s span) {
	w.define(s, nil)
	w.unreadable = append(w.unreadable, s)
}

func (w *world) hidden(key string) bool {
	return slices.ContainsFunc(w.unreadable, func(u span) bool { return u.begin <= key && key < u.end })
}

func point(key string) span { return span{key, key + "\x00"} }

func (w *world) atomic(op kv.MutationType, key, operand string) {
	if w.hidden(key) {
		return
	}
	old, present := w.rows[key]
	value, left := atomicop.Apply(op, []byte(old), present, []byte(operand))
	if left {
		w.define(point(key), map[string]string{key: string(value)})
	} else {
		w.define(point(key), nil)
	}
}

const unreadableText = "unreadable"

// get is the outcome of Get.
func (w *world) get(key string) string {
	if w.hidden(key) {
		return unreadableText
	}
	value, present := w.rows[key]
	return valueText([]byte(value), present)
}

func valueText(value []byte, present bool) string {
	if !present {
		return "absent"
	}
	return fmt.Sprintf("%q", value)
}

// scan returns the rows of s up to the limits, and whether the scan then came
// to keys that cannot be read.
func (w *world) scan(s span, o kv.RangeOptions) (rows []kv.KeyValue, failed bool) {
	if s.begin >= s.end {
		return nil, false
	}
	begin, end := s.begin, s.end
	for _, u := range w.unreadable {
		if u.begin >= s.end || u.end <= s.begin {
			continue
		}
		failed = true
		if o.Reverse {
			begin = max(begin, u.end)
		} else {
			end = min(end, u.begin)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(w.rows)) {
		if begin <= key && key < end {
			rows = append(rows, kv.KeyValue{Key: []byte(key), Value: []byte(w.rows[key])})
		}
	}
	if o.Reverse {
		slices.Reverse(rows)
	}
	size := 0
	for i, row := range rows {
		size += len(row.Key) + len(row.Value)
		if o.Limit > 0 && i+1 >= o.Limit || o.LimitBytes > 0 && size >= o.LimitBytes {
			return rows[:i+1], false
		}
	}
	return rows, failed
}

func rowsText(rows []kv.KeyValue, failed bool) string {
	var b bytes.Buffer
	for _, row := range rows {
		fmt.Fprintf(&b, "%q=%q ", row.Key, row.Value)
	}
	if failed {
		b.WriteString(unreadableText)
	}
	return b.String()
}

// passed are the rows that a selector counts, and what it gives if there are
// fewer than limit.
func (w *world) passed(s kv.KeySelector) (rows []kv.KeyValue, failed bool, limit int, runOff string) {
	bound := string(s.Key)
	if s.OrEqual {
		bound += "\x00"
	}
	if s.Offset > 0 {
		rows, failed = w.scan(span{bound, wire.SystemPrefix}, kv.RangeOptions{Limit: s.Offset})
		return rows, failed, s.Offset, wire.SystemPrefix
	}
	rows, failed = w.scan(span{"", bound}, kv.RangeOptions{Limit: 1 - s.Offset, Reverse: true})
	return rows, failed, 1 - s.Offset, ""
}

// selected is the outcome of GetKey; ok is false if it cannot be known.
func (w *world) selected(s kv.KeySelector) (key string, ok bool) {
	rows, failed, limit, runOff := w.passed(s)
	switch {
	case failed:
		return "", false
	case len(rows) < limit:
		return runOff, true
	}
	return string(rows[limit-1].Key), true
}

// passedText is all that a selector depends on: conflicts know no keys without
// their values.
func (w *world) passedText(s kv.KeySelector) (text string) {
	rows, _, _, _ := w.passed(s)
	for _, row := range rows {
		text += fmt.Sprintf("%q=%q ", row.Key, row.Value)
	}
	return text
}

// load makes a store that holds rows.
func load(rows map[string]string) *model.Store {
	store := model.New()
	commit := &wire.CommitRequest{}
	for key, value := range rows {
		commit.Mutations = wire.AppendMutation(commit.Mutations, wire.Mutation{Param1: []byte(key), Param2: []byte(value)})
	}
	if _, err := store.Commit(background, commit); err != nil {
		panic(err)
	}
	return store
}
