package wire

import (
	"encoding/binary"
	"fmt"
)

// MutationType says what a mutation does. The numbers are FoundationDB's.
type MutationType uint8

// The mutation types. Param1 is the key, except where noted. The numbers left
// out are unused by FoundationDB or reserved there.
const (
	SetValue               MutationType = 0  // key, value
	ClearRange             MutationType = 1  // Param1 = begin, Param2 = end
	AddValue               MutationType = 2  // little-endian integer of the operand's length
	BitAnd                 MutationType = 6  // absent key: the operand (API version >= 510)
	BitOr                  MutationType = 7  // absent key: zeros
	BitXor                 MutationType = 8  // absent key: zeros
	AppendIfFits           MutationType = 9  // beyond MaxValueBytes the old value stays
	Max                    MutationType = 12 // little-endian unsigned
	Min                    MutationType = 13 // little-endian unsigned; absent key: the operand
	SetVersionstampedKey   MutationType = 14 // key holds a stamp's place, see versionstamp.go
	SetVersionstampedValue MutationType = 15 // value holds a stamp's place
	ByteMin                MutationType = 16 // lexicographic; absent key: the operand
	ByteMax                MutationType = 17 // lexicographic; absent key: the operand
	CompareAndClear        MutationType = 20 // clears the key if its value equals the operand
)

// Mutation is one change to the store.
type Mutation struct {
	Type           MutationType
	Param1, Param2 []byte
}

// IsAtomic reports whether the outcome depends on the value that the key had.
func (t MutationType) IsAtomic() bool {
	switch t {
	case AddValue, BitAnd, BitOr, BitXor, AppendIfFits, Max, Min, ByteMin, ByteMax, CompareAndClear:
		return true
	}
	return false
}

// IsVersionstamped reports whether the commit proxy must fill in a stamp.
func (t MutationType) IsVersionstamped() bool {
	return t == SetVersionstampedKey || t == SetVersionstampedValue
}

// Known reports whether t is a type that this version of Plinth applies.
func (t MutationType) Known() bool {
	return t == SetValue || t == ClearRange || t.IsAtomic() || t.IsVersionstamped()
}

// AppendMutation appends the encoding of m to buf: one byte of type, the two
// lengths as unsigned varints, the two parameters. Param1 and Param2 thus lie
// side by side in the list, and readers keep sub-slices of it.
func AppendMutation(buf []byte, m Mutation) []byte {
	buf = append(buf, byte(m.Type))
	buf = binary.AppendUvarint(buf, uint64(len(m.Param1)))
	buf = binary.AppendUvarint(buf, uint64(len(m.Param2)))
	buf = append(buf, m.Param1...)
	return append(buf, m.Param2...)
}

// Mutations reads a mutation list, the concatenation of what AppendMutation
// wrote. The zero value is an empty list.
type Mutations struct {
	rest []byte
}

// ReadMutations starts reading list, which stays shared with the mutations
// that are read from it.
func ReadMutations(list []byte) Mutations { return Mutations{rest: list} }

// Next returns the next mutation. At the end of the list ok is false; a list
// that is cut short or holds an unknown type gives an error.
func (r *Mutations) Next() (m Mutation, ok bool, err error) {
	if len(r.rest) == 0 {
		return m, false, nil
	}
	typ := MutationType(r.rest[0])
	if !typ.Known() {
		return m, false, fmt.Errorf("mutation list: unknown mutation type %d", typ)
	}
	b := r.rest[1:]
	n1, w1 := binary.Uvarint(b)
	if w1 <= 0 {
		return m, false, fmt.Errorf("mutation list: first length is cut short")
	}
	b = b[w1:]
	n2, w2 := binary.Uvarint(b)
	if w2 <= 0 {
		return m, false, fmt.Errorf("mutation list: second length is cut short")
	}
	b = b[w2:]
	if n1 > uint64(len(b)) || n2 > uint64(len(b))-n1 {
		return m, false, fmt.Errorf("mutation list: %d and %d bytes of parameters, %d bytes left", n1, n2, len(b))
	}
	e1, e2 := int(n1), int(n1+n2)
	r.rest = b[e2:]
	return Mutation{Type: typ, Param1: b[:e1:e1], Param2: b[e1:e2:e2]}, true, nil
}
