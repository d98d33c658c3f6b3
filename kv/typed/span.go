package typed

import (
	"bytes"

	"github.com/plinthdb/plinth/kv"
)

// Span is a range of keys. Make one with All, From, After, To, Through, Only or
// Prefix; the methods narrow it further. A span in which nothing can lie is
// empty, not an error.
//
//	typed.From(10).To(20)          // 10 <= key < 20
//	typed.After(10)                // 10 < key
//	typed.Prefix(OrderKey{Customer: "ada"}, 1).From(OrderKey{"ada", 7})
type Span[K any] struct {
	lower, upper, prefix bound[K]
}

// bound is a key, or the first elements of one, as the end of a span.
type bound[K any] struct {
	set bool
	// after says that the end is behind all keys that begin with these
	// elements, instead of before them.
	after bool
	// whole says that all elements count, and not only the first ones.
	whole    bool
	elements int
	key      K
}

// All is the span of all keys.
func All[K any]() Span[K] { return Span[K]{} }

// From is the span of the keys at and above key.
func From[K any](key K) Span[K] { return Span[K]{}.From(key) }

// After is the span of the keys above key.
func After[K any](key K) Span[K] { return Span[K]{}.After(key) }

// To is the span of the keys below key.
func To[K any](key K) Span[K] { return Span[K]{}.To(key) }

// Through is the span of the keys at and below key.
func Through[K any](key K) Span[K] { return Span[K]{}.Through(key) }

// Only is the span of one key. For an index it holds all entries of that key.
func Only[K any](key K) Span[K] { return Span[K]{prefix: bound[K]{set: true, whole: true, key: key}} }

// Prefix is the span of all keys whose first n elements are those of key; the
// other elements of key have no meaning. Fields and parts count as one element
// each, unless they are composite themselves.
func Prefix[K any](key K, n int) Span[K] {
	return Span[K]{prefix: bound[K]{set: true, elements: n, key: key}}
}

// From narrows the span to the keys at and above key.
func (s Span[K]) From(key K) Span[K] {
	s.lower = bound[K]{set: true, whole: true, key: key}
	return s
}

// After narrows the span to the keys above key.
func (s Span[K]) After(key K) Span[K] {
	s.lower = bound[K]{set: true, whole: true, after: true, key: key}
	return s
}

// To narrows the span to the keys below key.
func (s Span[K]) To(key K) Span[K] {
	s.upper = bound[K]{set: true, whole: true, key: key}
	return s
}

// Through narrows the span to the keys at and below key.
func (s Span[K]) Through(key K) Span[K] {
	s.upper = bound[K]{set: true, whole: true, after: true, key: key}
	return s
}

// afterAll sorts behind every element of a tuple.
const afterAll = 0xff

// rangeOf returns the keys of the store that the span holds.
func (t *table[K]) rangeOf(s Span[K]) (kv.KeyRange, error) {
	begin, err := t.boundKey(s.prefix)
	if err != nil {
		return kv.KeyRange{}, err
	}
	r := kv.KeyRange{Begin: begin, End: append(bytes.Clone(begin), afterAll)}
	if s.lower.set {
		key, err := t.boundKey(s.lower)
		if err != nil {
			return kv.KeyRange{}, err
		}
		if bytes.Compare(key, r.Begin) > 0 {
			r.Begin = key
		}
	}
	if s.upper.set {
		key, err := t.boundKey(s.upper)
		if err != nil {
			return kv.KeyRange{}, err
		}
		if bytes.Compare(key, r.End) < 0 {
			r.End = key
		}
	}
	return notInverted(r), nil
}

// notInverted returns r, or an empty range if r begins after its end.
func notInverted(r kv.KeyRange) kv.KeyRange {
	if bytes.Compare(r.Begin, r.End) > 0 {
		r.End = r.Begin
	}
	return r
}

// boundKey returns the key of the store at which b lies.
func (t *table[K]) boundKey(b bound[K]) ([]byte, error) {
	if !b.set {
		return []byte(t.prefix), nil
	}
	n := t.keys.Elements()
	if !b.whole {
		n = max(0, min(n, b.elements))
	}
	key, err := t.appendKey(nil, b.key, n)
	if err == nil && b.after {
		key = append(key, afterAll)
	}
	return key, err
}
