package typed

import (
	"encoding/base64"
	"fmt"
	"iter"

	"github.com/plinthdb/plinth/kv"
)

// Range reads the rows of a span in key order, or from its end with
// options.Reverse. The rows are those that the span held when Range was called.
// An error ends the iteration, as its last pair; *DecodeError is one of them.
func (m *Map[K, V]) Range(r kv.Reader, span Span[K], options kv.RangeOptions) iter.Seq2[Row[K, V], error] {
	keys, err := m.rangeOf(span)
	if err != nil {
		return failed[Row[K, V]](err)
	}
	return m.rows(r.Range(keys, options).All())
}

// rows decodes rows.
func (m *Map[K, V]) rows(raw iter.Seq2[kv.KeyValue, error]) iter.Seq2[Row[K, V], error] {
	return func(yield func(Row[K, V], error) bool) {
		for row, err := range raw {
			var out Row[K, V]
			if err == nil {
				out, err = m.row(row)
			}
			if !yield(out, err) || err != nil {
				return
			}
		}
	}
}

// row decodes one row.
func (m *Map[K, V]) row(raw kv.KeyValue) (row Row[K, V], err error) {
	if row.Key, err = m.lastKey(raw.Key); err != nil {
		return row, err
	}
	if row.Value, err = m.values.DecodeValue(raw.Value); err != nil {
		return Row[K, V]{}, &DecodeError{Key: raw.Key, Part: "value", Err: err}
	}
	return row, nil
}

// failed is an iteration that only tells err.
func failed[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		yield(none, err)
	}
}

// PageOptions says which page of a span to read.
type PageOptions struct {
	// Limit is the number of rows of a page, at least 1.
	Limit int
	// After is the Next of the page before, empty for the first.
	After string
	// Reverse reads from the end of the span to its beginning.
	Reverse bool
}

// Page is some rows that follow one another.
type Page[K, V any] struct {
	Rows []Row[K, V]
	// Next continues after these rows, in this or any later transaction. It is
	// text that may be part of a URL, not secret and not signed. It is empty if
	// there are no more rows.
	Next string
}

// Page reads one page of a span. Continuations come back from outside, so what
// is none gives an error that wraps ErrToken; one of the same map never shows
// rows outside of the span.
func (m *Map[K, V]) Page(r kv.Reader, span Span[K], options PageOptions) (page Page[K, V], err error) {
	read, err := m.pageRange(r, span, options, func(token []byte) error {
		_, err := m.lastKey(append([]byte(m.prefix), token...))
		return err
	})
	if err != nil {
		return page, err
	}
	raw, next, err := m.pageRows(read, options.Limit)
	if err != nil {
		return page, err
	}
	page.Rows = make([]Row[K, V], len(raw))
	for i := range raw {
		if page.Rows[i], err = m.row(raw[i]); err != nil {
			return Page[K, V]{}, err
		}
	}
	page.Next = next
	return page, nil
}

// tokenFormat begins every continuation; the rest is a key without the prefix
// of its map or index.
const tokenFormat = 1

// pageRange begins the read of a page and the row after it.
func (t *table[K]) pageRange(r kv.Reader, span Span[K], options PageOptions, check func(token []byte) error) (*kv.RangeResult, error) {
	if options.Limit < 1 {
		return nil, kv.ErrRangeLimitsInvalid.With("a page of %d rows: the limit must be at least 1", options.Limit)
	}
	keys, err := t.rangeOf(span)
	if err != nil {
		return nil, err
	}
	if options.After != "" {
		last, err := t.readToken(options.After, check)
		if err != nil {
			return nil, err
		}
		keys = behind(keys, last, options.Reverse)
	}
	return r.Range(keys, kv.RangeOptions{Limit: options.Limit + 1, Reverse: options.Reverse}), nil
}

// behind returns the part of keys that a read comes to after last.
func behind(keys kv.KeyRange, last []byte, reverse bool) kv.KeyRange {
	switch {
	case reverse && string(last) < string(keys.End):
		keys.End = last
	case !reverse && string(last) >= string(keys.Begin):
		keys.Begin = kv.KeyAfter(last)
	}
	return notInverted(keys)
}

// pageRows reads up to limit rows, and says how to go on.
func (t *table[K]) pageRows(read *kv.RangeResult, limit int) (rows []kv.KeyValue, next string, err error) {
	rows, err = read.Slice()
	if err != nil || len(rows) <= limit {
		return rows, "", err
	}
	rows = rows[:limit]
	token := append([]byte{tokenFormat}, rows[limit-1].Key[len(t.prefix):]...)
	return rows, base64.RawURLEncoding.EncodeToString(token), nil
}

// readToken returns the whole key that a continuation names.
func (t *table[K]) readToken(text string, check func(token []byte) error) ([]byte, error) {
	token, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(token) == 0 || token[0] != tokenFormat {
		return nil, fmt.Errorf("%w: %q", ErrToken, text)
	}
	if err := check(token[1:]); err != nil {
		return nil, fmt.Errorf("%w: %q: %w", ErrToken, text, err)
	}
	return append([]byte(t.prefix), token[1:]...), nil
}
