package dump

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// Checkpoint is a place in the input of an import up to which everything is in
// the store. It says enough of the lines before it to know them again.
type Checkpoint struct {
	// Line is the number of lines, Bytes their length with their ends.
	Line  int64 `json:"line"`
	Bytes int64 `json:"bytes"`
	// Checksum is the CRC-32C of those bytes.
	Checksum uint32 `json:"checksum"`
	// BadLines is how many of the lines were no rows and passed over.
	BadLines int64 `json:"bad_lines"`
}

// ErrOtherInput says that the input does not begin with the lines before the
// checkpoint.
var ErrOtherInput = errors.New("the input is not the one whose import was begun")

// checksum brings the CRC-32C of some bytes up to date by those that follow.
// The standard library finds the processor's instruction by the table.
func checksum(sum uint32, b []byte) uint32 {
	return crc32.Update(sum, crc32.MakeTable(crc32.Castagnoli), b)
}

// skipStep is after how many lines skipTo asks and tells.
const skipStep = 4096

// skipTo reads the lines before a checkpoint and compares them with it. tell is
// told of the bytes read, and ends it with an error.
func (l *lines) skipTo(c Checkpoint, tell func(bytes int64) error) error {
	told := int64(0)
	for l.at.Line < c.Line {
		_, err := l.next()
		switch {
		case errors.Is(err, io.EOF):
			return fmt.Errorf("%w: it has %d lines, %d were imported", ErrOtherInput, l.at.Line, c.Line)
		case err != nil && !errors.Is(err, errLineTooLong):
			return fmt.Errorf("read after line %d: %w", l.at.Line, err)
		}
		if l.at.Line%skipStep == 0 || l.at.Line == c.Line {
			if err := tell(l.at.Bytes - told); err != nil {
				return err
			}
			told = l.at.Bytes
		}
	}
	if l.at.Bytes != c.Bytes || l.at.Checksum != c.Checksum {
		return fmt.Errorf("%w: its first %d lines differ", ErrOtherInput, c.Line)
	}
	l.at.BadLines = c.BadLines
	return nil
}
