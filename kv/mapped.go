package kv

import (
	"iter"
	"strconv"
	"strings"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv/tuple"
)

// MappedRow is a row of a range and what its mapped key leads to.
type MappedRow struct {
	// KeyValue is the row itself, an entry of an index perhaps.
	KeyValue
	// Mapped is the key that the mapper made of the row, or the prefix if the
	// mapper ends in "{...}".
	Mapped []byte
	// Rows are the row of that key, none if it is absent, or all rows below the
	// prefix.
	Rows []KeyValue
}

// The sizes of the batches in which rows are mapped: reads of one batch travel
// together.
const (
	firstMappedRows = 8
	maxMappedRows   = 256
)

// MapRange reads rows and, with r, what each of them leads to; FoundationDB's
// name is get_mapped_range. An index that holds the primary keys of records is
// thus read together with the records:
//
//	index := tx.Range(tuple.Tuple{"index", "by city", "Oslo"}.Range(), kv.RangeOptions{})
//	mapper := tuple.Tuple{"record", "{K[3]}", "{...}"}.Pack()
//	for row, err := range kv.MapRange(tx, index, mapper) {
//
// The mapper is a packed tuple. Its strings and byte strings of the form
// "{K[i]}" and "{V[i]}" stand for the i-th element, from 0, of the row's key or
// value, which must be packed tuples then; "{...}" as the last element asks for
// all rows below the mapped key; "{{" and "}}" are braces; everything else
// stands for itself.
//
// It reads as r and rows do: with own writes and conflicts, unless r is a
// snapshot. It works ahead by some rows, up to 256, so breaking off leaves read
// conflicts on those too. Errors are ErrMapperNotTuple, ErrMapperBadRange,
// ErrMapperBadIndex, ErrKeyNotTuple, ErrValueNotTuple, and those of the reads.
func MapRange(r Reader, rows *RangeResult, mapper []byte) iter.Seq2[MappedRow, error] {
	return func(yield func(MappedRow, error) bool) {
		m, err := parseMapper(mapper)
		if err != nil {
			yield(MappedRow{}, err)
			return
		}
		batch, size := make([]KeyValue, 0, firstMappedRows), firstMappedRows
		for row, err := range rows.All() {
			if err != nil {
				if m.yieldBatch(r, batch, yield) {
					yield(MappedRow{}, err)
				}
				return
			}
			if batch = append(batch, row); len(batch) < size {
				continue
			}
			if !m.yieldBatch(r, batch, yield) {
				return
			}
			batch, size = batch[:0], min(2*size, maxMappedRows)
		}
		m.yieldBatch(r, batch, yield)
	}
}

// mapper is a parsed mapper.
type mapper struct {
	elements []mapperElement
	// prefix says that all rows below the mapped key are wanted.
	prefix bool
}

// mapperElement stands for a literal or for an element of the row.
type mapperElement struct {
	literal tuple.Element
	// from is 'K' or 'V' for an element of the row's key or value, and index is
	// the text of its place there.
	from  byte
	index string
}

func parseMapper(packed []byte) (*mapper, error) {
	elements, err := tuple.Unpack(packed)
	if err != nil {
		return nil, wire.ErrMapperNotTuple.Because(err)
	}
	m := &mapper{}
	for i, e := range elements {
		text, isText := e.(string)
		bytes, isBytes := e.([]byte)
		if isBytes {
			text = string(bytes)
		}
		unescaped := strings.ReplaceAll(strings.ReplaceAll(text, "{{", "{"), "}}", "}")
		switch {
		case !isText && !isBytes:
		case unescaped != text && isBytes:
			e = []byte(unescaped)
		case unescaped != text:
			e = unescaped
		case text == "{...}" && i != len(elements)-1:
			return nil, wire.ErrMapperBadRange
		case text == "{...}":
			m.prefix = true
			continue
		case isReference(text):
			m.elements = append(m.elements, mapperElement{from: text[1], index: text[3 : len(text)-2]})
			continue
		}
		m.elements = append(m.elements, mapperElement{literal: e})
	}
	return m, nil
}

// isReference reports whether text is of the form {K[i]} or {V[i]}.
func isReference(text string) bool {
	return len(text) > len("{K[]}") && (strings.HasPrefix(text, "{K[") || strings.HasPrefix(text, "{V[")) && strings.HasSuffix(text, "]}")
}

// key returns the key that row is mapped to.
func (m *mapper) key(row KeyValue) ([]byte, error) {
	var parts struct{ key, value tuple.Tuple }
	out := make(tuple.Tuple, 0, len(m.elements))
	for _, e := range m.elements {
		if e.from == 0 {
			out = append(out, e.literal)
			continue
		}
		from, packed, failure := &parts.key, row.Key, wire.ErrKeyNotTuple
		if e.from == 'V' {
			from, packed, failure = &parts.value, row.Value, wire.ErrValueNotTuple
		}
		if *from == nil {
			var err error
			if *from, err = tuple.Unpack(packed); err != nil {
				return nil, failure.With("row %s: the mapper asks for an element of a tuple that is none", printable(row.Key)).Because(err)
			}
		}
		i, err := strconv.Atoi(e.index)
		if err != nil || i < 0 || i >= len(*from) {
			return nil, wire.ErrMapperBadIndex.With("row %s: the mapper asks for element %q of a tuple of %d", printable(row.Key), e.index, len(*from))
		}
		out = append(out, (*from)[i])
	}
	key, err := out.Append(nil)
	if err != nil {
		return nil, wire.ErrMapperNotTuple.Because(err)
	}
	return key, nil
}

// yieldBatch maps some rows, whose reads travel together, and yields them.
func (m *mapper) yieldBatch(r Reader, rows []KeyValue, yield func(MappedRow, error) bool) bool {
	keys := make([][]byte, len(rows))
	gets := make([]Future[[]byte], len(rows))
	errs := make([]error, len(rows))
	for i, row := range rows {
		if keys[i], errs[i] = m.key(row); errs[i] == nil && !m.prefix {
			gets[i] = r.Get(keys[i])
		}
	}
	for i, row := range rows {
		mapped := MappedRow{KeyValue: row, Mapped: keys[i]}
		err := errs[i]
		switch {
		case err != nil:
		case m.prefix:
			mapped.Rows, err = r.Range(PrefixRange(keys[i]), RangeOptions{}).Slice()
		default:
			var value []byte
			if value, err = gets[i].Wait(); value != nil {
				mapped.Rows = []KeyValue{{Key: append([]byte{}, keys[i]...), Value: value}}
			}
		}
		if err != nil {
			yield(MappedRow{}, err)
			return false
		}
		if !yield(mapped, nil) {
			return false
		}
	}
	return true
}
