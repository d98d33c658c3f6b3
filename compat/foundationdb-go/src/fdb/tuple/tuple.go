package tuple

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"

	"github.com/apple/foundationdb/bindings/go/src/fdb"

	kvtuple "github.com/plinthdb/plinth/kv/tuple"
)

// TupleElement is a value that a Tuple may hold. The package comment lists the
// types.
type TupleElement interface{}

// Tuple is a list of elements that can be encoded as a key.
type Tuple []TupleElement

// UUID is a UUID of 16 bytes. UUID types of other packages that are such
// arrays convert to it.
type UUID [16]byte

// String returns the UUID as five groups of hexadecimal digits.
func (uuid UUID) String() string { return kvtuple.UUID(uuid).String() }

// Versionstamp is a place in the order of commits: the ten bytes that the
// database gives to a transaction, and two that the program chooses to order
// what it writes within one transaction.
type Versionstamp struct {
	TransactionVersion [10]byte
	UserVersion        uint16
}

// IncompleteVersionstamp returns a Versionstamp whose first ten bytes the
// database is to fill in at the commit; see PackWithVersionstamp.
func IncompleteVersionstamp(userVersion uint16) Versionstamp {
	return Versionstamp(kvtuple.IncompleteVersionstamp(userVersion))
}

// Bytes returns the twelve bytes of the stamp.
func (v Versionstamp) Bytes() []byte { return kvtuple.Versionstamp(v).Bytes() }

// String returns the stamp for people to read.
func (v Versionstamp) String() string {
	return fmt.Sprintf("Versionstamp(%s, %d)", fdb.Printable(v.TransactionVersion[:]), v.UserVersion)
}

// Pack returns the encoding of the tuple. It panics for an element that cannot
// be encoded: one of an unknown type, an integer of more than 255 bytes, or an
// incomplete Versionstamp.
func (t Tuple) Pack() []byte {
	elements := t.elements()
	key, err := elements.Append(make([]byte, 0, elements.EstimateBytes()))
	if err != nil {
		panic(err.Error())
	}
	return key
}

// PackWithVersionstamp returns prefix and the encoding of the tuple as the
// parameter of a versionstamped operation: at the end it says where the
// tuple's incomplete Versionstamp is. There must be exactly one. The place
// takes four bytes; under an API version below 520 it takes two, and it is an
// error if it does not fit them.
func (t Tuple) PackWithVersionstamp(prefix []byte) ([]byte, error) {
	if some, err := t.HasIncompleteVersionstamp(); err != nil {
		return nil, err
	} else if !some {
		//lint:ignore ST1005 programs look for these words, capital letter and all
		return nil, errors.New("No incomplete versionstamp is in the tuple; one is needed")
	}
	version, err := fdb.GetAPIVersion()
	if err != nil {
		return nil, err
	}
	key, err := t.elements().PackWithVersionstamp(prefix)
	if err != nil || version >= fourByteOffsets {
		return key, err
	}
	end := len(key) - 4
	place := binary.LittleEndian.Uint32(key[end:])
	if place > math.MaxUint16 {
		return nil, fmt.Errorf("the versionstamp is at byte %d of the key; under API version %d it must be at one below %d", place, version, math.MaxUint16+1)
	}
	return key[:end+2], nil
}

// fourByteOffsets is the first API version whose versionstamped operations
// take a place of four bytes.
const fourByteOffsets = 520

// HasIncompleteVersionstamp reports whether the tuple, or one nested in it,
// holds an incomplete Versionstamp. It is an error if there are several.
func (t Tuple) HasIncompleteVersionstamp() (bool, error) {
	n := t.countIncomplete()
	if n > 1 {
		return true, fmt.Errorf("the tuple holds %d incomplete versionstamps; there can be only one", n)
	}
	return n == 1, nil
}

func (t Tuple) countIncomplete() int {
	n := 0
	for _, e := range t {
		switch e := e.(type) {
		case Versionstamp:
			if kvtuple.Versionstamp(e).IsIncomplete() {
				n++
			}
		case Tuple:
			n += e.countIncomplete()
		}
	}
	return n
}

// FDBKey returns the encoding of the tuple: a Tuple is an fdb.KeyConvertible.
// It panics where Pack does.
func (t Tuple) FDBKey() fdb.Key { return t.Pack() }

// FDBRangeKeys returns the bounds of all keys that encode a longer tuple which
// begins with the elements of this one: a Tuple is an fdb.ExactRange. It panics
// where Pack does.
func (t Tuple) FDBRangeKeys() (fdb.KeyConvertible, fdb.KeyConvertible) {
	r := kvtuple.PrefixRange(t.Pack())
	return fdb.Key(r.Begin), fdb.Key(r.End)
}

// FDBRangeKeySelectors returns the bounds of FDBRangeKeys as selectors: a Tuple
// is an fdb.Range.
func (t Tuple) FDBRangeKeySelectors() (fdb.Selectable, fdb.Selectable) {
	begin, end := t.FDBRangeKeys()
	return fdb.FirstGreaterOrEqual(begin), fdb.FirstGreaterOrEqual(end)
}

// elements returns the tuple as one of kv/tuple. It panics for an element that
// the binding does not know, even if kv/tuple does.
func (t Tuple) elements() kvtuple.Tuple {
	out := make(kvtuple.Tuple, len(t))
	for i, e := range t {
		out[i] = element(i, e)
	}
	return out
}

func element(i int, e TupleElement) kvtuple.Element {
	switch v := e.(type) {
	case nil, []byte, string, int, int64, uint, uint64, *big.Int, big.Int, float32, float64, bool:
		return v
	case Tuple:
		return v.elements()
	case UUID:
		return kvtuple.UUID(v)
	case Versionstamp:
		return kvtuple.Versionstamp(v)
	case fdb.KeyConvertible:
		return []byte(v.FDBKey())
	}
	panic(fmt.Sprintf("tuple element %d is %v, of type %T, which has no encoding", i, e, e))
}

// Unpack returns the tuple that b encodes. For any other bytes it returns an
// error that says where and why. Empty tuples and byte strings in it are nil, as
// in FoundationDB's binding: programs compare what they unpack.
func Unpack(b []byte) (Tuple, error) {
	elements, err := kvtuple.Unpack(b)
	if err != nil {
		return nil, err
	}
	return fromElements(elements), nil
}

// fromElements returns a tuple of kv/tuple as one of this package.
func fromElements(elements kvtuple.Tuple) Tuple {
	if len(elements) == 0 {
		return nil
	}
	out := make(Tuple, len(elements))
	for i, e := range elements {
		switch v := e.(type) {
		case []byte:
			out[i] = orNil(v)
		case kvtuple.Tuple:
			out[i] = fromElements(v)
		case kvtuple.UUID:
			out[i] = UUID(v)
		case kvtuple.Versionstamp:
			out[i] = Versionstamp(v)
		default:
			out[i] = v
		}
	}
	return out
}

// orNil returns b, or nil if it is empty.
func orNil(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}
