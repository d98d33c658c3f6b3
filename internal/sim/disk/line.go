package disk

import (
	"hash/crc32"
	"strconv"
)

// traceLocked writes "disk NAME OP PATH A B error". Numbers below zero are
// left out.
func (d *Disk) traceLocked(op, path string, a, b int64, err error) {
	line := append(d.mu.line[:0], "disk "...)
	line = append(line, d.config.Name...)
	line = append(line, ' ')
	line = append(line, op...)
	if path != "" {
		line = append(line, ' ')
		line = append(line, path...)
	}
	for _, n := range [...]int64{a, b} {
		if n >= 0 {
			line = append(line, ' ')
			line = strconv.AppendInt(line, n, 10)
		}
	}
	if err != nil {
		line = append(line, ": "...)
		line = append(line, err.Error()...)
	}
	d.mu.line = line
	d.trace(line)
}

// traceWriteLocked writes "disk NAME write PATH OFFSET BYTES crc=SUM error", so
// that the trace depends on what was written.
func (d *Disk) traceWriteLocked(path string, off int64, p []byte, err error) {
	line := append(d.mu.line[:0], "disk "...)
	line = append(line, d.config.Name...)
	line = append(line, " write "...)
	line = append(line, path...)
	line = append(line, ' ')
	line = strconv.AppendInt(line, off, 10)
	line = append(line, ' ')
	line = strconv.AppendInt(line, int64(len(p)), 10)
	line = append(line, " crc="...)
	line = strconv.AppendUint(line, uint64(crc32.ChecksumIEEE(p)), 16)
	if err != nil {
		line = append(line, ": "...)
		line = append(line, err.Error()...)
	}
	d.mu.line = line
	d.trace(line)
}
