package kv_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"pgregory.net/rapid"

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
func drawSpan(t *rapid.T) span {
	begin, end := keys.Draw(t, "begin"), rapid.OneOf(keys, rapid.Just(wire.SystemPrefix)).Draw(t, "end")
	return span{min(begin, end), max(begin, end)}
}

func (s span) keyRange() kv.KeyRange { return kv.KeyRange{Begin: []byte(s.begin), End: []byte(s.end)} }

// drawWrite draws one write. Without unknown there are none whose outcome is
// known only after the commit, or does not depend on each bit of the old value.
func drawWrite(t *rapid.T, unknown bool) write {
	kinds := []string{"set", "clear", "clear range", "add"}
	if unknown {
		kinds = append(kinds, "atomic", "atomic", "stamped value", "stamped key")
	}
	key, value := keys.Draw(t, "key"), values.Draw(t, "value")
	kind := rapid.SampledFrom(kinds).Draw(t, "write")
	w := write{text: fmt.Sprintf("%s %q %q", kind, key, value)}
	switch kind {
	case "set":
		w.apply = func(w *world) { w.define(point(key), map[string]string{key: value}) }
		w.issue = func(tx *kv.Transaction) { tx.Set([]byte(key), []byte(value)) }
	case "clear":
		w.apply = func(w *world) { w.define(point(key), nil) }
		w.issue = func(tx *kv.Transaction) { tx.Clear([]byte(key)) }
	case "clear range":
		s := drawSpan(t)
		w.text = fmt.Sprintf("%s %q", kind, s)
		w.apply = func(w *world) { w.define(s, nil) }
		w.issue = func(tx *kv.Transaction) { tx.ClearRange(s.keyRange()) }
	case "add":
		w.apply = func(w *world) { w.atomic(kv.MutationAdd, key, "\x01\x02\x03\x04") }
		w.issue = func(tx *kv.Transaction) { tx.Add([]byte(key), []byte("\x01\x02\x03\x04")) }
	case "atomic":
		op := rapid.SampledFrom(atomics).Draw(t, "op")
		w.text = fmt.Sprintf("%s %d %q %q", kind, op, key, value)
		w.apply = func(w *world) { w.atomic(op, key, value) }
		w.issue = func(tx *kv.Transaction) { tx.Atomic(op, []byte(key), []byte(value)) }
	case "stamped value":
		param := stampParam(value, len(value))
		w.apply = func(w *world) { w.hide(point(key)) }
		w.issue = func(tx *kv.Transaction) { tx.SetVersionstampedValue([]byte(key), param) }
	case "stamped key":
		param := stampParam(key, len(key))
		least, most := key+strings.Repeat("\x00", 10), key+strings.Repeat("\xff", 10)
		w.apply = func(w *world) { w.hide(span{least, most + "\x00"}) }
		w.issue = func(tx *kv.Transaction) { tx.SetVersionstampedKey(param, []byte(value)) }
	}
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
			func(*world) (span, bool) { return s, true },
			func(r kv.Reader, o kv.RangeOptions) *kv.RangeResult { return r.Range(s.keyRange(), o) })
	default:
		begin, end := drawSelector(t), drawSelector(t)
		r := rangeRead(fmt.Sprintf("selectors %v %v", begin, end), drawRangeOptions(t), rapid.Bool().Draw(t, "slice"),
			func(w *world) (span, bool) {
				b, ok := resolved(w, begin)
				e, ok2 := resolved(w, end)
				return span{b, e}, ok && ok2
			},
			func(r kv.Reader, o kv.RangeOptions) *kv.RangeResult { return r.RangeSelectors(begin, end, o) })
		r.depends = func(w *world) (text string) {
			for _, s := range []kv.KeySelector{begin, end} {
				if s.Offset != 1 {
					text += w.passedText(s)
				}
			}
			return text + r.expect(w)
		}
		return r
	}
}

// resolved is the bound of a range that s gives. A selector that needs no
// reading is never unreadable.
func resolved(w *world, s kv.KeySelector) (string, bool) {
	if s.Offset == 1 && s.OrEqual {
		return string(s.Key) + "\x00", true
	} else if s.Offset == 1 {
		return string(s.Key), true
	}
	return w.selected(s)
}

func drawSelector(t *rapid.T) kv.KeySelector {
	return kv.KeySelector{
		Key:     []byte(keys.Draw(t, "selector key")),
		OrEqual: rapid.Bool().Draw(t, "or equal"),
		Offset:  rapid.IntRange(-4, 5).Draw(t, "offset"),
	}
}

func drawRangeOptions(t *rapid.T) kv.RangeOptions {
	return kv.RangeOptions{
		Limit:      rapid.SampledFrom([]int{0, 0, 1, 2, 5}).Draw(t, "limit"),
		LimitBytes: rapid.SampledFrom([]int{0, 0, 0, 1, 7, 20}).Draw(t, "limit bytes"),
		Reverse:    rapid.Bool().Draw(t, "reverse"),
	}
}

func getRead(key string) read {
	return read{
		text:   fmt.Sprintf("get %q", key),
		expect: func(w *world) string { return w.get(key) },
		issue: func(r kv.Reader) func() string {
			f := r.Get([]byte(key))
			return func() string {
				value, err := f.Wait()
				if err != nil {
					return errorText(err)
				}
				return valueText(value, value != nil)
			}
		},
	}
}

func keyRead(s kv.KeySelector) read {
	return read{
		text:    fmt.Sprintf("key %v", s),
		depends: func(w *world) string { return w.passedText(s) },
		expect: func(w *world) string {
			key, ok := w.selected(s)
			if !ok {
				return unreadableText
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
func rangeRead(text string, o kv.RangeOptions, slice bool, where func(*world) (span, bool),
	open func(kv.Reader, kv.RangeOptions) *kv.RangeResult) read {
	return read{
		text: fmt.Sprintf("%s %+v slice=%t", text, o, slice),
		expect: func(w *world) string {
			s, ok := where(w)
			if !ok {
				return unreadableText
			}
			rows, failed := w.scan(s, o)
			if failed && slice {
				return unreadableText
			}
			return rowsText(rows, failed)
		},
		issue: func(r kv.Reader) func() string {
			result := open(r, o)
			if slice {
				return func() string {
					rows, err := result.Slice()
					if err != nil {
						return errorText(err)
					}
					return rowsText(rows, false)
				}
			}
			return func() string {
				var rows []kv.KeyValue
				for row, err := range result.All() {
					if errors.Is(err, kv.ErrAccessedUnreadable) {
						return rowsText(rows, true)
					} else if err != nil {
						return errorText(err)
					}
					rows = append(rows, row)
				}
				return rowsText(rows, false)
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
