package tuple

import "github.com/plinthdb/plinth/internal/wire"

// Element is a value that a tuple may hold, of one of the types that the
// package comment lists.
type Element = any

// Tuple is a list of elements.
type Tuple []Element

// Pack returns the tuple's encoding. It panics with an *EncodeError for a
// tuple that cannot be encoded; use Append where its elements come from
// outside.
func (t Tuple) Pack() []byte {
	out, err := appendElements(make([]byte, 0, t.EstimateBytes()), t, packing{})
	if err != nil {
		panic(err)
	}
	return out
}

// Append appends the tuple's encoding to dst. On an *EncodeError the result is
// dst as it was.
func (t Tuple) Append(dst []byte) ([]byte, error) {
	out, err := appendElements(dst, t, packing{})
	if err != nil {
		return dst, err
	}
	return out, nil
}

// elementBytes is the most that an element of fixed length takes: a UUID.
const elementBytes = 17

// EstimateBytes returns how much room to make before Append. It is right, or a
// little too much, but for the escapes of zero bytes, integers above eight
// bytes and the contents of nested tuples, for which the buffer then grows.
func (t Tuple) EstimateBytes() int {
	n := 0
	for _, e := range t {
		switch v := e.(type) {
		case nil, bool:
			n++
		case string:
			n += len(v) + 2
		case []byte:
			n += len(v) + 2
		case int:
			n += 1 + intBytes(int64(v))
		case int64:
			n += 1 + intBytes(v)
		default:
			n += elementBytes
		}
	}
	return n
}

// intBytes is how many bytes follow the type code of v.
func intBytes(v int64) int {
	if v < 0 {
		return magnitudeBytes(-uint64(v))
	}
	return magnitudeBytes(uint64(v))
}

// Range returns the range of all keys that encode a longer tuple beginning
// with the elements of t. It does not hold the encoding of t itself. It panics
// where Pack does.
func (t Tuple) Range() wire.KeyRange { return PrefixRange(t.Pack()) }

// PrefixRange returns the range of all keys that are prefix followed by the
// encoding of a tuple of at least one element.
func PrefixRange(prefix []byte) wire.KeyRange {
	n := len(prefix)
	both := make([]byte, 0, 2*n+2)
	both = append(append(both, prefix...), 0x00)
	both = append(append(both, prefix...), 0xff)
	return wire.KeyRange{Begin: both[: n+1 : n+1], End: both[n+1:]}
}
