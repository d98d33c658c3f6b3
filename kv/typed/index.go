package typed

import (
	"bytes"
	"iter"
	"slices"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/subspace"
)

// Index finds the rows of a Map[K, V] by keys of type I. An entry's key is the
// index key followed by the key of its row; in a unique index it is the index
// key alone, and the key of the row is its value.
type Index[I, K, V any] struct {
	table[I]
	m      *Map[K, V]
	unique bool
	of     func(K, V) iter.Seq[I]
}

// NewIndex adds to m an index in a subspace of its own, with one entry for each
// row: the one that of returns, which must depend on nothing but its arguments.
// Add all indexes before the map is used.
func NewIndex[I, K, V any](m *Map[K, V], space subspace.Subspace, keys KeyCodec[I], of func(K, V) I) *Index[I, K, V] {
	return addIndex(m, space, keys, false, func(key K, value V) iter.Seq[I] {
		return func(yield func(I) bool) { yield(of(key, value)) }
	})
}

// NewUniqueIndex is NewIndex for keys that no two rows may share: writing a
// second one is a *DuplicateError.
func NewUniqueIndex[I, K, V any](m *Map[K, V], space subspace.Subspace, keys KeyCodec[I], of func(K, V) I) *Index[I, K, V] {
	x := NewIndex(m, space, keys, of)
	x.unique = true
	return x
}

// NewMultiIndex is NewIndex for rows with any number of entries, or none; equal
// ones count once:
//
//	func(_ PostID, p Post) iter.Seq[string] { return slices.Values(p.Tags) }
func NewMultiIndex[I, K, V any](m *Map[K, V], space subspace.Subspace, keys KeyCodec[I], of func(K, V) iter.Seq[I]) *Index[I, K, V] {
	return addIndex(m, space, keys, false, of)
}

// NewUniqueMultiIndex is NewMultiIndex for keys that no two rows may share.
func NewUniqueMultiIndex[I, K, V any](m *Map[K, V], space subspace.Subspace, keys KeyCodec[I], of func(K, V) iter.Seq[I]) *Index[I, K, V] {
	return addIndex(m, space, keys, true, of)
}

func addIndex[I, K, V any](m *Map[K, V], space subspace.Subspace, keys KeyCodec[I], unique bool, of func(K, V) iter.Seq[I]) *Index[I, K, V] {
	x := &Index[I, K, V]{table: newTable(space, keys), m: m, unique: unique, of: of}
	m.indexes = append(m.indexes, x)
	return x
}

// Entry is one entry of an index.
type Entry[I, K any] struct {
	Index I
	Key   K
}

// entry decodes one entry.
func (x *Index[I, K, V]) entry(raw kv.KeyValue) (e Entry[I, K], err error) {
	index, rest, err := x.cutKey(raw.Key)
	if err != nil {
		return e, err
	}
	if x.unique {
		if err := noLeftover(raw.Key, "key", rest); err != nil {
			return e, err
		}
		rest = raw.Value
	}
	key, rest, err := x.m.keys.CutKey(rest)
	if err != nil {
		return e, &DecodeError{Key: raw.Key, Part: "index entry", Err: err}
	}
	return Entry[I, K]{index, key}, noLeftover(raw.Key, "index entry", rest)
}

