package machine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/plinthdb/plinth/kv/tuple"
)

// tupleOperations are those of the tuple layer.
func tupleOperations() map[string]operation {
	return map[string]operation{
		"TUPLE_PACK":                   {run: tuplePack},
		"TUPLE_PACK_WITH_VERSIONSTAMP": {run: tuplePackWithVersionstamp},
		"TUPLE_UNPACK":                 {run: tupleUnpack},
		"TUPLE_RANGE":                  {run: tupleRange},
		"TUPLE_SORT":                   {run: tupleSort},
		"ENCODE_FLOAT":                 {run: encodeFloat},
		"ENCODE_DOUBLE":                {run: encodeDouble},
		"DECODE_FLOAT":                 {run: decodeFloat},
		"DECODE_DOUBLE":                {run: decodeDouble},
	}
}

func tuplePack(m *Machine, c call) error {
	v := m.values()
	t := v.list(v.int())
	if v.err != nil {
		return v.err
	}
	packed, err := m.client.Tuples().Pack(t)
	if err == nil {
		m.stack.push(c.index, packed)
	}
	return err
}

func tuplePackWithVersionstamp(m *Machine, c call) error {
	v := m.values()
	prefix := v.bytes()
	t := v.list(v.int())
	if v.err != nil {
		return v.err
	}
	packed, err := m.client.Tuples().PackWithVersionstamp(prefix, t)
	switch {
	case errors.Is(err, ErrNoStamp):
		m.stack.push(c.index, []byte("ERROR: NONE"))
	case errors.Is(err, ErrManyStamps):
		m.stack.push(c.index, []byte("ERROR: MULTIPLE"))
	case err != nil:
		return err
	default:
		m.stack.push(c.index, []byte("OK"))
		m.stack.push(c.index, packed)
	}
	return nil
}

func tupleUnpack(m *Machine, c call) error {
	v := m.values()
	packed := v.bytes()
	if v.err != nil {
		return v.err
	}
	t, err := m.client.Tuples().Unpack(packed)
	if err != nil {
		return err
	}
	for _, element := range t {
		one, err := m.client.Tuples().Pack(tuple.Tuple{element})
		if err != nil {
			return err
		}
		m.stack.push(c.index, one)
	}
	return nil
}

func tupleRange(m *Machine, c call) error {
	v := m.values()
	t := v.list(v.int())
	if v.err != nil {
		return v.err
	}
	begin, end, err := m.client.Tuples().Range(t)
	if err == nil {
		m.stack.push(c.index, begin)
		m.stack.push(c.index, end)
	}
	return err
}

func tupleSort(m *Machine, c call) error {
	v := m.values()
	list := v.list(v.int())
	if v.err != nil {
		return v.err
	}
	layer := m.client.Tuples()
	tuples := make([]tuple.Tuple, len(list))
	for i, element := range list {
		packed, ok := element.([]byte)
		if !ok {
			return typeError("a packed tuple", element)
		}
		var err error
		if tuples[i], err = layer.Unpack(packed); err != nil {
			return err
		}
	}
	slices.SortStableFunc(tuples, layer.Compare)
	for _, t := range tuples {
		packed, err := layer.Pack(t)
		if err != nil {
			return err
		}
		m.stack.push(c.index, packed)
	}
	return nil
}

func encodeFloat(m *Machine, c call) error {
	v := m.values()
	bits := v.bytes()
	if v.err != nil {
		return v.err
	}
	if len(bits) != 4 {
		return fmt.Errorf("needs 4 bytes, but has %d", len(bits))
	}
	m.stack.push(c.index, math.Float32frombits(binary.BigEndian.Uint32(bits)))
	return nil
}

func encodeDouble(m *Machine, c call) error {
	v := m.values()
	bits := v.bytes()
	if v.err != nil {
		return v.err
	}
	if len(bits) != 8 {
		return fmt.Errorf("needs 8 bytes, but has %d", len(bits))
	}
	m.stack.push(c.index, math.Float64frombits(binary.BigEndian.Uint64(bits)))
	return nil
}

func decodeFloat(m *Machine, c call) error {
	v := m.values()
	popped := v.any()
	if v.err != nil {
		return v.err
	}
	f, ok := popped.(float32)
	if !ok {
		return typeError("a single-precision float", popped)
	}
	m.stack.push(c.index, binary.BigEndian.AppendUint32(nil, math.Float32bits(f)))
	return nil
}

func decodeDouble(m *Machine, c call) error {
	v := m.values()
	popped := v.any()
	if v.err != nil {
		return v.err
	}
	f, ok := popped.(float64)
	if !ok {
		return typeError("a double-precision float", popped)
	}
	m.stack.push(c.index, binary.BigEndian.AppendUint64(nil, math.Float64bits(f)))
	return nil
}
