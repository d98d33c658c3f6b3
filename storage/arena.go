package storage

// arena hands out byte slices from a few large allocations.
type arena struct {
	free []byte
	next int
}

const (
	minArenaBytes = 1 << 10
	maxArenaBytes = 64 << 10
)

// alloc returns n bytes of its own, never nil.
func (a *arena) alloc(n int) []byte {
	if n > len(a.free) || a.free == nil {
		a.next = min(max(2*a.next, minArenaBytes), maxArenaBytes)
		if n > a.next/2 {
			return make([]byte, n)
		}
		a.free = make([]byte, a.next)
	}
	out := a.free[:n:n]
	a.free = a.free[n:]
	return out
}

// clone returns a copy of b, never nil.
func (a *arena) clone(b []byte) []byte {
	out := a.alloc(len(b))
	copy(out, b)
	return out
}
