package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"
)

// content is a set of whole files: name to bytes.
type content map[string][]byte

func readAll(t *rapid.T, m *Mount) content {
	names, err := m.List("/d")
	if errors.Is(err, fs.ErrNotExist) {
		return content{}
	}
	if err != nil {
		t.Fatal(err)
	}
	c := content{}
	for _, name := range names {
		f, err := m.Open("/d/" + name)
		if err != nil {
			t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		p := make([]byte, info.Size())
		if n, err := f.ReadAt(p, 0); n != len(p) || err != nil && len(p) > 0 {
			t.Fatalf("read %d of %d bytes: %v", n, len(p), err)
		}
		c[name] = p
	}
	return c
}

// TestMountBehavesLikeMemFS compares everything that a process sees with
// Pebble's memory file system.
func TestMountBehavesLikeMemFS(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := New(Config{}, rand.New(rand.NewPCG(1, 2)), func([]byte) {})
		ours, theirs := vfs.FS(d.Mount()), vfs.FS(vfs.NewMem())
		name := rapid.SampledFrom([]string{"/d/a", "/d/b", "/d/c"})
		both := func(what string, f func(vfs.FS) error) {
			e1, e2 := f(ours), f(theirs)
			if (e1 == nil) != (e2 == nil) || errors.Is(e1, fs.ErrNotExist) != errors.Is(e2, fs.ErrNotExist) {
				t.Fatalf("%s: %v, MemFS says %v", what, e1, e2)
			}
		}
		both("mkdir", func(f vfs.FS) error { return f.MkdirAll("/d", 0o755) })
		write := func(open func(vfs.FS, string) (vfs.File, error)) func(t *rapid.T) {
			return func(t *rapid.T) {
				name := name.Draw(t, "name")
				data := rapid.SliceOfN(rapid.Byte(), 1, 3000).Draw(t, "data")
				off := rapid.Int64Range(-1, 9000).Draw(t, "offset")
				both("write "+name, func(f vfs.FS) error {
					file, err := open(f, name)
					if err != nil {
						return err
					}
					defer file.Close()
					if off < 0 {
						_, err = file.Write(bytes.Clone(data))
						return err
					}
					_, err = file.WriteAt(bytes.Clone(data), off)
					return err
				})
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"create": write(func(f vfs.FS, name string) (vfs.File, error) {
				return f.Create(name, vfs.WriteCategoryUnspecified)
			}),
			"write": write(func(f vfs.FS, name string) (vfs.File, error) {
				return f.OpenReadWrite(name, vfs.WriteCategoryUnspecified)
			}),
			"remove": func(t *rapid.T) {
				name := name.Draw(t, "name")
				both("remove", func(f vfs.FS) error { return f.Remove(name) })
			},
			"rename": func(t *rapid.T) {
				from, to := name.Draw(t, "from"), name.Draw(t, "to")
				if from == to {
					return // MemFS loses a file that is renamed to itself.
				}
				both("rename", func(f vfs.FS) error { return f.Rename(from, to) })
			},
			"link": func(t *rapid.T) {
				// Links have names of their own: POSIX does nothing to rename
				// one link of a file to another, MemFS removes the first.
				from, to := name.Draw(t, "from"), rapid.SampledFrom([]string{"/d/x", "/d/y"}).Draw(t, "to")
				both("link", func(f vfs.FS) error { return f.Link(from, to) })
			},
			"": func(t *rapid.T) {
				a := readAll(t, ours.(*Mount))
				names, err := theirs.List("/d")
				slices.Sort(names)
				if err != nil || !slices.Equal(names, slices.Sorted(maps.Keys(a))) {
					t.Fatalf("files %v, MemFS has %v (%v)", slices.Sorted(maps.Keys(a)), names, err)
				}
				for _, name := range names {
					f, err := theirs.Open("/d/" + name)
					if err != nil {
						t.Fatal(err)
					}
					p := make([]byte, len(a[name])+1)
					n, _ := f.ReadAt(p, 0)
					if !bytes.Equal(p[:n], a[name]) {
						t.Fatalf("content of %s differs from MemFS", name)
					}
				}
			},
		})
	})
}

// fileHistory is the model of a file: its content, and what each sector may
// hold after a loss of power.
type fileHistory struct {
	now []byte
	// states[i] are the allowed contents of sector i, zero-padded.
	states [][][]byte
}

func (h *fileHistory) sector(content []byte, i int) []byte {
	p := make([]byte, sectorBytes)
	if i*sectorBytes < len(content) {
		copy(p, content[i*sectorBytes:])
	}
	return p
}

func (h *fileHistory) write(p []byte, off int) {
	h.now = overwrite(h.now, off, p)
	for len(h.states)*sectorBytes < len(h.now) {
		h.states = append(h.states, [][]byte{make([]byte, sectorBytes)})
	}
	for i := range h.states {
		h.states[i] = append(h.states[i], h.sector(h.now, i))
	}
}

