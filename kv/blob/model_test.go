package blob_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/blob"
)

// TestBlobsBehaveLikeAMapOfBytes checks B1, B2 and B4 with random operations,
// one after the other.
func TestBlobsBehaveLikeAMapOfBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, rapid.IntRange(1, 9).Draw(t, "chunk"), rapid.IntRange(1, 30).Draw(t, "transaction"))
		defer w.db.Close()
		plain := map[string][]byte{}
		for step := range rapid.IntRange(1, 12).Draw(t, "steps") {
			w.step(t, plain, step)
			checkRead(t, w, plain)
		}
		w.sweepAll(t, plain)
	})
}

func drawName(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "a", "a\x00", "ab", "b"}).Draw(t, "name")
}

// step changes the blobs and the map alike.
func (w *world) step(t *rapid.T, plain map[string][]byte, step int) {
	name, other := drawName(t), drawName(t)
	data := content(step, rapid.IntRange(0, 60).Draw(t, "size"))
	old, there := plain[name]
	switch rapid.SampledFrom([]string{"put", "give up", "set", "append", "delete", "rename", "copy"}).Draw(t, "operation") {
	case "put":
		info, err := w.files.Put(background, w.db, name, iotest.OneByteReader(bytes.NewReader(data)))
		must(t, err)
		if info.Size != int64(len(data)) || info.Name != name {
			t.Fatalf("put %d bytes as %q: %v", len(data), name, info)
		}
		plain[name] = data
	case "give up":
		up := w.files.Create(background, w.db, name)
		_, err := up.Write(data)
		must(t, err)
		if rapid.Bool().Draw(t, "close") {
			must(t, up.Close())
		}
	case "set":
		must(t, w.transact(func(tx *kv.Transaction) error { return w.files.Set(tx, name, data) }))
		plain[name] = data
	case "append":
		must(t, w.transact(func(tx *kv.Transaction) error { return w.files.Append(tx, name, data) }))
		plain[name] = append(append([]byte{}, old...), data...)
	case "delete":
		must(t, w.transact(func(tx *kv.Transaction) error { return w.files.Delete(tx, name) }))
		delete(plain, name)
	case "rename":
		err := w.transact(func(tx *kv.Transaction) error { return w.files.Rename(tx, name, other) })
		if there == errors.Is(err, blob.ErrNotExist) {
			t.Fatalf("rename %q: %v", name, err)
		}
		if there {
			delete(plain, name)
			plain[other] = old
		}
	case "copy":
		_, err := w.files.Copy(background, w.db, name, other)
		if there == errors.Is(err, blob.ErrNotExist) {
			t.Fatalf("copy %q: %v", name, err)
		}
		if there {
			plain[other] = old
		}
	}
}

// checkRead reads one blob in all ways.
func checkRead(t *rapid.T, w *world, plain map[string][]byte) {
	name := drawName(t)
	want, there := plain[name]
	if got := w.get(t, name); !bytes.Equal(got, want) || (got != nil) != there {
		t.Fatalf("%q is %q, want %q", name, got, want)
	}
	prefix := drawName(t)
	var names []string
	must(t, w.transact(func(tx *kv.Transaction) error {
		for info, err := range w.files.List(tx, prefix, kv.RangeOptions{}) {
			must(t, err)
			names = append(names, info.Name)
		}
		return nil
	}))
	expected := slices.Sorted(maps.Keys(plain))
	expected = slices.DeleteFunc(expected, func(n string) bool { return !strings.HasPrefix(n, prefix) })
	if !slices.Equal(names, expected) {
		t.Fatalf("names that begin with %q: %q, want %q", prefix, names, expected)
	}
	r, err := w.files.Open(background, w.db, name)
	if there == errors.Is(err, blob.ErrNotExist) {
		t.Fatalf("open %q: %v", name, err)
	}
	if !there {
		return
	}
	must(t, err)
	p := make([]byte, rapid.IntRange(0, 40).Draw(t, "length"))
	offset := int64(rapid.IntRange(0, 70).Draw(t, "offset"))
	n, err := r.ReadAt(p, offset)
	wantN, wantErr := bytes.NewReader(want).ReadAt(p, offset)
	if n != wantN || len(p) > 0 && !errors.Is(err, wantErr) || !bytes.Equal(p[:n], want[min(len(want), int(offset)):][:n]) {
		t.Fatalf("%q at %d: %q, error %v", name, offset, p[:n], err)
	}
	var all bytes.Buffer
	if n, err := io.Copy(&all, r); n != int64(len(want)) || err != nil || !bytes.Equal(all.Bytes(), want) {
		t.Fatalf("copy of %q: %q, error %v", name, all.Bytes(), err)
	}
}

// TestReadersAreReaders lets the standard library try the reader.
func TestReadersAreReaders(t *testing.T) {
	for _, size := range []int{0, 1, 9, 10, 11, 1000} {
		w := newWorld(t, 10, 70)
		data := content(1, size)
		_, err := w.files.Put(background, w.db, "a", bytes.NewReader(data))
		must(t, err)
		r, err := w.files.Open(background, w.db, "a")
		must(t, err)
		must(t, iotest.TestReader(r, data))
		must(t, w.transact(func(tx *kv.Transaction) error {
			r, err := w.files.In(tx, "a")
			must(t, err)
			return iotest.TestReader(r, data)
		}))
	}
}
