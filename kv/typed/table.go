package typed

import (
	"fmt"
	"sync"

	"github.com/plinthdb/plinth/kv/subspace"
)

// table is a part of the key space whose keys begin with a prefix and a K.
type table[K any] struct {
	prefix string
	keys   KeyCodec[K]
	// buffers holds *[]byte for keys and values on their way to package kv,
	// which copies them.
	buffers *sync.Pool
}

func newTable[K any](space subspace.Subspace, keys KeyCodec[K]) table[K] {
	return table[K]{
		prefix:  string(space.Bytes()),
		keys:    keys,
		buffers: &sync.Pool{New: func() any { return new([]byte) }},
	}
}

// keepBytes is the largest buffer that is kept for the next call.
const keepBytes = 1 << 16

// takeBuffer returns an empty buffer, to be given back.
func (t *table[K]) takeBuffer() *[]byte { return t.buffers.Get().(*[]byte) }

func (t *table[K]) giveBack(b *[]byte) {
	if cap(*b) <= keepBytes {
		*b = (*b)[:0]
		t.buffers.Put(b)
	}
}

// appendKey appends the prefix and the first n elements of key.
func (t *table[K]) appendKey(dst []byte, key K, n int) ([]byte, error) {
	dst, err := t.keys.AppendKey(append(dst, t.prefix...), key, n)
	if err != nil {
		return nil, &EncodeError{Prefix: []byte(t.prefix), Part: "key", Err: err}
	}
	return dst, nil
}

// wholeKey appends the prefix and all of key.
func (t *table[K]) wholeKey(dst []byte, key K) ([]byte, error) {
	return t.appendKey(dst, key, t.keys.Elements())
}

// cutKey decodes the K of a key of the table and returns what follows it.
func (t *table[K]) cutKey(key []byte) (K, []byte, error) {
	k, rest, err := t.keys.CutKey(key[len(t.prefix):])
	if err != nil {
		err = &DecodeError{Key: key, Part: "key", Err: err}
	}
	return k, rest, err
}

// lastKey is cutKey where nothing may follow.
func (t *table[K]) lastKey(key []byte) (K, error) {
	k, rest, err := t.cutKey(key)
	if err == nil {
		err = noLeftover(key, "key", rest)
	}
	return k, err
}

// noLeftover returns an error if there is a rest of part of the row at key.
func noLeftover(key []byte, part string, rest []byte) error {
	if len(rest) == 0 {
		return nil
	}
	return &DecodeError{Key: key, Part: part, Err: fmt.Errorf("%w: %d of them", ErrLeftover, len(rest))}
}
