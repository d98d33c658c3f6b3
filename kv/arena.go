package kv

import "github.com/plinthdb/plinth/internal/wire"

const (
	firstChunkBytes = 512
	lastChunkBytes  = 32 << 10
)

// arena hands out small pieces of memory from chunks that grow, so that a key
// costs far less than an allocation of its own. Pieces are never freed one by
// one and never move.
type arena struct {
	chunk []byte
	next  int // size of the next chunk
}

// alloc returns n bytes that nobody else has.
func (a *arena) alloc(n int) []byte {
	if cap(a.chunk)-len(a.chunk) < n {
		a.next = min(max(2*a.next, firstChunkBytes), lastChunkBytes)
		a.chunk = make([]byte, 0, max(n, a.next))
	}
	at := len(a.chunk)
	a.chunk = a.chunk[:at+n]
	return a.chunk[at : at+n : at+n]
}

// clone returns a copy of b.
func (a *arena) clone(b []byte) []byte {
	out := a.alloc(len(b))
	copy(out, b)
	return out
}

// singleKey returns the range that holds a copy of key alone.
func (a *arena) singleKey(key []byte) wire.KeyRange {
	buf := a.alloc(len(key) + 1)
	copy(buf, key)
	buf[len(key)] = 0
	return wire.KeyRange{Begin: buf[:len(key):len(key)], End: buf}
}

// keyRange returns a copy of r.
func (a *arena) keyRange(r wire.KeyRange) wire.KeyRange {
	return wire.KeyRange{Begin: a.clone(r.Begin), End: a.clone(r.End)}
}
