package typed

import (
	"sync"

	"github.com/plinthdb/plinth/kv/tuple"
)

// Pair is a key of two parts, which sorts by the first, then by the second.
type Pair[A, B any] struct {
	First  A
	Second B
}

// PairKey is for keys of two parts.
func PairKey[A, B any](first KeyCodec[A], second KeyCodec[B]) KeyCodec[Pair[A, B]] {
	return pairKey[A, B]{first, second}
}

type pairKey[A, B any] struct {
	first  KeyCodec[A]
	second KeyCodec[B]
}

func (c pairKey[A, B]) Elements() int { return c.first.Elements() + c.second.Elements() }

func (c pairKey[A, B]) AppendKey(dst []byte, key Pair[A, B], n int) ([]byte, error) {
	m := min(n, c.first.Elements())
	dst, err := c.first.AppendKey(dst, key.First, m)
	if err != nil || m == n {
		return dst, err
	}
	return c.second.AppendKey(dst, key.Second, n-m)
}

func (c pairKey[A, B]) CutKey(packed []byte) (key Pair[A, B], rest []byte, err error) {
	key.First, rest, err = c.first.CutKey(packed)
	if err == nil {
		key.Second, rest, err = c.second.CutKey(rest)
	}
	return key, rest, err
}

// FieldCodec is one field of a StructKey.
type FieldCodec[K any] struct {
	elements int
	add      func(dst []byte, key *K, n int) ([]byte, error)
	cut      func(packed []byte, key *K) ([]byte, error)
}

// Field says how one field of a key is written, and where it is:
//
//	typed.Field(typed.StringKey[string](), func(o *OrderKey) *string { return &o.Customer })
func Field[K, F any](codec KeyCodec[F], field func(*K) *F) FieldCodec[K] {
	return FieldCodec[K]{
		elements: codec.Elements(),
		add: func(dst []byte, key *K, n int) ([]byte, error) {
			return codec.AppendKey(dst, *field(key), n)
		},
		cut: func(packed []byte, key *K) ([]byte, error) {
			value, rest, err := codec.CutKey(packed)
			if err == nil {
				*field(key) = value
			}
			return rest, err
		},
	}
}

// StructKey is for keys that are structs. They sort by the fields in the order
// in which they are given here; fields that are not given are not stored.
func StructKey[K any](fields ...FieldCodec[K]) KeyCodec[K] {
	c := &structKey[K]{fields: fields}
	for _, f := range fields {
		c.elements += f.elements
	}
	return c
}

type structKey[K any] struct {
	fields   []FieldCodec[K]
	elements int
	// scratch holds *K: fields are reached through pointers, for which each key
	// would otherwise have to be allocated.
	scratch sync.Pool
}

func (c *structKey[K]) Elements() int { return c.elements }

func (c *structKey[K]) AppendKey(dst []byte, key K, n int) ([]byte, error) {
	p := c.borrow()
	defer c.giveBack(p)
	*p = key
	var err error
	for _, f := range c.fields {
		if n <= 0 || err != nil {
			break
		}
		dst, err = f.add(dst, p, min(n, f.elements))
		n -= f.elements
	}
	return dst, err
}

func (c *structKey[K]) CutKey(packed []byte) (key K, rest []byte, err error) {
	p := c.borrow()
	defer c.giveBack(p)
	rest = packed
	for _, f := range c.fields {
		if rest, err = f.cut(rest, p); err != nil {
			return key, packed, err
		}
	}
	return *p, rest, nil
}

func (c *structKey[K]) borrow() *K {
	if p, ok := c.scratch.Get().(*K); ok {
		return p
	}
	return new(K)
}

func (c *structKey[K]) giveBack(p *K) {
	var none K
	*p = none
	c.scratch.Put(p)
}

// TupleKey is for keys whose types are known only at run time: tuples of the
// given number of elements, of any type that package tuple knows.
func TupleKey(elements int) KeyCodec[tuple.Tuple] { return tupleKey(elements) }

type tupleKey int

func (c tupleKey) Elements() int { return int(c) }

func (c tupleKey) AppendKey(dst []byte, key tuple.Tuple, n int) ([]byte, error) {
	if len(key) != int(c) {
		return dst, &tuple.ElementError{Index: min(len(key), int(c)), Len: len(key), Want: "as many elements as the codec says"}
	}
	return key[:n].Append(dst)
}

func (c tupleKey) CutKey(packed []byte) (key tuple.Tuple, rest []byte, err error) {
	key, rest = make(tuple.Tuple, c), packed
	for i := range key {
		if key[i], rest, err = tuple.Cut(rest); err != nil {
			return nil, packed, err
		}
	}
	return key, rest, nil
}

// noKey is for the only row of a map with one.
type noKey struct{}

func (noKey) Elements() int { return 0 }

func (noKey) AppendKey(dst []byte, _ struct{}, _ int) ([]byte, error) { return dst, nil }

func (noKey) CutKey(packed []byte) (struct{}, []byte, error) { return struct{}{}, packed, nil }
