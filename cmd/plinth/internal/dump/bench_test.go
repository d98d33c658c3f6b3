package dump

import (
	"bytes"
	"testing"

	"github.com/plinthdb/plinth/kv"
)

// benchRow is a row of a common size, with some bytes to escape.
var benchRow = kv.KeyValue{Key: []byte("user/0000012345\x00"), Value: append(bytes.Repeat([]byte("plain text "), 9), 0, 0xff)}

func BenchmarkAppendLine(b *testing.B) {
	for _, format := range Formats() {
		b.Run(string(format), func(b *testing.B) {
			var line []byte
			b.SetBytes(int64(len(format.AppendLine(nil, benchRow))))
			b.ReportAllocs()
			for b.Loop() {
				line = format.AppendLine(line[:0], benchRow)
			}
		})
	}
}

func BenchmarkParseLine(b *testing.B) {
	for _, format := range Formats() {
		b.Run(string(format), func(b *testing.B) {
			line := trimEnd(format.AppendLine(nil, benchRow))
			var buf []byte
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if buf, _, err = format.parse(buf[:0], line); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
