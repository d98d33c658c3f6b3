package kvclient

import (
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/tests/conformance/machine"
)

// reader is a kv.Reader as the machine sees it.
type reader struct {
	kv.Reader
	client *Client
	// tx is the transaction, nil if the client only hands out the reader.
	tx *kv.Transaction
}

// measuring runs f with a transaction, as a kv.Reader does not measure ranges.
func (r reader) measuring(f func(tx *kv.Transaction) error) error {
	if r.tx != nil {
		return f(r.tx)
	}
	tx := r.client.db.Begin(r.client.ctx)
	defer tx.Cancel()
	return f(tx)
}

// EstimatedRangeSize implements machine.Reader.
func (r reader) EstimatedRangeSize(begin, end []byte) (bytes int64, err error) {
	err = r.measuring(func(tx *kv.Transaction) error {
		bytes, err = tx.EstimateRangeBytes(kv.KeyRange{Begin: begin, End: end}).Wait()
		return err
	})
	return bytes, err
}

// RangeSplitPoints implements machine.Reader.
func (r reader) RangeSplitPoints(begin, end []byte, chunkBytes int64) (points [][]byte, err error) {
	err = r.measuring(func(tx *kv.Transaction) error {
		points, err = tx.SplitPoints(kv.KeyRange{Begin: begin, End: end}, chunkBytes).Wait()
		return err
	})
	return points, err
}

// Get implements machine.Reader.
func (r reader) Get(key []byte) machine.Future { return bytesFuture(r.Reader.Get(key)) }

// GetKey implements machine.Reader.
func (r reader) GetKey(s machine.Selector) machine.Future {
	return bytesFuture(r.Reader.GetKey(selector(s)))
}

func bytesFuture(f kv.Future[[]byte]) machine.Future {
	return func() (any, error) {
		value, err := f.Wait()
		if err != nil || value == nil {
			return nil, err
		}
		return value, nil
	}
}

func selector(s machine.Selector) kv.KeySelector {
	return kv.KeySelector{Key: s.Key, OrEqual: s.OrEqual, Offset: s.Offset}
}

// Range implements machine.Reader.
func (r reader) Range(begin, end []byte, o machine.RangeOptions) ([]machine.KeyValue, error) {
	return rows(o, func(options kv.RangeOptions) *kv.RangeResult {
		return r.Reader.Range(kv.KeyRange{Begin: begin, End: end}, options)
	})
}

// RangePrefix implements machine.Reader.
func (r reader) RangePrefix(prefix []byte, o machine.RangeOptions) ([]machine.KeyValue, error) {
	return rows(o, func(options kv.RangeOptions) *kv.RangeResult {
		return r.Reader.Range(kv.PrefixRange(prefix), options)
	})
}

// RangeSelectors implements machine.Reader.
func (r reader) RangeSelectors(begin, end machine.Selector, o machine.RangeOptions) ([]machine.KeyValue, error) {
	return rows(o, func(options kv.RangeOptions) *kv.RangeResult {
		return r.Reader.RangeSelectors(selector(begin), selector(end), options)
	})
}

// rows reads a range, row by row for some modes and at once for the others.
func rows(o machine.RangeOptions, read func(kv.RangeOptions) *kv.RangeResult) ([]machine.KeyValue, error) {
	result := read(kv.RangeOptions{Limit: o.Limit, Reverse: o.Reverse, Mode: mode(o.Mode)})
	var out []machine.KeyValue
	if o.Mode > machine.ModeExact {
		for row, err := range result.All() {
			if err != nil {
				return nil, err
			}
			out = append(out, machine.KeyValue{Key: row.Key, Value: row.Value})
		}
		return out, nil
	}
	slice, err := result.Slice()
	for _, row := range slice {
		out = append(out, machine.KeyValue{Key: row.Key, Value: row.Value})
	}
	return out, err
}

// mode returns the streaming mode with a number of FoundationDB's C library.
func mode(number int) kv.StreamingMode {
	switch number {
	case -2:
		return kv.StreamingWantAll
	case -1:
		return kv.StreamingIterator
	case machine.ModeExact:
		return kv.StreamingExact
	case 1:
		return kv.StreamingSmall
	case 2:
		return kv.StreamingMedium
	case 3:
		return kv.StreamingLarge
	case 4:
		return kv.StreamingSerial
	}
	return kv.StreamingMode(0xff) // which is none
}

