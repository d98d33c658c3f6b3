package kv_test

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/sim/oracle"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

var background = context.Background()

var (
	keys   = rapid.StringMatching(`[abc]{0,3}`)
	values = rapid.StringMatching(`[xyz]{0,3}`)
	bases  = rapid.MapOf(keys, values)
)

var atomics = []kv.MutationType{
	kv.MutationAdd, kv.MutationBitAnd, kv.MutationBitOr, kv.MutationBitXor, kv.MutationAppendIfFits,
	kv.MutationMax, kv.MutationMin, kv.MutationByteMin, kv.MutationByteMax, kv.MutationCompareAndClear,
}

// drawSpan draws a range that is not inverted.
func drawSpan(t *rapid.T) oracle.Span {
	begin, end := keys.Draw(t, "begin"), rapid.OneOf(keys, rapid.Just(wire.SystemPrefix)).Draw(t, "end")
	return oracle.Span{Begin: min(begin, end), End: max(begin, end)}
}

// drawWrite draws one write. Without unknown there are none whose outcome is
// known only after the commit, or does not depend on each bit of the old value.
func drawWrite(t *rapid.T, unknown bool) write {
	kinds := []string{"set", "clear", "clear range", "add"}
	if unknown {
		kinds = append(kinds, "atomic", "atomic", "stamped value", "stamped key")
	}
	key, value := []byte(keys.Draw(t, "key")), []byte(values.Draw(t, "value"))
	kind := rapid.SampledFrom(kinds).Draw(t, "write")
	w := write{mutation: wire.Mutation{Param1: key, Param2: value}}
	m := &w.mutation
	w.issue = func(tx *kv.Transaction) { tx.Atomic(m.Type, m.Param1, m.Param2) }
	switch kind {
	case "set":
		m.Type = wire.SetValue
		w.issue = func(tx *kv.Transaction) { tx.Set(key, value) }
	case "clear":
		m.Type, m.Param2 = wire.ClearRange, kv.KeyAfter(key)
		w.issue = func(tx *kv.Transaction) { tx.Clear(key) }
	case "clear range":
		r := drawSpan(t).KeyRange()
		*m = wire.Mutation{Type: wire.ClearRange, Param1: r.Begin, Param2: r.End}
		w.issue = func(tx *kv.Transaction) { tx.ClearRange(r) }
	case "add":
		m.Type, m.Param2 = kv.MutationAdd, []byte("\x01\x02\x03\x04")
	case "atomic":
		m.Type = rapid.SampledFrom(atomics).Draw(t, "op")
	case "stamped value":
		m.Type, m.Param2 = kv.MutationSetVersionstampedValue, stampParam(string(value), len(value))
	case "stamped key":
		m.Type, m.Param1 = kv.MutationSetVersionstampedKey, stampParam(string(key), len(key))
	}
	w.text = fmt.Sprintf("%s %d %q %q", kind, m.Type, m.Param1, m.Param2)
	return w
}

// stampParam returns content with room for a stamp at offset.
func stampParam(content string, offset int) []byte {
	param := []byte(content[:offset] + "0123456789" + content[offset:])
	return binary.LittleEndian.AppendUint32(param, uint32(offset))
}

func drawRead(t *rapid.T) read {
	switch rapid.SampledFrom([]string{"get", "get", "key", "range", "range", "selectors"}).Draw(t, "read") {
	case "get":
		return getRead(keys.Draw(t, "key"))
	case "key":
		return keyRead(drawSelector(t))
	case "range":
		s := drawSpan(t)
		return rangeRead(fmt.Sprintf("range %q", s), drawRangeOptions(t), rapid.Bool().Draw(t, "slice"),
			func(*oracle.Rows) (oracle.Span, error) { return s, nil },
			func(r kv.Reader, o kv.RangeOptions) *kv.RangeResult { return r.Range(s.KeyRange(), o) })
	default:
		begin, end := drawSelector(t), drawSelector(t)
		r := rangeRead(fmt.Sprintf("selectors %v %v", begin, end), drawRangeOptions(t), rapid.Bool().Draw(t, "slice"),
			func(rows *oracle.Rows) (oracle.Span, error) {
				b, err := rows.Bound(begin)
				e, err2 := rows.Bound(end)
				return oracle.Span{Begin: b, End: e}, cmp.Or(err, err2)
			},
			func(r kv.Reader, o kv.RangeOptions) *kv.RangeResult { return r.RangeSelectors(begin, end, o) })
		r.depends = func(rows *oracle.Rows) (text string) {
			for _, s := range []kv.KeySelector{begin, end} {
				if s.Offset != 1 {
					text += passedText(rows, s)
				}
			}
			return text + r.expect(rows)
		}
		return r
	}
}

