package network

import (
	"fmt"
	"hash/crc32"
	"strconv"
)

// traceSegment traces an arrival, or a loss if why says how:
//
//	net c1:32768>s1:80 data 4096+512 crc=1f3a04c2
//	net c1:32768>s1:80 probe lost: machine is down
func (f *fabric) traceSegment(s *segment, why string) {
	b := append(f.line[:0], "net "...)
	b = appendAddr(b, s.local)
	b = append(b, '>')
	b = appendAddr(b, s.remote)
	b = append(b, ' ')
	b = append(b, s.kind.String()...)
	switch s.kind {
	case kindData:
		b = append(b, ' ')
		b = strconv.AppendUint(b, s.position, 10)
		b = append(b, '+')
		b = strconv.AppendInt(b, int64(len(s.data)), 10)
		b = append(b, " crc="...)
		b = strconv.AppendUint(b, uint64(crc32.ChecksumIEEE(s.data)), 16)
	case kindFin:
		b = append(b, ' ')
		b = strconv.AppendUint(b, s.position, 10)
	case kindAck:
		b = append(b, ' ')
		b = strconv.AppendUint(b, s.acked, 10)
		b = append(b, ' ')
		b = strconv.AppendUint(b, s.edge, 10)
	}
	if why != "" {
		b = append(b, " lost: "...)
		b = append(b, why...)
	}
	f.line = b
	f.trace(b)
}

func appendAddr(b []byte, a Addr) []byte {
	b = append(b, a.Host...)
	b = append(b, ':')
	return strconv.AppendInt(b, int64(a.Port), 10)
}

// tracef traces what is not a segment.
func (f *fabric) tracef(format string, args ...any) {
	f.line = fmt.Appendf(append(f.line[:0], "net "...), format, args...)
	f.trace(f.line)
}
