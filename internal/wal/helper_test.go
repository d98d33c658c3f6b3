package wal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const testDir = "data/wal"

// entry is a record as a test remembers it.
type entry struct {
	record   Record
	position Position
}

// smallOptions are options under which a test gets many segments soon.
func smallOptions(fs vfs.FS) Options {
	return Options{FS: fs, Dir: testDir, SegmentBytes: 16 << 10, GrowBytes: 2 << 10, FreeSegments: 2}
}

// collect makes the options gather what is replayed.
func collect(o Options, into *[]entry) Options {
	o.Replay = func(r Record, p Position) error {
		r.Payload = bytes.Clone(r.Payload)
		*into = append(*into, entry{r, p})
		return nil
	}
	return o
}

// reopen opens the log and returns it with what was replayed.
func reopen(t testing.TB, o Options) (*Log, []entry) {
	t.Helper()
	var kept []entry
	l, err := Open(collect(o, &kept))
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return l, kept
}

// makeRecord returns a record all of whose fields follow from its index, so that
// a reader can tell whether it is whole.
func makeRecord(index uint64) Record {
	rng := rand.New(rand.NewPCG(index, 7))
	size := rng.IntN(200)
	if rng.IntN(20) == 0 {
		size = rng.IntN(6000)
	}
	payload := make([]byte, size)
	for i := range payload {
		payload[i] = byte(rng.Uint32())
	}
	return Record{Group: uint32(rng.IntN(4)), Kind: uint8(rng.IntN(5)), Index: index, Payload: payload}
}

// split gives a record's payload in parts.
func split(r Record) Record {
	n := len(r.Payload)
	r.Payload, r.Rest = r.Payload[:n/3], [][]byte{r.Payload[n/3 : n/2], nil, r.Payload[n/2:]}
	return r
}

func sameRecord(a, b Record) bool {
	return a.Group == b.Group && a.Kind == b.Kind && a.Index == b.Index && bytes.Equal(a.Payload, b.Payload)
}

// checkRun reports an error unless the entries are the records of makeRecord
// from index first on, in order.
func checkRun(entries []entry, first uint64) error {
	for i, e := range entries {
		want := makeRecord(first + uint64(i))
		if !sameRecord(e.record, want) {
			return fmt.Errorf("record %d of %d is not the one with index %d: got index %d, %d bytes",
				i, len(entries), want.Index, e.record.Index, len(e.record.Payload))
		}
		if i > 0 && entries[i-1].position.Compare(e.position) >= 0 {
			return fmt.Errorf("position %v comes after %v", e.position, entries[i-1].position)
		}
	}
	return nil
}

// appendRun appends the records of makeRecord with the given indexes and waits
// until they are on disk.
func appendRun(t testing.TB, l *Log, from, to uint64) []entry {
	t.Helper()
	var out []entry
	for i := from; i < to; i++ {
		r := makeRecord(i)
		p, err := l.Append(nil, []Record{split(r)}, nil)
		if err != nil {
			t.Fatalf("Append: %v", err)
		}
		out = append(out, entry{r, p[0]})
	}
	if err := l.Sync(); err != nil {
		t.Fatalf("Sync: %v", err)
	}
	return out
}

func sameEntries(t testing.TB, got, want []entry) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d records, want %d", len(got), len(want))
	}
	for i := range got {
		if !sameRecord(got[i].record, want[i].record) || got[i].position != want[i].position {
			t.Fatalf("record %d: got %v %v, want %v %v", i, got[i].record.Index, got[i].position,
				want[i].record.Index, want[i].position)
		}
	}
}

func mustClose(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
}

// readFile returns a file's content.
func readFile(t testing.TB, fs vfs.FS, path string) []byte {
	t.Helper()
	f, err := fs.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, info.Size())
	if len(b) > 0 {
		if _, err := f.ReadAt(b, 0); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// writeFile writes a file of a memory file system.
func writeFile(t testing.TB, fs vfs.FS, path string, b []byte) {
	t.Helper()
	f, err := fs.Create(path, writeCategory)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(bytes.Clone(b)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// filesOf returns the contents of all files in the log's directory.
func filesOf(t testing.TB, fs vfs.FS) map[string][]byte {
	t.Helper()
	names, err := fs.List(testDir)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string][]byte)
	for _, name := range names {
		files[name] = readFile(t, fs, fs.PathJoin(testDir, name))
	}
	return files
}

// fsOf returns a memory file system with these files.
func fsOf(t testing.TB, files map[string][]byte) *vfs.MemFS {
	t.Helper()
	fs := vfs.NewMem()
	if err := fs.MkdirAll(testDir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, b := range files {
		writeFile(t, fs, fs.PathJoin(testDir, name), b)
	}
	return fs
}

// linkedSegments returns the numbers of the segments that hold a link, rising.
func linkedSegments(files map[string][]byte) []uint64 {
	var seqs []uint64
	for name, b := range files {
		seq, ok := parseName(name, segmentSuffix)
		if !ok || len(b) < firstRecordOffset {
			continue
		}
		if _, ok := parseHeader(b[segmentHeaderBytes:], seq, segmentHeaderBytes); ok {
			seqs = append(seqs, seq)
		}
	}
	slices.Sort(seqs)
	return seqs
}

// putSum recomputes a record header's checksum after a test changed it.
func putSum(b []byte, offset int64) {
	binary.LittleEndian.PutUint32(b[4:], headerSum(b, offset))
}

// newerHeader returns a copy of a segment whose header is of another version.
func newerHeader(file []byte, version uint32) []byte {
	b := bytes.Clone(file)
	binary.LittleEndian.PutUint32(b[8:], version)
	binary.LittleEndian.PutUint32(b[12:], crc32.Checksum(b[:12], castagnoli))
	return b
}