func (h *fileHistory) sync() {
	for i := range h.states {
		h.states[i] = [][]byte{h.sector(h.now, i)}
	}
}

// TestPowerLossKeepsWhatWasSyncedAndInventsNothing covers D1 and D4 on one
// file whose name is durable.
func TestPowerLossKeepsWhatWasSyncedAndInventsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		d := New(Config{KeepProbability: 0.5, TearProbability: 0.5}, rand.New(rand.NewPCG(seed, 0)), func([]byte) {})
		m := d.Mount()
		f := mustCreate(t, m, "/d/a")
		mustSyncDir(t, m, "/")
		mustSyncDir(t, m, "/d")
		h := &fileHistory{}
		durableBytes := 0
		t.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				off := rapid.IntRange(0, 3*blockBytes).Draw(t, "offset")
				p := bytes.Repeat([]byte{rapid.Byte().Draw(t, "byte")}, rapid.IntRange(1, 2*blockBytes).Draw(t, "bytes"))
				if _, err := f.WriteAt(p, int64(off)); err != nil {
					t.Fatal(err)
				}
				h.write(p, off)
			},
			"sync": func(t *rapid.T) {
				if err := f.Sync(); err != nil {
					t.Fatal(err)
				}
				h.sync()
				durableBytes = len(h.now)
			},
			"powerLoss": func(t *rapid.T) {
				d.PowerLoss()
				m = d.Mount()
				after, ok := readAll(t, m)["a"]
				if !ok || len(after) < durableBytes || len(after) > len(h.now) {
					t.Fatalf("D1: %d bytes left (%v) of %d, %d synced", len(after), ok, len(h.now), durableBytes)
				}
				for i := range h.states {
					got := h.sector(after, i)
					if !slices.ContainsFunc(h.states[i], func(p []byte) bool { return sectorAllowed(got, p, after, i) }) {
						t.Fatalf("D4: sector %d holds what was never written there since the last sync", i)
					}
				}
				file, err := m.OpenReadWrite("/d/a", vfs.WriteCategoryUnspecified)
				if err != nil {
					t.Fatal(err)
				}
				f = file
				h = &fileHistory{}
				h.write(after, 0)
				h.sync()
				durableBytes = len(after)
			},
		})
	})
}

// sectorAllowed compares up to the end of the file, behind which a sector has
// no content.
func sectorAllowed(got, want, after []byte, i int) bool {
	n := min(sectorBytes, max(0, len(after)-i*sectorBytes))
	return bytes.Equal(got[:n], want[:n])
}

// TestEntriesSurvivePowerLossAndRenamesAreAtomic covers D1 and D5 on directory
// entries, with each file recognised by its content.
func TestEntriesSurvivePowerLossAndRenamesAreAtomic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		d := New(Config{KeepProbability: 0.5}, rand.New(rand.NewPCG(seed, 0)), func([]byte) {})
		m := d.Mount()
		if err := m.MkdirAll("/d", 0o755); err != nil {
			t.Fatal(err)
		}
		mustSyncDir(t, m, "/")
		// durable are the files that a sync of the directory covered and that
		// were not removed or replaced since: they must be found somewhere.
		durable := map[string]bool{}
		name := rapid.SampledFrom([]string{"/d/a", "/d/b", "/d/c"})
		next := 0
		holder := func(name string) string {
			return string(readAll(t, m)[name[len("/d/"):]])
		}
		t.Repeat(map[string]func(*rapid.T){
			"create": func(t *rapid.T) {
				name := name.Draw(t, "name")
				delete(durable, holder(name))
				f := mustCreate(t, m, name)
				next++
				if _, err := f.Write(fmt.Appendf(nil, "file%d", next)); err != nil {
					t.Fatal(err)
				}
				if err := f.Sync(); err != nil {
					t.Fatal(err)
				}
			},
			"rename": func(t *rapid.T) {
				from, to := name.Draw(t, "from"), name.Draw(t, "to")
				replaced := holder(to)
				if err := m.Rename(from, to); err == nil && from != to {
					delete(durable, replaced)
				}
			},
			"remove": func(t *rapid.T) {
				name := name.Draw(t, "name")
				delete(durable, holder(name))
				if err := m.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Fatal(err)
				}
			},
			"syncDir": func(t *rapid.T) {
				mustSyncDir(t, m, "/d")
				for _, c := range readAll(t, m) {
					durable[string(c)] = true
				}
			},
			"powerLoss": func(t *rapid.T) {
				d.PowerLoss()
				m = d.Mount()
				found := map[string]bool{}
				for _, c := range readAll(t, m) {
					found[string(c)] = true
				}
				for file := range durable {
					if !found[file] {
						t.Fatalf("D5: %s is under no name any more", file)
					}
				}
			},
		})
	})
}

type failer interface{ Fatal(...any) }

func mustCreate(t failer, m *Mount, name string) vfs.File {
	if err := m.MkdirAll(m.PathDir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := m.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func mustSyncDir(t failer, m *Mount, name string) {
	f, err := m.OpenDir(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
