package machine

import (
	"bytes"
	"errors"

	"github.com/plinthdb/plinth/kv/tuple"
)

// subspaceOperations are those on the current directory as a subspace.
func subspaceOperations() map[string]operation {
	return map[string]operation{
		"DIRECTORY_PACK_KEY":      {run: onSubspace((*values).tuple, packKey)},
		"DIRECTORY_UNPACK_KEY":    {run: onSubspace((*values).bytes, unpackKey)},
		"DIRECTORY_RANGE":         {run: onSubspace((*values).tuple, directoryRange)},
		"DIRECTORY_CONTAINS":      {run: onSubspace((*values).bytes, directoryContains)},
		"DIRECTORY_OPEN_SUBSPACE": {run: openSubspace},
		"DIRECTORY_LOG_SUBSPACE":  {run: logSubspace},
		"DIRECTORY_STRIP_PREFIX":  {run: onSubspace((*values).bytes, stripPrefix)},
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

// onSubspace returns an operation that takes one argument from the stack and
// pushes what do makes of it with the current directory.
func onSubspace[T any](argument func(*values) T, do func(s Subspace, argument T) ([]any, error)) func(*Machine, call) error {
	return func(m *Machine, c call) error {
		v := m.values()
		given := argument(v)
		if v.err != nil {
			return v.err
		}
		s, err := m.subspace()
		if err == nil {
			var results []any
			results, err = do(s, given)
			for _, result := range results {
				m.stack.push(c.index, result)
			}
		}
		return m.settle(c, err)
	}
}

func packKey(s Subspace, t tuple.Tuple) ([]any, error) {
	key, err := s.Pack(t)
	if err != nil {
		return nil, err
	}
	return []any{key}, nil
}

func unpackKey(s Subspace, key []byte) ([]any, error) {
	t, err := s.Unpack(key)
	return t, err
}

func directoryRange(s Subspace, t tuple.Tuple) ([]any, error) {
	begin, end, err := s.Range(t)
	if err != nil {
		return nil, err
	}
	return []any{begin, end}, nil
}

func directoryContains(s Subspace, key []byte) ([]any, error) {
	contains, err := s.Contains(key)
	if err != nil {
		return nil, err
	}
	return []any{oneIf(contains)}, nil
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

func stripPrefix(s Subspace, key []byte) ([]any, error) {
	prefix, err := s.Key()
	if err != nil {
		return nil, err
	}
	rest, begins := bytes.CutPrefix(key, prefix)
	if !begins {
		return nil, errOtherPrefix
	}
	return []any{rest}, nil
}
