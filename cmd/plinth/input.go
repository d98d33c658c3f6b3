package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// input is what an import reads.
type input struct {
	io.Reader
	io.Closer
	name string
	// bytes is its length, -1 if that is not known.
	bytes int64
}

// openInput opens a file, or standard input for "-".
func openInput(cmd *cobra.Command, name string) (*input, error) {
	ctx := cmd.Context()
	if name == "-" {
		in := cmd.InOrStdin()
		return &input{newInterruptible(ctx, in), io.NopCloser(in), name, -1}, nil
	}
	// A named pipe does not open before somebody writes to it.
	f, err := await(ctx, func() (*os.File, error) { return os.Open(name) })
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, errors.Join(err, f.Close())
	case info.IsDir():
		return nil, errors.Join(fmt.Errorf("%s is a directory; give a file", name), f.Close())
	case info.Mode().IsRegular():
		return &input{f, f, name, info.Size()}, nil
	}
	return &input{newInterruptible(ctx, f), f, name, -1}, nil
}
