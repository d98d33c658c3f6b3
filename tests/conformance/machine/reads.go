package machine

import (
	"bytes"
	"fmt"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

// readOperations are those that read the database.
func readOperations() map[string]operation {
	read := func(run func(*Machine, call) error) operation {
		return operation{run: run, snapshot: true, database: true}
	}
	return map[string]operation{
		"GET":                      read(get),
		"GET_KEY":                  read(getKey),
		"GET_RANGE":                read(getRange),
		"GET_RANGE_STARTS_WITH":    read(getRangeStartsWith),
		"GET_RANGE_SELECTOR":       read(getRangeSelector),
		"GET_ESTIMATED_RANGE_SIZE": read(getEstimatedRangeSize),
		"GET_RANGE_SPLIT_POINTS":   read(getRangeSplitPoints),
		"GET_READ_VERSION":         {run: getReadVersion, snapshot: true},
	}
}

func get(m *Machine, c call) error {
	v := m.values()
	key := v.bytes()
	if v.err != nil {
		return v.err
	}
	if c.onDatabase { // the future must not outlive the retries
		var value any
		err := m.client.Read(func(r Reader) (err error) {
			value, err = r.Get(key)()
			return err
		})
		if err == nil {
			m.stack.push(c.index, Future(func() (any, error) { return value, nil }))
		}
		return err
	}
	return m.read(c, func(r Reader) error {
		m.stack.push(c.index, r.Get(key))
		return nil
	})
}

func getKey(m *Machine, c call) error {
	v := m.values()
	selector := v.selector()
	prefix := v.bytes()
	if v.err != nil {
		return v.err
	}
	var found []byte
	err := m.read(c, func(r Reader) error {
		key, err := r.GetKey(selector)()
		if err == nil {
			found = key.([]byte)
		}
		return err
	})
	if err != nil {
		return err
	}
	m.stack.push(c.index, within(found, prefix))
	return nil
}

// within returns key if it begins with prefix, else what tells on which side of
// the keys with that prefix it lies.
func within(key, prefix []byte) []byte {
	switch {
	case bytes.HasPrefix(key, prefix):
		return key
	case bytes.Compare(key, prefix) < 0:
		return prefix
	}
	after, _ := kv.Strinc(prefix) // there is one, as key lies behind
	return after
}

func getRange(m *Machine, c call) error {
	v := m.values()
	begin, end, options := v.bytes(), v.bytes(), v.rangeOptions()
	if v.err != nil {
		return v.err
	}
	return m.pushRows(c, nil, func(r Reader) ([]KeyValue, error) { return r.Range(begin, end, options) })
}

func getRangeStartsWith(m *Machine, c call) error {
	v := m.values()
	prefix, options := v.bytes(), v.rangeOptions()
	if v.err != nil {
		return v.err
	}
	return m.pushRows(c, nil, func(r Reader) ([]KeyValue, error) { return r.RangePrefix(prefix, options) })
}

func getRangeSelector(m *Machine, c call) error {
	v := m.values()
	begin, end, options := v.selector(), v.selector(), v.rangeOptions()
	prefix := v.bytes()
	if v.err != nil {
		return v.err
	}
	return m.pushRows(c, prefix, func(r Reader) ([]KeyValue, error) { return r.RangeSelectors(begin, end, options) })
}

// pushRows pushes those of the rows read whose keys begin with prefix, as one
// packed tuple.
func (m *Machine) pushRows(c call, prefix []byte, read func(Reader) ([]KeyValue, error)) error {
	var rows []KeyValue
	err := m.read(c, func(r Reader) (err error) {
		rows, err = read(r)
		return err
	})
	if err != nil {
		return err
	}
	var t tuple.Tuple
	for _, row := range rows {
		if bytes.HasPrefix(row.Key, prefix) {
			t = append(t, row.Key, row.Value)
		}
	}
	packed, err := m.client.Tuples().Pack(t)
	if err == nil {
		m.stack.push(c.index, packed)
	}
	return err
}

func getEstimatedRangeSize(m *Machine, c call) error {
	v := m.values()
	begin, end := v.bytes(), v.bytes()
	if v.err != nil {
		return v.err
	}
	var bytes int64
	err := m.read(c, func(r Reader) (err error) {
		bytes, err = r.EstimatedRangeSize(begin, end)
		return err
	})
	switch {
	case err != nil:
		return err
	case bytes < 0:
		return fmt.Errorf("a range is said to take %d bytes", bytes)
	}
	m.stack.push(c.index, []byte("GOT_ESTIMATED_RANGE_SIZE"))
	return nil
}

func getRangeSplitPoints(m *Machine, c call) error {
	v := m.values()
	begin, end, chunkBytes := v.bytes(), v.bytes(), v.int64()
	if v.err != nil {
		return v.err
	}
	var points [][]byte
	err := m.read(c, func(r Reader) (err error) {
		points, err = r.RangeSplitPoints(begin, end, chunkBytes)
		return err
	})
	if err == nil {
		err = checkSplitPoints(points, begin, end)
	}
	if err == nil {
		m.stack.push(c.index, []byte("GOT_RANGE_SPLIT_POINTS"))
	}
	return err
}

// checkSplitPoints returns why some keys do not part a range. How large the
// parts are nobody promises.
func checkSplitPoints(points [][]byte, begin, end []byte) error {
	n := len(points)
	if n < 2 || !bytes.Equal(points[0], begin) || !bytes.Equal(points[n-1], end) {
		return fmt.Errorf("the points %q do not split the keys from %q to %q: bounds are missing", points, begin, end)
	}
	for i := range n - 1 {
		if order := bytes.Compare(points[i], points[i+1]); order > 0 || order == 0 && n > 2 {
			return fmt.Errorf("the points %q do not split the keys from %q to %q: they are not in order", points, begin, end)
		}
	}
	return nil
}

func getReadVersion(m *Machine, c call) error {
	return m.read(c, func(r Reader) error {
		version, err := r.ReadVersion()
		if err == nil {
			m.lastVersion = version
			m.stack.push(c.index, []byte("GOT_READ_VERSION"))
		}
		return err
	})
}