func drawSelector(t *rapid.T) kv.KeySelector {
	return kv.KeySelector{
		Key:     []byte(keys.Draw(t, "selector key")),
		OrEqual: rapid.Bool().Draw(t, "or equal"),
		Offset:  rapid.IntRange(-4, 5).Draw(t, "offset"),
	}
}

func drawRangeOptions(t *rapid.T) kv.RangeOptions {
	o := kv.RangeOptions{
		Limit:      rapid.SampledFrom([]int{0, 0, 1, 2, 5}).Draw(t, "limit"),
		LimitBytes: rapid.SampledFrom([]int{0, 0, 0, 1, 7, 20}).Draw(t, "limit bytes"),
		Reverse:    rapid.Bool().Draw(t, "reverse"),
		Mode:       kv.StreamingMode(rapid.IntRange(0, int(kv.StreamingSerial)).Draw(t, "mode")),
	}
	if o.Mode == kv.StreamingExact && o.Limit == 0 && o.LimitBytes == 0 {
		o.Mode = kv.StreamingSmall
	}
	return o
}

func getRead(key string) read {
	return read{
		text:   fmt.Sprintf("get %q", key),
		expect: func(rows *oracle.Rows) string { return getText(rows, key) },
		issue: func(r kv.Reader) func() string {
			f := r.Get([]byte(key))
			return func() string {
				value, err := f.Wait()
				if err != nil {
					return errorText(err)
				}
				return valueText(value)
			}
		},
	}
}

func keyRead(s kv.KeySelector) read {
	return read{
		text:    fmt.Sprintf("key %v", s),
		depends: func(rows *oracle.Rows) string { return passedText(rows, s) },
		expect: func(rows *oracle.Rows) string {
			key, err := rows.Key(s)
			if err != nil {
				return errorText(err)
			}
			return fmt.Sprintf("%q", key)
		},
		issue: func(r kv.Reader) func() string {
			f := r.GetKey(s)
			return func() string {
				key, err := f.Wait()
				if err != nil {
					return errorText(err)
				}
				return fmt.Sprintf("%q", key)
			}
		},
	}
}

// rangeRead is a range read in one piece or row by row.
func rangeRead(text string, o kv.RangeOptions, slice bool, where func(*oracle.Rows) (oracle.Span, error),
	open func(kv.Reader, kv.RangeOptions) *kv.RangeResult) read {
	return read{
		text: fmt.Sprintf("%s %+v slice=%t", text, o, slice),
		expect: func(rows *oracle.Rows) string {
			s, err := where(rows)
			if err != nil {
				return errorText(err)
			}
			found, err := rows.Scan(s, o)
			if err != nil && slice {
				return errorText(err)
			}
			return rowsText(found, err)
		},
		issue: func(r kv.Reader) func() string {
			result := open(r, o)
			if slice {
				return func() string { return rowsText(result.Slice()) }
			}
			return func() string {
				var rows []kv.KeyValue
				for row, err := range result.All() {
					if err != nil {
						return rowsText(rows, err)
					}
					rows = append(rows, row)
				}
				return rowsText(rows, nil)
			}
		},
	}
}

func errorText(err error) string {
	if errors.Is(err, kv.ErrAccessedUnreadable) {
		return unreadableText
	}
	return "error: " + err.Error()
}

// checkUntil checks a property until enough of what it is about has happened:
// twenty checks, as with -short, may happen to have none of it.
func checkUntil(t *testing.T, enough func() bool, property func(*rapid.T)) {
	t.Helper()
	rapid.Check(t, property)
	for round := 0; round < 50 && !enough(); round++ {
		rapid.Check(t, property)
	}
}
