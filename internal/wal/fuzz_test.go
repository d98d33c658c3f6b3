package wal

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/wire"
)

// A file of any content is either refused with an error of ours, or taken for a
// log that can be appended to and opens again with the same records.
func FuzzOpen(f *testing.F) {
	fs := vfs.NewMem()
	l, _ := reopen(f, smallOptions(fs))
	appendRun(f, l, 0, 20)
	mustClose(f, l)
	whole := filesOf(f, fs)[segmentName(1)]
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(newerHeader(whole, 2))
	f.Add(append(segmentHeader(1), 1, 2, 3))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, file []byte) {
		fs := fsOf(t, map[string][]byte{segmentName(1): file})
		o := smallOptions(fs)
		var kept []entry
		l, err := Open(collect(o, &kept))
		if err != nil {
			if !errors.Is(err, wire.ErrFileCorrupt) && !errors.Is(err, wire.ErrNewerFormat) {
				t.Fatalf("Open: %v", err)
			}
			return
		}
		kept = append(kept, appendRun(t, l, 0, 3)...)
		mustClose(t, l)
		l, again := reopen(t, o)
		sameEntries(t, again, kept)
		mustClose(t, l)
	})
}

// Damage to a few neighbouring bytes of a closed log never yields other records
// than were appended, and never fewer.
func FuzzDamage(f *testing.F) {
	clean := vfs.NewMem()
	l, _ := reopen(f, smallOptions(clean))
	all := appendRun(f, l, 0, 50)
	mustClose(f, l)
	files := filesOf(f, clean)
	f.Add(uint64(1), uint32(4300), []byte{1, 2, 3, 4})
	f.Add(uint64(2), uint32(0), []byte{0xff})
	f.Add(uint64(1), uint32(4096+20), []byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, seq uint64, at uint32, xor []byte) {
		original, ok := files[segmentName(seq)]
		if !ok || int(at) >= len(original) || len(xor) > 64 {
			return
		}
		fs := fsOf(t, files)
		file, err := fs.UnsafeGetFileDataBuffer(fs.PathJoin(testDir, segmentName(seq)))
		if err != nil {
			t.Fatal(err)
		}
		for i := range min(len(xor), len(file)-int(at)) {
			file[int(at)+i] ^= xor[i]
		}
		kept, err := replayOnly(fs)
		if err != nil {
			if !errors.Is(err, wire.ErrFileCorrupt) && !errors.Is(err, wire.ErrNewerFormat) {
				t.Fatal(err)
			}
			return
		}
		sameEntries(t, kept, all)
	})
}

func FuzzParseHeader(f *testing.F) {
	h := header{typ: typeData, kind: 3, group: 7, index: 99, segment: 5}
	buf := appendRecord(nil, h, []byte("payload"), nil)
	stamp(buf, 4096, 4096)
	f.Add(buf, uint64(5), int64(4096))
	f.Add(buf[:39], uint64(5), int64(4096))
	f.Fuzz(func(t *testing.T, b []byte, seq uint64, offset int64) {
		h, ok := parseHeader(b, seq, offset)
		if !ok {
			return
		}
		again := make([]byte, recordHeaderBytes)
		h.put(again)
		copy(again[16:20], b[16:20])
		putSum(again, offset)
		if string(again) != string(b[:recordHeaderBytes]) {
			t.Fatalf("header %+v was read from %x", h, b[:recordHeaderBytes])
		}
	})
}
