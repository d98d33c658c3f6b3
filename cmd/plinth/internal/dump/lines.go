package dump

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// errLineTooLong says that a line cannot be a row.
var errLineTooLong = fmt.Errorf("line has more than %d bytes, the most that a row can take", maxLineBytes)

// lines reads lines of bounded length.
type lines struct {
	in *bufio.Reader
	// number is that of the line last returned, from 1.
	number int64
	// bytes is the length of the line last returned, with its end and with
	// what was skipped.
	bytes int64
	// unfinished says that the line last returned, the last of the input, had
	// no line feed.
	unfinished bool
}

// readBufferBytes holds a whole row line, so that it is returned without a
// copy.
const readBufferBytes = maxLineBytes

func newLines(r io.Reader) *lines {
	return &lines{in: bufio.NewReaderSize(r, readBufferBytes)}
}

// next returns the next line without its end, valid until the next call. The
// error is io.EOF after the last line, errLineTooLong for a line that was
// skipped, or that of the reader.
func (l *lines) next() ([]byte, error) {
	line, err := l.in.ReadSlice('\n')
	if len(line) == 0 && err != nil {
		return nil, err
	}
	tooLong := errors.Is(err, bufio.ErrBufferFull)
	if err != nil && !tooLong && !errors.Is(err, io.EOF) {
		return nil, err // A line of which only a part was read does not count.
	}
	l.number++
	l.bytes = int64(len(line))
	if tooLong {
		return nil, l.skip()
	}
	l.unfinished = err != nil
	return trimEnd(line), nil
}

// skip passes over the rest of a line that is too long.
func (l *lines) skip() error {
	for {
		rest, err := l.in.ReadSlice('\n')
		l.bytes += int64(len(rest))
		switch {
		case err == nil:
			return errLineTooLong
		case errors.Is(err, io.EOF):
			l.unfinished = true
			return errLineTooLong
		case !errors.Is(err, bufio.ErrBufferFull):
			l.number-- // As in next.
			return err
		}
	}
}
