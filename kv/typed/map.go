package typed

import (
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/subspace"
)

// Map stores values of type V under keys of type K, in key order. See the
// package comment.
type Map[K, V any] struct {
	table[K]
	values  Codec[V]
	indexes []keeper[K, V]
}

// NewMap returns the map in a subspace, which must hold nothing else. A
// subspace of a directory will do as well as any other.
func NewMap[K, V any](space subspace.Subspace, keys KeyCodec[K], values Codec[V]) *Map[K, V] {
	return &Map[K, V]{table: newTable(space, keys), values: values}
}

// Row is one row of a map.
type Row[K, V any] struct {
	Key   K
	Value V
}

// Future is the value of a row that is on its way.
type Future[K, V any] struct {
	m   *Map[K, V]
	key K
	raw kv.Future[[]byte]
	err error
}

// Get returns the future value of key. As with kv.Reader.Get, nothing is sent
// before the first wait.
func (m *Map[K, V]) Get(r kv.Reader, key K) Future[K, V] {
	buf := m.takeBuffer()
	defer m.giveBack(buf)
	f := Future[K, V]{m: m, key: key}
	packed, err := m.wholeKey(*buf, key)
	if err != nil {
		f.err = err
		return f
	}
	*buf = packed
	f.raw = r.Get(packed)
	return f
}

// Wait returns the value, and whether there is one. Errors are those of package
// kv, *EncodeError and *DecodeError.
func (f Future[K, V]) Wait() (value V, found bool, err error) {
	if f.err != nil {
		return value, false, f.err
	}
	raw, err := f.raw.Wait()
	if err != nil || raw == nil {
		return value, false, err
	}
	if value, err = f.m.values.DecodeValue(raw); err == nil {
		return value, true, nil
	}
	packed, keyErr := f.m.wholeKey(nil, f.key)
	if keyErr != nil {
		return value, false, keyErr
	}
	var none V
	return none, false, &DecodeError{Key: packed, Part: "value", Err: err}
}

// Has reports whether there is a row, without decoding it.
func (m *Map[K, V]) Has(r kv.Reader, key K) (bool, error) {
	f := m.Get(r, key)
	if f.err != nil {
		return false, f.err
	}
	raw, err := f.raw.Wait()
	return raw != nil, err
}

// Set gives key a value. The errors are *EncodeError and, if the map has
// indexes, *DuplicateError and those of reading the old row. What package kv
// does not accept, such as a key that is too long, shows when the transaction
// is committed.
func (m *Map[K, V]) Set(tx *kv.Transaction, key K, value V) error {
	if len(m.indexes) == 0 {
		return m.put(tx, key, value)
	}
	return m.Update(tx, key, func(V, bool) (V, error) { return value, nil })
}

// Update gives key the value that change makes of the one that it has; found
// says whether it has one. If change returns an error, nothing is written and
// Update returns it.
func (m *Map[K, V]) Update(tx *kv.Transaction, key K, change func(value V, found bool) (V, error)) error {
	old, found, err := m.Get(tx, key).Wait()
	if err != nil {
		return err
	}
	w, err := m.replacement(key, optional(&old, found)) // first: change may write to what old refers to
	if err != nil {
		return err
	}
	value, err := change(old, found)
	if err != nil {
		return err
	}
	return m.replace(tx, w, &value)
}

// Delete removes the row of key, if there is one.
func (m *Map[K, V]) Delete(tx *kv.Transaction, key K) error {
	if len(m.indexes) > 0 {
		old, found, err := m.Get(tx, key).Wait()
		if err != nil || !found {
			return err
		}
		return m.remove(tx, key, &old)
	}
	buf := m.takeBuffer()
	defer m.giveBack(buf)
	packed, err := m.wholeKey(*buf, key)
	if err != nil {
		return err
	}
	*buf = packed
	tx.Clear(packed)
	return nil
}

// DeleteRange removes all rows of the span. Without indexes that is one write,
// whatever the number of rows; with indexes the rows are read and removed one
// by one, and if there is an error in the midst of that some rows are removed.
func (m *Map[K, V]) DeleteRange(tx *kv.Transaction, span Span[K]) error {
	if len(m.indexes) == 0 {
		r, err := m.rangeOf(span)
		if err == nil {
			tx.ClearRange(r)
		}
		return err
	}
	for row, err := range m.Range(tx, span, kv.RangeOptions{}) {
		if err == nil {
			err = m.remove(tx, row.Key, &row.Value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func optional[V any](v *V, found bool) *V {
	if !found {
		return nil
	}
	return v
}

// put writes a row without its index entries.
func (m *Map[K, V]) put(tx *kv.Transaction, key K, value V) error {
	buf := m.takeBuffer()
	defer m.giveBack(buf)
	packed, err := m.wholeKey(*buf, key)
	if err != nil {
		return err
	}
	*buf = packed
	all, err := m.values.AppendValue(packed, value)
	if err != nil {
		return m.valueError(err)
	}
	*buf = all
	tx.Set(all[:len(packed)], all[len(packed):])
	return nil
}

func (m *Map[K, V]) valueError(err error) error {
	return &EncodeError{Prefix: []byte(m.prefix), Part: "value", Err: err}
}

// replacement is a row on its way from one value to another.
type replacement[K any] struct {
	key     K
	packed  []byte     // whole key
	entries [][][]byte // keys of the entries of the old value, by index
}

// replacement begins to replace old, nil if there is no row.
func (m *Map[K, V]) replacement(key K, old *V) (w replacement[K], err error) {
	w.key = key
	if w.packed, err = m.wholeKey(nil, key); err != nil {
		return w, err
	}
	for _, index := range m.indexes {
		entries, err := index.entryKeys(key, w.packed[len(m.prefix):], old)
		if err != nil {
			return w, err
		}
		w.entries = append(w.entries, entries)
	}
	return w, nil
}

// remove removes a row and its index entries.
func (m *Map[K, V]) remove(tx *kv.Transaction, key K, old *V) error {
	w, err := m.replacement(key, old)
	if err != nil {
		return err
	}
	return m.replace(tx, w, nil)
}

// replace writes a row, or removes it if value is nil, and brings the indexes
// into step. It writes nothing unless everything can be written (D4).
func (m *Map[K, V]) replace(tx *kv.Transaction, w replacement[K], value *V) error {
	var encoded []byte
	var err error
	if value != nil {
		if encoded, err = m.values.AppendValue(nil, *value); err != nil {
			return m.valueError(err)
		}
	}
	changes := make([]change, len(m.indexes))
	for i, index := range m.indexes {
		if changes[i], err = index.plan(w.key, w.packed[len(m.prefix):], w.entries[i], value); err != nil {
			return err
		}
		changes[i].ask(tx)
	}
	for i := range changes {
		if err := changes[i].check(m.prefix); err != nil {
			return err
		}
	}
	for i := range changes {
		changes[i].write(tx)
	}
	if value == nil {
		tx.Clear(w.packed)
	} else {
		tx.Set(w.packed, encoded)
	}
	return nil
}
