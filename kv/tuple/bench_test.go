package tuple

import "testing"

var benchTuple = Tuple{"user", int64(123456), "inbox", int64(-9), true}

func BenchmarkPack(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_ = benchTuple.Pack()
	}
}

func BenchmarkAppend(b *testing.B) {
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		buf, _ = benchTuple.Append(buf[:0])
	}
}

func BenchmarkAppendFunctions(b *testing.B) {
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		buf = AppendString(buf[:0], "user")
		buf = AppendInt(buf, 123456)
		buf = AppendString(buf, "inbox")
		buf = AppendInt(buf, -9)
		buf = AppendBool(buf, true)
	}
}

func BenchmarkUnpack(b *testing.B) {
	b.ReportAllocs()
	packed := benchTuple.Pack()
	for b.Loop() {
		if _, err := Unpack(packed); err != nil {
			b.Fatal(err)
		}
	}
}
