package subspace

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
	"github.com/apple/foundationdb/bindings/go/src/fdb/tuple"

	kvtuple "github.com/plinthdb/plinth/kv/tuple"
)

// Subspace is the part of the key space that begins with a prefix.
type Subspace interface {
	// Sub returns the subspace whose prefix goes on with the encoding of the
	// elements. It panics where tuple.Tuple.Pack does.
	Sub(el ...tuple.TupleElement) Subspace

	// Bytes returns the prefix.
	Bytes() []byte

	// Pack returns the key of t in the subspace. It panics where
	// tuple.Tuple.Pack does.
	Pack(t tuple.Tuple) fdb.Key

	// PackWithVersionstamp returns the key of t in the subspace as the parameter
	// of fdb.Transaction.SetVersionstampedKey. The tuple must hold exactly one
	// incomplete versionstamp.
	PackWithVersionstamp(t tuple.Tuple) (fdb.Key, error)

	// Unpack returns the tuple that k encodes behind the prefix. It is an error
	// if k does not begin with the prefix, or if no tuple follows it.
	Unpack(k fdb.KeyConvertible) (tuple.Tuple, error)

	// Contains reports whether k begins with the prefix.
	Contains(k fdb.KeyConvertible) bool

	// A Subspace is a key, its prefix.
	fdb.KeyConvertible

	// A Subspace is a range: all keys that are the prefix followed by the
	// encoding of a tuple of at least one element.
	fdb.ExactRange
}

// errNotInSubspace is wrapped by the error of Unpack for a foreign key.
var errNotInSubspace = errors.New("key is not in subspace")

// subspace holds the prefix as a string, which cannot be changed through what
// Bytes and FDBKey return.
type subspace struct{ prefix string }

// AllKeys returns the subspace without a prefix.
func AllKeys() Subspace { return subspace{} }

// Sub returns the subspace whose prefix is the encoding of the elements. It
// panics where tuple.Tuple.Pack does.
func Sub(el ...tuple.TupleElement) Subspace { return subspace{}.Sub(el...) }

// FromBytes returns the subspace of the keys that begin with b.
func FromBytes(b []byte) Subspace { return subspace{string(b)} }

// Sub implements Subspace.
func (s subspace) Sub(el ...tuple.TupleElement) Subspace {
	return subspace{s.prefix + string(tuple.Tuple(el).Pack())}
}

// Bytes implements Subspace.
func (s subspace) Bytes() []byte { return []byte(s.prefix) }

// FDBKey implements Subspace.
func (s subspace) FDBKey() fdb.Key { return fdb.Key(s.prefix) }

// Pack implements Subspace.
func (s subspace) Pack(t tuple.Tuple) fdb.Key {
	packed := t.Pack()
	key := make(fdb.Key, 0, len(s.prefix)+len(packed))
	return append(append(key, s.prefix...), packed...)
}

// PackWithVersionstamp implements Subspace.
func (s subspace) PackWithVersionstamp(t tuple.Tuple) (fdb.Key, error) {
	return t.PackWithVersionstamp([]byte(s.prefix))
}

// Unpack implements Subspace.
func (s subspace) Unpack(k fdb.KeyConvertible) (tuple.Tuple, error) {
	key := k.FDBKey()
	if !bytes.HasPrefix(key, []byte(s.prefix)) {
		return nil, fmt.Errorf("%w: %s does not begin with %s", errNotInSubspace, key, fdb.Printable([]byte(s.prefix)))
	}
	return tuple.Unpack(key[len(s.prefix):])
}

// Contains implements Subspace.
func (s subspace) Contains(k fdb.KeyConvertible) bool {
	return bytes.HasPrefix(k.FDBKey(), []byte(s.prefix))
}

// FDBRangeKeys implements Subspace.
func (s subspace) FDBRangeKeys() (fdb.KeyConvertible, fdb.KeyConvertible) {
	r := kvtuple.PrefixRange([]byte(s.prefix))
	return fdb.Key(r.Begin), fdb.Key(r.End)
}

// FDBRangeKeySelectors implements Subspace.
func (s subspace) FDBRangeKeySelectors() (fdb.Selectable, fdb.Selectable) {
	begin, end := s.FDBRangeKeys()
	return fdb.FirstGreaterOrEqual(begin), fdb.FirstGreaterOrEqual(end)
}

// String returns the prefix for people to read, in the words of FoundationDB's
// binding, as programs compare it.
func (s subspace) String() string {
	return "Subspace(rawPrefix=" + fdb.Printable([]byte(s.prefix)) + ")"
}
