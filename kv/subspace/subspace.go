package subspace

import (
	"errors"
	"fmt"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv/tuple"
)

// ErrNotInSubspace is wrapped by the error of Unpack for a key that does not
// begin with the subspace's prefix.
var ErrNotInSubspace = errors.New("key is not in the subspace")

// Subspace is the part of the key space that begins with a prefix.
type Subspace struct {
	prefix string // Immutable and comparable, which a byte slice is not.
}

// AllKeys returns the subspace without a prefix.
func AllKeys() Subspace { return Subspace{} }

// FromBytes returns the subspace of the keys that begin with prefix.
func FromBytes(prefix []byte) Subspace { return Subspace{prefix: string(prefix)} }

// Sub returns the subspace whose prefix is the encoding of the elements. It
// panics where tuple.Tuple.Pack does.
func Sub(elements ...tuple.Element) Subspace { return AllKeys().Sub(elements...) }

// Sub returns the subspace whose prefix is that of s followed by the encoding
// of the elements. It panics where tuple.Tuple.Pack does.
func (s Subspace) Sub(elements ...tuple.Element) Subspace {
	return FromBytes(s.Pack(elements))
}

// Bytes returns a copy of the prefix.
func (s Subspace) Bytes() []byte { return []byte(s.prefix) }

// Pack returns the key of t in the subspace: the prefix, then the encoding of
// t. It panics where tuple.Tuple.Pack does.
func (s Subspace) Pack(t tuple.Tuple) []byte {
	key, err := s.Append(make([]byte, 0, len(s.prefix)+t.EstimateBytes()), t)
	if err != nil {
		panic(err)
	}
	return key
}

// Append appends the key of t in the subspace to dst. On an error, a
// *tuple.EncodeError, the result is dst as it was.
func (s Subspace) Append(dst []byte, t tuple.Tuple) ([]byte, error) {
	key, err := t.Append(append(dst, s.prefix...))
	if err != nil {
		return dst, err
	}
	return key, nil
}

// PackWithVersionstamp returns the parameter of a versionstamped operation for
// the key of t in the subspace; see tuple.Tuple.PackWithVersionstamp.
func (s Subspace) PackWithVersionstamp(t tuple.Tuple) ([]byte, error) {
	return t.PackWithVersionstamp(s.Bytes())
}

// Unpack returns the tuple that a key of the subspace encodes after the
// prefix. The error wraps ErrNotInSubspace or is a *tuple.DecodeError whose
// offset counts from the beginning of the key.
func (s Subspace) Unpack(key []byte) (tuple.Tuple, error) {
	if !s.Contains(key) {
		return nil, fmt.Errorf("%w: %s does not begin with %s", ErrNotInSubspace, tuple.Printable(key), s)
	}
	t, err := tuple.Unpack(key[len(s.prefix):])
	var decode *tuple.DecodeError
	if errors.As(err, &decode) {
		shifted := *decode
		shifted.Offset += len(s.prefix)
		return nil, &shifted
	}
	return t, err
}

// Contains reports whether key begins with the prefix.
func (s Subspace) Contains(key []byte) bool {
	return len(key) >= len(s.prefix) && string(key[:len(s.prefix)]) == s.prefix
}

// Range returns the range of all keys of tuples with at least one element in
// the subspace. The prefix itself is not in it, nor a key that goes on with the
// byte 0xff, which begins no tuple.
func (s Subspace) Range() wire.KeyRange { return tuple.PrefixRange([]byte(s.prefix)) }

// String returns the prefix for people to read.
func (s Subspace) String() string { return tuple.Printable([]byte(s.prefix)) }
