package fdbclient

import (
	"github.com/apple/foundationdb/bindings/go/src/fdb"

	"github.com/plinthdb/plinth/tests/conformance/machine"
)

// reader is an fdb.ReadTransaction as the machine sees it.
type reader struct{ tr fdb.ReadTransaction }

// Get implements machine.Reader.
func (r reader) Get(key []byte) machine.Future {
	f := r.tr.Get(fdb.Key(key))
	return func() (any, error) {
		value, err := f.Get()
		if err != nil || value == nil {
			return nil, err
		}
		return value, nil
	}
}

// GetKey implements machine.Reader.
func (r reader) GetKey(s machine.Selector) machine.Future { return keyFuture(r.tr.GetKey(selector(s))) }

func keyFuture(f fdb.FutureKey) machine.Future {
	return func() (any, error) {
		key, err := f.Get()
		if err != nil {
			return nil, err
		}
		return append([]byte{}, key...), nil
	}
}

func selector(s machine.Selector) fdb.KeySelector {
	return fdb.KeySelector{Key: fdb.Key(s.Key), OrEqual: s.OrEqual, Offset: s.Offset}
}

func keyRange(begin, end []byte) fdb.KeyRange {
	return fdb.KeyRange{Begin: fdb.Key(begin), End: fdb.Key(end)}
}

// Range implements machine.Reader.
func (r reader) Range(begin, end []byte, o machine.RangeOptions) ([]machine.KeyValue, error) {
	return r.rows(keyRange(begin, end), o)
}

// RangePrefix implements machine.Reader.
func (r reader) RangePrefix(prefix []byte, o machine.RangeOptions) ([]machine.KeyValue, error) {
	keys, err := fdb.PrefixRange(prefix)
	if err != nil {
		return nil, err
	}
	return r.rows(keys, o)
}

// RangeSelectors implements machine.Reader.
func (r reader) RangeSelectors(begin, end machine.Selector, o machine.RangeOptions) ([]machine.KeyValue, error) {
	return r.rows(fdb.SelectorRange{Begin: selector(begin), End: selector(end)}, o)
}

// rows reads a range, row by row for some modes and at once for the others.
func (r reader) rows(keys fdb.Range, o machine.RangeOptions) ([]machine.KeyValue, error) {
	result := r.tr.GetRange(keys, fdb.RangeOptions{
		Limit:   o.Limit,
		Reverse: o.Reverse,
		Mode:    fdb.StreamingMode(o.Mode + 1), // the binding counts from -1
	})
	var out []machine.KeyValue
	if o.Mode <= machine.ModeExact {
		rows, err := result.GetSliceWithError()
		for _, row := range rows {
			out = append(out, machine.KeyValue{Key: row.Key, Value: row.Value})
		}
		return out, err
	}
	for i := result.Iterator(); i.Advance(); {
		row, err := i.Get()
		if err != nil {
			return nil, err
		}
		out = append(out, machine.KeyValue{Key: row.Key, Value: row.Value})
	}
	return out, nil
}

// ReadVersion implements machine.Reader.
func (r reader) ReadVersion() (int64, error) { return r.tr.GetReadVersion().Get() }

// EstimatedRangeSize implements machine.Reader.
func (r reader) EstimatedRangeSize(begin, end []byte) (int64, error) {
	return r.tr.GetEstimatedRangeSizeBytes(keyRange(begin, end)).Get()
}

// RangeSplitPoints implements machine.Reader.
func (r reader) RangeSplitPoints(begin, end []byte, chunkBytes int64) ([][]byte, error) {
	keys, err := r.tr.GetRangeSplitPoints(keyRange(begin, end), chunkBytes).Get()
	points := make([][]byte, len(keys))
	for i, key := range keys {
		points[i] = key
	}
	return points, err
}

// transaction is an fdb.Transaction as the machine sees it.
type transaction struct {
	reader
	client *Client
	tr     fdb.Transaction
}