// ReadVersion implements machine.Reader.
func (r reader) ReadVersion() (int64, error) {
	v, err := r.Reader.ReadVersion()
	return int64(v), err
}

// transaction is a kv.Transaction as the machine sees it.
type transaction struct{ reader }

func (t *transaction) Snapshot() machine.Reader { return reader{t.tx.Snapshot(), t.client, t.tx} }
func (t *transaction) Set(key, value []byte)    { t.tx.Set(key, value) }
func (t *transaction) Clear(key []byte)         { t.tx.Clear(key) }

func (t *transaction) ClearRange(begin, end []byte) {
	t.tx.ClearRange(kv.KeyRange{Begin: begin, End: end})
}

func (t *transaction) ClearPrefix(prefix []byte) error {
	t.tx.ClearRange(kv.PrefixRange(prefix))
	return nil
}

// mutationType returns the type of an atomic operation by its name.
func mutationType(name string) (typ kv.MutationType, ok bool) {
	switch name {
	case "ADD":
		return kv.MutationAdd, true
	case "AND", "BIT_AND":
		return kv.MutationBitAnd, true
	case "OR", "BIT_OR":
		return kv.MutationBitOr, true
	case "XOR", "BIT_XOR":
		return kv.MutationBitXor, true
	case "APPEND_IF_FITS":
		return kv.MutationAppendIfFits, true
	case "MAX":
		return kv.MutationMax, true
	case "MIN":
		return kv.MutationMin, true
	case "SET_VERSIONSTAMPED_KEY":
		return kv.MutationSetVersionstampedKey, true
	case "SET_VERSIONSTAMPED_VALUE":
		return kv.MutationSetVersionstampedValue, true
	case "BYTE_MIN":
		return kv.MutationByteMin, true
	case "BYTE_MAX":
		return kv.MutationByteMax, true
	case "COMPARE_AND_CLEAR":
		return kv.MutationCompareAndClear, true
	}
	return 0, false
}

func (t *transaction) Atomic(name string, key, operand []byte) bool {
	typ, ok := mutationType(name)
	if ok {
		t.tx.Atomic(typ, key, operand)
	}
	return ok
}

func (t *transaction) AddReadConflict(begin, end []byte) error {
	t.tx.AddReadConflictRange(kv.KeyRange{Begin: begin, End: end})
	return nil
}

func (t *transaction) AddWriteConflict(begin, end []byte) error {
	t.tx.AddWriteConflictRange(kv.KeyRange{Begin: begin, End: end})
	return nil
}

func (t *transaction) AddReadConflictKey(key []byte) error {
	t.tx.AddReadConflictKey(key)
	return nil
}

func (t *transaction) AddWriteConflictKey(key []byte) error {
	t.tx.AddWriteConflictKey(key)
	return nil
}

func (t *transaction) NextWriteWithoutConflict() { t.tx.NextWriteWithoutConflict() }

func (t *transaction) SetReadVersion(version int64) { t.tx.SetReadVersion(kv.Version(version)) }

// Commit implements machine.Transaction. What it returns is known at once.
func (t *transaction) Commit() machine.Future {
	stamp := t.tx.Versionstamp()
	err := t.tx.Commit()
	if err == nil {
		t.client.committed(stamp)
	}
	return ended(err)
}

// OnError implements machine.Transaction. What it returns is known at once.
func (t *transaction) OnError(code int) machine.Future {
	return ended(t.tx.OnError(numbered(code)))
}

func ended(err error) machine.Future { return func() (any, error) { return nil, err } }

func (t *transaction) Reset()  { t.tx.Reset() }
func (t *transaction) Cancel() { t.tx.Cancel() }

func (t *transaction) CommittedVersion() (int64, error) {
	v, err := t.tx.CommittedVersion()
	return int64(v), err
}

func (t *transaction) ApproximateSize() error {
	t.tx.ApproximateSize()
	return nil
}

func (t *transaction) Versionstamp() machine.Future {
	stamp := t.tx.Versionstamp()
	return func() (any, error) {
		s, err := stamp.Wait()
		if err != nil {
			return nil, err
		}
		return s[:], nil
	}
}
