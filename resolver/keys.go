package resolver

import "encoding/binary"

// chunkBytes is the size of an arena's chunks. A keyRef gives 16 bits to the
// place in a chunk, so it cannot be larger.
const chunkBytes = 64 << 10

// keyRef names a key in an arena: the chunk's number in the upper 16 bits, the
// place in the chunk in the lower ones.
type keyRef uint32

// arena holds copies of keys, each behind its length, in a few large chunks:
// the garbage collector follows one pointer a chunk instead of one a key, and
// the memory of requests is not pinned. Keys are only ever added; the arena is
// reset as a whole.
type arena struct {
	chunks [][]byte
	// spare holds empty chunks from before the last reset.
	spare [][]byte
	// current is the chunk that is being filled, used how much of it is.
	current, used int
	bytes         int64 // of chunks and spare
}

// add copies key into the arena.
func (a *arena) add(key []byte) keyRef {
	var head [binary.MaxVarintLen64]byte
	w := binary.PutUvarint(head[:], uint64(len(key)))
	size := w + len(key)
	if size > chunkBytes {
		// A key of this size is far beyond wire.MaxKeyBytes, but refusing it is
		// the client's and the proxy's task: it gets a chunk to itself.
		chunk := append(append(make([]byte, 0, size), head[:w]...), key...)
		a.chunks = append(a.chunks, chunk)
		a.bytes += int64(size)
		return keyRef(len(a.chunks)-1) << 16
	}
	if len(a.chunks) == 0 || a.used+size > chunkBytes {
		a.nextChunk()
	}
	chunk := a.chunks[a.current][a.used : a.used+size]
	copy(chunk, head[:w])
	copy(chunk[w:], key)
	ref := keyRef(a.current)<<16 | keyRef(a.used)
	a.used += size
	return ref
}

func (a *arena) nextChunk() {
	a.current, a.used = len(a.chunks), 0
	if n := len(a.spare); n > 0 {
		a.chunks = append(a.chunks, a.spare[n-1])
		a.spare = a.spare[:n-1]
		return
	}
	a.chunks = append(a.chunks, make([]byte, chunkBytes))
	a.bytes += chunkBytes
}

// usedBytes is the memory of the chunks that hold keys.
func (a *arena) usedBytes() int64 { return a.bytes - int64(len(a.spare))*chunkBytes }

// reset forgets all keys and keeps the chunks that they used.
func (a *arena) reset() {
	clear(a.spare) // what was not needed this time is not kept
	spare := a.spare[:0]
	for _, c := range a.chunks {
		if len(c) == chunkBytes {
			spare = append(spare, c)
		}
	}
	clear(a.chunks)
	*a = arena{chunks: a.chunks[:0], spare: spare, bytes: int64(len(spare)) * chunkBytes}
}

// key returns the key that add returned ref for, as part of the arena.
func (a *arena) key(ref keyRef) []byte {
	b := a.chunks[ref>>16][ref&0xffff:]
	if n := int(b[0]); n < 0x80 {
		return b[1 : 1+n : 1+n]
	}
	n, w := binary.Uvarint(b)
	return b[w : w+int(n) : w+int(n)]
}