func (t *transaction) Snapshot() machine.Reader { return reader{t.tr.Snapshot()} }
func (t *transaction) Set(key, value []byte)    { t.tr.Set(fdb.Key(key), value) }
func (t *transaction) Clear(key []byte)         { t.tr.Clear(fdb.Key(key)) }

func (t *transaction) ClearRange(begin, end []byte) { t.tr.ClearRange(keyRange(begin, end)) }

func (t *transaction) ClearPrefix(prefix []byte) error {
	keys, err := fdb.PrefixRange(prefix)
	if err == nil {
		t.tr.ClearRange(keys)
	}
	return err
}

// atomicOperation returns an atomic operation by its name.
func atomicOperation(name string) func(fdb.Transaction, fdb.KeyConvertible, []byte) {
	switch name {
	case "ADD":
		return fdb.Transaction.Add
	case "AND", "BIT_AND": // And, Or and Xor are deprecated names
		return fdb.Transaction.BitAnd
	case "OR", "BIT_OR":
		return fdb.Transaction.BitOr
	case "XOR", "BIT_XOR":
		return fdb.Transaction.BitXor
	case "APPEND_IF_FITS":
		return fdb.Transaction.AppendIfFits
	case "MAX":
		return fdb.Transaction.Max
	case "MIN":
		return fdb.Transaction.Min
	case "SET_VERSIONSTAMPED_KEY":
		return fdb.Transaction.SetVersionstampedKey
	case "SET_VERSIONSTAMPED_VALUE":
		return fdb.Transaction.SetVersionstampedValue
	case "BYTE_MIN":
		return fdb.Transaction.ByteMin
	case "BYTE_MAX":
		return fdb.Transaction.ByteMax
	case "COMPARE_AND_CLEAR":
		return fdb.Transaction.CompareAndClear
	}
	return nil
}

func (t *transaction) Atomic(name string, key, operand []byte) bool {
	operation := atomicOperation(name)
	if operation == nil {
		return false
	}
	operation(t.tr, fdb.Key(key), operand)
	return true
}

func (t *transaction) AddReadConflict(begin, end []byte) error {
	return t.tr.AddReadConflictRange(keyRange(begin, end))
}

func (t *transaction) AddWriteConflict(begin, end []byte) error {
	return t.tr.AddWriteConflictRange(keyRange(begin, end))
}

func (t *transaction) AddReadConflictKey(key []byte) error {
	return t.tr.AddReadConflictKey(fdb.Key(key))
}

func (t *transaction) AddWriteConflictKey(key []byte) error {
	return t.tr.AddWriteConflictKey(fdb.Key(key))
}

func (t *transaction) NextWriteWithoutConflict() {
	// The option cannot fail: it has no parameter.
	_ = t.tr.Options().SetNextWriteNoWriteConflictRange()
}

func (t *transaction) SetReadVersion(version int64) { t.tr.SetReadVersion(version) }

// Commit implements machine.Transaction.
func (t *transaction) Commit() machine.Future {
	stamp := t.tr.GetVersionstamp()
	f := t.tr.Commit()
	return func() (any, error) {
		err := f.Get()
		if err == nil {
			t.client.committed(stamp)
		}
		return nil, err
	}
}

// OnError implements machine.Transaction.
func (t *transaction) OnError(code int) machine.Future {
	f := t.tr.OnError(fdb.Error{Code: code})
	return func() (any, error) { return nil, f.Get() }
}

func (t *transaction) Reset()  { t.tr.Reset() }
func (t *transaction) Cancel() { t.tr.Cancel() }

func (t *transaction) CommittedVersion() (int64, error) { return t.tr.GetCommittedVersion() }

func (t *transaction) ApproximateSize() error {
	_, err := t.tr.GetApproximateSize().Get()
	return err
}

func (t *transaction) Versionstamp() machine.Future { return keyFuture(t.tr.GetVersionstamp()) }
