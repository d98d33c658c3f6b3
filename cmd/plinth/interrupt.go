package main

import (
	"context"
	"io"
)

// await returns what f returns or, if ctx ends before, its error. f then runs
// on by itself: this is for waits that nothing can end but the end of the
// process, such as the one for the next line of a silent pipe.
func await[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// interruptibleBytes is how much is read from a stream at a time.
const interruptibleBytes = 64 << 10

// interruptible reads a stream until a context ends, also where the stream has
// nothing to say (C3).
type interruptible struct {
	ctx context.Context
	in  io.Reader
	// buf is what reads go to: one that was given up may still write to it, so
	// it cannot be the caller's.
	buf []byte
}

func newInterruptible(ctx context.Context, in io.Reader) *interruptible {
	return &interruptible{ctx: ctx, in: in, buf: make([]byte, interruptibleBytes)}
}

// Read implements io.Reader. The error is that of the context if it has ended.
func (r *interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err // A read that was given up may have the buffer.
	}
	buf := r.buf[:min(len(p), len(r.buf))]
	n, err := await(r.ctx, func() (int, error) { return r.in.Read(buf) })
	return copy(p, buf[:n]), err
}

// interruptibleWriter writes to a stream until a context ends, also where
// nobody reads the stream (C3).
type interruptibleWriter struct {
	ctx context.Context
	out io.Writer
	// buf is what is written: a write that was given up may still read it.
	buf []byte
}

// Write implements io.Writer. The error is that of the context if it has ended.
func (w *interruptibleWriter) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err // A write that was given up may have the buffer.
	}
	w.buf = append(w.buf[:0], p...)
	return await(w.ctx, func() (int, error) { return w.out.Write(w.buf) })
}