// Range reads the entries of a span of index keys, those of equal index keys in
// the order of their rows, without reading the rows.
func (x *Index[I, K, V]) Range(r kv.Reader, span Span[I], options kv.RangeOptions) iter.Seq2[Entry[I, K], error] {
	keys, err := x.rangeOf(span)
	if err != nil {
		return failed[Entry[I, K]](err)
	}
	raw := r.Range(keys, options)
	return func(yield func(Entry[I, K], error) bool) {
		for row, err := range raw.All() {
			var e Entry[I, K]
			if err == nil {
				e, err = x.entry(row)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Find returns the first row of an index key, the only one if the index is
// unique, and whether there is one.
func (x *Index[I, K, V]) Find(r kv.Reader, index I) (row Row[K, V], found bool, err error) {
	for row, err := range x.Rows(r, Only(index), kv.RangeOptions{Limit: 1}) {
		return row, err == nil, err
	}
	return row, false, nil
}

// lookAhead is how many rows are asked for in one message.
const lookAhead = 64

// Rows reads the rows of a span of index keys, in the order of the entries. It
// reads the rows of up to 64 entries at once. A row that the transaction itself
// removed since Rows was called is left out.
func (x *Index[I, K, V]) Rows(r kv.Reader, span Span[I], options kv.RangeOptions) iter.Seq2[Row[K, V], error] {
	keys, err := x.rangeOf(span)
	if err != nil {
		return failed[Row[K, V]](err)
	}
	raw := r.Range(keys, options)
	return func(yield func(Row[K, V], error) bool) {
		batch := make([]kv.KeyValue, 0, lookAhead)
		size := 1 // small at first: many callers want only a few rows
		for entry, err := range raw.All() {
			if err != nil {
				yield(Row[K, V]{}, err)
				return
			}
			if batch = append(batch, entry); len(batch) < size {
				continue
			}
			if !x.follow(r, batch, yield) {
				return
			}
			batch, size = batch[:0], min(4*size, lookAhead)
		}
		x.follow(r, batch, yield)
	}
}

// follow yields the rows of some entries, and reports whether to go on.
func (x *Index[I, K, V]) follow(r kv.Reader, entries []kv.KeyValue, yield func(Row[K, V], error) bool) bool {
	futures := make([]Future[K, V], len(entries))
	for i, raw := range entries {
		e, err := x.entry(raw)
		if futures[i] = (Future[K, V]{err: err}); err == nil {
			futures[i] = x.m.Get(r, e.Key)
		}
	}
	for i, f := range futures {
		value, found, err := f.Wait()
		if err == nil && !found {
			err = x.whyMissing(r, entries[i].Key)
			if err == nil {
				continue
			}
		}
		if !yield(Row[K, V]{f.key, value}, err) || err != nil {
			return false
		}
	}
	return true
}

// whyMissing returns an error if the entry, whose row is not there, still is.
func (x *Index[I, K, V]) whyMissing(r kv.Reader, entry []byte) error {
	value, err := r.Get(entry).Wait()
	if err == nil && value != nil {
		err = &DecodeError{Key: entry, Part: "index entry", Err: ErrBrokenIndex}
	}
	return err
}

// Page is Map.Page in the order of the index.
func (x *Index[I, K, V]) Page(r kv.Reader, span Span[I], options PageOptions) (page Page[K, V], err error) {
	read, err := x.pageRange(r, span, options, func(token []byte) error {
		_, rest, err := x.cutKey(append([]byte(x.prefix), token...))
		if err == nil && !x.unique {
			_, rest, err = x.m.keys.CutKey(rest)
		}
		if err == nil {
			err = noLeftover(token, "continuation", rest)
		}
		return err
	})
	if err != nil {
		return page, err
	}
	raw, next, err := x.pageRows(read, options.Limit)
	if err != nil {
		return page, err
	}
	page.Next = next
	page.Rows = make([]Row[K, V], 0, len(raw))
	x.follow(r, raw, func(row Row[K, V], rowErr error) bool {
		page.Rows, err = append(page.Rows, row), rowErr
		return err == nil
	})
	if err != nil {
		return Page[K, V]{}, err
	}
	return page, nil
}

// Fill makes the entries of up to limit rows of the map, beginning after the
// continuation of the call before (at first ""). Call it in one transaction
// after another until the continuation that it returns is empty. Programs that
// write to the map must know the index by then: their writes and the filling
// do not disturb each other.
func (x *Index[I, K, V]) Fill(tx *kv.Transaction, limit int, after string) (next string, err error) {
	page, err := x.m.Page(tx, All[K](), PageOptions{Limit: limit, After: after})
	if err != nil {
		return "", err
	}
	for _, row := range page.Rows {
		packed, err := x.m.wholeKey(nil, row.Key)
		if err != nil {
			return "", err
		}
		c, err := x.plan(row.Key, packed[len(x.m.prefix):], nil, &row.Value)
		if err != nil {
			return "", err
		}
		c.ask(tx)
		if err := c.check(x.m.prefix); err != nil {
			return "", err
		}
		c.write(tx)
	}
	return page.Next, nil
}

// entryKeys returns the sorted keys of the entries of a row, none for a nil
// value. packed is the row's key without its prefix.
func (x *Index[I, K, V]) entryKeys(key K, packed []byte, value *V) (entries [][]byte, err error) {
	if value == nil {
		return nil, nil
	}
	for index := range x.of(key, *value) {
		entry, err := x.wholeKey(nil, index)
		if err != nil {
			return nil, err
		}
		if !x.unique {
			entry = append(entry, packed...)
		}
		entries = append(entries, entry)
	}
	slices.SortFunc(entries, bytes.Compare)
	return slices.CompactFunc(entries, bytes.Equal), nil
}
