package storage_test

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/storage"
)

// reopened makes an engine with a manifest that begins with the state of
// before, and returns the manifest's path.
func reopened(t *testing.T, l *fakeLog) (fs *vfs.MemFS, manifest string) {
	t.Helper()
	fs = vfs.NewMem()
	s := open(t, fs, l, quickFlush)
	l.append(1_000_000, set("a", "1"))
	l.append(9_000_000, set("b", "1"))
	l.awaitPop(1_000_000)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, fs, l, nil)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	names := list(t, fs)
	i := slices.IndexFunc(names, func(name string) bool { return strings.HasPrefix(name, "marker.manifest.") })
	return fs, "db/" + names[i][strings.Index(names[i], "MANIFEST"):]
}

func list(t *testing.T, fs vfs.FS) []string {
	t.Helper()
	names, err := fs.List("db")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// flip makes the lowest bit at off wrong; off below zero counts from the end.
func flip(t *testing.T, fs vfs.FS, path string, off int64) {
	t.Helper()
	f, err := fs.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if off < 0 {
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		off += info.Size()
	}
	p := make([]byte, 1)
	if _, err := f.ReadAt(p, off); err != nil {
		t.Fatal(err)
	}
	p[0] ^= 1
	_, err = f.WriteAt(p, off)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// Pebble takes such a record for the torn end of its file: without the first one
// it removed all tables, without the second one it numbered new writes like old
// ones, and its compactions panicked. (Seed 226 at 7308431 found it.)
func TestADamagedBeginningOfTheManifestIsNamed(t *testing.T) {
	for name, off := range map[string]int64{"first record": 12, "second record": -2} {
		l := newFakeLog()
		fs, manifest := reopened(t, l)
		before := list(t, fs)
		flip(t, fs, manifest, off)
		_, err := storage.Open(t.Context(), storage.Config{FS: fs, Dir: "db", Tag: 7, Log: l})
		if !errors.Is(err, wire.ErrFileCorrupt) || !strings.Contains(err.Error(), manifest) || !strings.Contains(err.Error(), "restore") {
			t.Errorf("%s: %v", name, err)
		}
		if after := list(t, fs); !slices.Equal(before, after) {
			t.Errorf("%s: the directory holds %q, before it was %q", name, after, before)
		}
		if _, err := storage.Check(t.Context(), fs, "db"); !errors.Is(err, wire.ErrFileCorrupt) {
			t.Errorf("%s: the check says %v", name, err)
		}
		flip(t, fs, manifest, off)
		s := open(t, fs, l, nil)
		same(t, get(t, s, 9_000_000, "a", "b"), "1", "1")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// flippingFS returns a wrong bit with the first reads of manifests.
type flippingFS struct {
	vfs.FS
	wrong atomic.Int64
}

func (f *flippingFS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	file, err := f.FS.Open(name, opts...)
	if err != nil || !strings.Contains(name, "MANIFEST-") {
		return file, err
	}
	return &flippingFile{file, f}, nil
}

type flippingFile struct {
	vfs.File
	fs *flippingFS
}

func (f *flippingFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	if n > 0 && f.fs.wrong.Add(-1) >= 0 {
		p[n/2] ^= byte(1) << (f.fs.wrong.Load() % 8)
	}
	return n, err
}

func TestAWrongReadOfTheManifestIsRepeated(t *testing.T) {
	l := newFakeLog()
	mem, manifest := reopened(t, l)
	fs := &flippingFS{FS: mem}
	for range 3 {
		fs.wrong.Store(1)
		s := open(t, fs, l, nil)
		same(t, get(t, s, 9_000_000, "a", "b"), "1", "1")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	fs.wrong.Store(1000)
	_, err := storage.Open(t.Context(), storage.Config{FS: fs, Dir: "db", Tag: 7, Log: l})
	if !errors.Is(err, wire.ErrFileCorrupt) || !strings.Contains(err.Error(), "replace the disk") {
		t.Errorf("a disk that never gives the same twice: %v (%s)", err, manifest)
	}
}
