package workload

import (
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/plinthdb/plinth/internal/sim/oracle"
	"github.com/plinthdb/plinth/kv"
)

// apiRead is a read call with its arguments. Outcomes are compared as text.
type apiRead struct {
	text string
	// expect is the outcome in a transaction that sees rows.
	expect func(rows *oracle.Rows) string
	// issue begins the call. The function that it returns waits for the outcome.
	issue func(r kv.Reader) func() (string, error)
}

// reach is the largest offset of the selectors in random reads.
const reach = 4

// read draws a read of any kind for a transaction that sees rows.
func (k apiKeys) read(rows *oracle.Rows) apiRead {
	switch n := k.rng.IntN(20); {
	case n < 8:
		return getRead(k.key())
	case n < 12:
		return k.keyRead(k.selector(reach))
	case n < 17:
		s := k.span()
		return k.rangeRead(fmt.Sprintf("range %q", s), func(*oracle.Rows) (oracle.Span, error) { return s, nil },
			func(r kv.Reader, o kv.RangeOptions) *kv.RangeResult { return r.Range(s.KeyRange(), o) })
	}
	begin, end := k.selectorWithin(rows), k.selectorWithin(rows)
	return k.rangeRead(fmt.Sprintf("range from %s to %s", selectorText(begin), selectorText(end)),
		func(rows *oracle.Rows) (oracle.Span, error) { return boundsOf(rows, begin, end) },
		func(r kv.Reader, o kv.RangeOptions) *kv.RangeResult { return r.RangeSelectors(begin, end, o) })
}

// selectorWithin draws a selector that names a key with the prefix.
func (k apiKeys) selectorWithin(rows *oracle.Rows) kv.KeySelector {
	for range 4 {
		s := k.selector(reach)
		if bound, err := rows.Bound(s); err != nil || k.all().Contains(bound) {
			return s
		}
	}
	return kv.FirstGreaterOrEqual([]byte(k.key()))
}

func boundsOf(rows *oracle.Rows, begin, end kv.KeySelector) (s oracle.Span, err error) {
	if s.Begin, err = rows.Bound(begin); err != nil {
		return s, err
	}
	s.End, err = rows.Bound(end)
	return s, err
}

func selectorText(s kv.KeySelector) string {
	return fmt.Sprintf("(%q, %v, %+d)", s.Key, s.OrEqual, s.Offset)
}

func getRead(key string) apiRead {
	return apiRead{
		text: fmt.Sprintf("get %q", key),
		expect: func(rows *oracle.Rows) string {
			value, err := rows.Get(key)
			text, _ := outcomeText(valueText(value, err), err)
			return text
		},
		issue: func(r kv.Reader) func() (string, error) {
			future := r.Get([]byte(key))
			return func() (string, error) {
				value, err := future.Wait()
				return outcomeText(valueText(value, err), err)
			}
		},
	}
}

// valueText distinguishes absent from empty values.
func valueText(value []byte, err error) string {
	switch {
	case err != nil:
		return ""
	case value == nil:
		return "absent"
	}
	return contentText(value)
}

// contentText is a key or value as text. A long one is cut, with its length and
// checksum: quoting costs more than everything else that a call does.
func contentText(content []byte) string {
	const shownBytes = 64
	if len(content) <= shownBytes {
		return strconv.Quote(string(content))
	}
	return fmt.Sprintf("%q... (%d bytes, crc %08x)", content[:shownBytes/2], len(content), crc32.ChecksumIEEE(content))
}

func (k apiKeys) keyRead(s kv.KeySelector) apiRead {
	return apiRead{
		text: "key " + selectorText(s),
		expect: func(rows *oracle.Rows) string {
			key, err := rows.Key(s)
			text, _ := outcomeText(k.placeText(key, err), err)
			return text
		},
		issue: func(r kv.Reader) func() (string, error) {
			future := r.GetKey(s)
			return func() (string, error) {
				key, err := future.Wait()
				return outcomeText(k.placeText(string(key), err), err)
			}
		},
	}
}

// placeText says which of the client's keys a selector named, or on which side
// of them it ended: there others have keys.
func (k apiKeys) placeText(key string, err error) string {
	switch all := k.all(); {
	case err != nil:
		return ""
	case key < all.Begin:
		return "before all"
	case key >= all.End:
		return "behind all"
	}
	return fmt.Sprintf("%q", key)
}

// rangeRead draws how a range is read: its limits, at once or row by row,
// perhaps not to the end. where are its bounds.
func (k apiKeys) rangeRead(text string, where func(*oracle.Rows) (oracle.Span, error),
	open func(kv.Reader, kv.RangeOptions) *kv.RangeResult) apiRead {
	o := k.limits()
	slice, enough := k.rng.IntN(2) == 0, -1
	if !slice && k.rng.IntN(3) == 0 {
		enough = 1 + k.rng.IntN(6)
	}
	return apiRead{
		text: fmt.Sprintf("%s %+v slice=%v enough=%d", text, o, slice, enough),
		expect: func(rows *oracle.Rows) string {
			s, err := where(rows)
			var found []kv.KeyValue
			if err == nil {
				found, err = rows.Scan(s, o)
			}
			switch {
			case err != nil && slice:
				found = nil
			case enough >= 0 && len(found) >= enough:
				found, err = found[:enough], nil
			}
			text, _ := outcomeText(rowsText(found), err)
			return text
		},
		issue: func(r kv.Reader) func() (string, error) {
			result := open(r, o)
			return func() (string, error) {
				if slice {
					rows, err := result.Slice()
					return outcomeText(rowsText(rows), err)
				}
				rows, err := k.take(result, enough)
				return outcomeText(rowsText(rows), err)
			}
		},
	}
}

// take iterates until it has enough rows.
func (k apiKeys) take(result *kv.RangeResult, enough int) (rows []kv.KeyValue, err error) {
	for row, err := range result.All() {
		if err != nil {
			return rows, err
		}
		if rows = append(rows, row); len(rows) == enough {
			break
		}
		if k.between != nil {
			k.between()
		}
	}
	return rows, nil
}

func rowsText(rows []kv.KeyValue) string {
	var b strings.Builder
	for _, row := range rows {
		fmt.Fprintf(&b, "%s=%s ", contentText(row.Key), contentText(row.Value))
	}
	return b.String()
}
