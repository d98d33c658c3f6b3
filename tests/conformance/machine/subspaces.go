package machine

import (
	"bytes"
	"errors"

	"github.com/plinthdb/plinth/kv/tuple"
)

// subspaceOperations are those on the current directory as a subspace.
func subspaceOperations() map[string]operation {
	return map[string]operation{
		"DIRECTORY_PACK_KEY":      {run: packKey},
		"DIRECTORY_UNPACK_KEY":    {run: unpackKey},
		"DIRECTORY_RANGE":         {run: directoryRange},
		"DIRECTORY_CONTAINS":      {run: directoryContains},
		"DIRECTORY_OPEN_SUBSPACE": {run: openSubspace},
		"DIRECTORY_LOG_SUBSPACE":  {run: logSubspace},
		"DIRECTORY_STRIP_PREFIX":  {run: stripPrefix},
	}
}

// subspace returns the current directory as a subspace.
func (m *Machine) subspace() (Subspace, error) {
	s, ok := m.directories.list[m.directories.index].(Subspace)
	if !ok {
		return nil, errNoDirectory
	}
	return s, nil
}

func packKey(m *Machine, c call) error {
	v := m.values()
	t := v.tuple()
	if v.err != nil {
		return v.err
	}
	s, err := m.subspace()
	if err == nil {
		var key []byte
		if key, err = s.Pack(t); err == nil {
			m.stack.push(c.index, key)
		}
	}
	return m.settle(c, err)
}

func unpackKey(m *Machine, c call) error {
	v := m.values()
	key := v.bytes()
	if v.err != nil {
		return v.err
	}
	s, err := m.subspace()
	if err == nil {
		var t tuple.Tuple
		t, err = s.Unpack(key)
		for _, element := range t {
			m.stack.push(c.index, element)
		}
	}
	return m.settle(c, err)
}

func directoryRange(m *Machine, c call) error {
	v := m.values()
	t := v.tuple()
	if v.err != nil {
		return v.err
	}
	s, err := m.subspace()
	if err == nil {
		var begin, end []byte
		if begin, end, err = s.Range(t); err == nil {
			m.stack.push(c.index, begin)
			m.stack.push(c.index, end)
		}
	}
	return m.settle(c, err)
}

func directoryContains(m *Machine, c call) error {
	v := m.values()
	key := v.bytes()
	if v.err != nil {
		return v.err
	}
	s, err := m.subspace()
	if err == nil {
		var contains bool
		if contains, err = s.Contains(key); err == nil {
			m.stack.push(c.index, oneIf(contains))
		}
	}
	return m.settle(c, err)
}

func openSubspace(m *Machine, c call) error {
	v := m.values()
	t := v.tuple()
	if v.err != nil {
		return v.err
	}
	s, err := m.subspace()
	var sub Subspace
	if err == nil {
		sub, err = s.Sub(t)
	}
	return m.add(c, sub, err)
}

// logSubspace writes the prefix of the current directory.
func logSubspace(m *Machine, c call) error {
	v := m.values()
	prefix := v.bytes()
	if v.err != nil {
		return v.err
	}
	return m.settle(c, m.logSubspaceTo(prefix))
}

func (m *Machine) logSubspaceTo(prefix []byte) error {
	s, err := m.subspace()
	if err != nil {
		return err
	}
	value, err := s.Key()
	if err != nil {
		return err
	}
	place, err := m.client.Tuples().Pack(tuple.Tuple{int64(m.directories.index)})
	if err != nil {
		return err
	}
	t, err := m.transaction()
	if err == nil {
		t.Set(append(prefix[:len(prefix):len(prefix)], place...), value)
	}
	return err
}

var errOtherPrefix = errors.New("the key does not begin with the directory's prefix")

func stripPrefix(m *Machine, c call) error {
	v := m.values()
	key := v.bytes()
	if v.err != nil {
		return v.err
	}
	s, err := m.subspace()
	if err == nil {
		var prefix []byte
		if prefix, err = s.Key(); err == nil {
			rest, begins := bytes.CutPrefix(key, prefix)
			if !begins {
				err = errOtherPrefix
			} else {
				m.stack.push(c.index, rest)
			}
		}
	}
	return m.settle(c, err)
}
