package trace

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"strconv"
	"time"
)

// hashBytes of the sum are printed: 2^64 runs would share one by chance.
const hashBytes = 16

// Log is the trace of one run. It is not safe for concurrent use: the program
// it records has one thread.
type Log struct {
	hash  hash.Hash
	lines uint64
	buf   []byte
	ring  [][]byte
	sink  *bufio.Writer
	err   error
}

// New returns a log that keeps the last tailLines lines and, unless sink is
// nil, writes each line to sink. Call Flush at the end of the run.
func New(tailLines int, sink io.Writer) *Log {
	l := &Log{hash: sha256.New(), ring: make([][]byte, tailLines)}
	if sink != nil {
		l.sink = bufio.NewWriterSize(sink, 64<<10)
	}
	return l
}

// Add records that line happened at the virtual time now. Line ends within it,
// as in errors that were joined, become spaces.
func (l *Log) Add(now time.Duration, line []byte) {
	l.buf = appendTime(l.buf[:0], now)
	l.buf = append(l.buf, ' ')
	for _, b := range line {
		if b == '\n' {
			b = ' '
		}
		l.buf = append(l.buf, b)
	}
	l.buf = append(l.buf, '\n')
	l.hash.Write(l.buf)
	if len(l.ring) > 0 {
		slot := &l.ring[l.lines%uint64(len(l.ring))]
		*slot = append((*slot)[:0], l.buf...)
	}
	l.lines++
	if l.sink != nil && l.err == nil {
		_, l.err = l.sink.Write(l.buf)
	}
}

// appendTime writes seconds with nine decimals, as "12.000345001".
func appendTime(buf []byte, now time.Duration) []byte {
	buf = strconv.AppendInt(buf, int64(now/time.Second), 10)
	frac := strconv.AppendInt(nil, int64(time.Second+now%time.Second), 10)
	frac[0] = '.'
	return append(buf, frac...)
}

// Lines counts the lines added.
func (l *Log) Lines() uint64 { return l.lines }

// Sum is the hash of all lines so far, in hexadecimal.
func (l *Log) Sum() string { return hex.EncodeToString(l.hash.Sum(nil)[:hashBytes]) }

// Tail returns copies of the last lines, oldest first, each with its time and
// its line end.
func (l *Log) Tail() []string {
	n := min(l.lines, uint64(len(l.ring)))
	tail := make([]string, 0, n)
	for i := l.lines - n; i < l.lines; i++ {
		tail = append(tail, string(l.ring[i%uint64(len(l.ring))]))
	}
	return tail
}

// Flush writes what is buffered to the sink and returns the first error of any
// write to it.
func (l *Log) Flush() error {
	if l.sink == nil || l.err != nil {
		return l.err
	}
	return l.sink.Flush()
}
