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
	// at is the place behind the line last returned, which has the number
	// at.Line.
	at Checkpoint
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
	behind := l.at
	behind.Line++
	behind.take(line)
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, l.skip(behind)
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err // A line of which only a part was read does not count.
	}
	l.at = behind
	l.unfinished = err != nil
	return trimEnd(line), nil
}

// skip passes over the rest of a line that is too long. behind is the place
// behind what was read of it.
func (l *lines) skip(behind Checkpoint) error {
	for {
		rest, err := l.in.ReadSlice('\n')
		behind.take(rest)
		switch {
		case err == nil:
			l.at = behind
			return errLineTooLong
		case errors.Is(err, io.EOF):
			l.at = behind
			l.unfinished = true
			return errLineTooLong
		case !errors.Is(err, bufio.ErrBufferFull):
			return err // As in next.
		}
	}
}

// take moves the place on behind bytes of the input.
func (c *Checkpoint) take(b []byte) {
	c.Bytes += int64(len(b))
	c.Checksum = checksum(c.Checksum, b)
}
