package main

import (
	"fmt"
	"io"
)

// writer writes results and keeps the first error, for output whose writes are
// too many to look at each.
type writer struct {
	out io.Writer
	err error
}

// Write implements io.Writer. After an error nothing more is written.
func (w *writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.out.Write(p)
	w.err = err
	return n, err
}

// line writes a line.
func (w *writer) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
