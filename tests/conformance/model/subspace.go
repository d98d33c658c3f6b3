package model

import (
	"errors"
	"strings"

	"github.com/plinthdb/plinth/kv/tuple"
	"github.com/plinthdb/plinth/tests/conformance/machine"
)

// subspace is the keys that begin with a prefix.
type subspace string

var errOutsideSubspace = errors.New("key is not in the subspace")

// Subspace implements machine.Client.
func (s *Store) Subspace(prefix []byte, t tuple.Tuple) (machine.Subspace, error) {
	return subspace(prefix).Sub(t)
}

// Key implements machine.Subspace.
func (s subspace) Key() ([]byte, error) { return []byte(s), nil }

// Pack implements machine.Subspace.
func (s subspace) Pack(t tuple.Tuple) ([]byte, error) {
	packed, err := Tuples{}.Pack(t)
	return append([]byte(s), packed...), err
}

// Unpack implements machine.Subspace.
func (s subspace) Unpack(key []byte) (tuple.Tuple, error) {
	rest, inside := strings.CutPrefix(string(key), string(s))
	if !inside {
		return nil, errOutsideSubspace
	}
	return Tuples{}.Unpack([]byte(rest))
}

// Range implements machine.Subspace.
func (s subspace) Range(t tuple.Tuple) (begin, end []byte, err error) {
	key, err := s.Pack(t)
	return append(clone(key), 0), append(clone(key), 0xff), err
}

// Contains implements machine.Subspace.
func (s subspace) Contains(key []byte) (bool, error) {
	return strings.HasPrefix(string(key), string(s)), nil
}

// Sub implements machine.Subspace.
func (s subspace) Sub(t tuple.Tuple) (machine.Subspace, error) {
	key, err := s.Pack(t)
	return subspace(key), err
}
