package kv

// Future is a value that is on its way. It may be copied, and waited for by
// several goroutines; all get the same value. It must be waited for before its
// transaction ends: afterwards Wait returns an error if the value has not
// arrived.
type Future[T any] struct {
	source source[T]
}

// source is what brings the value of a Future.
type source[T any] interface {
	wait() (T, error)
}

// Wait returns the value once it is there. The transaction's context ends the
// wait.
func (f Future[T]) Wait() (T, error) { return f.source.wait() }
