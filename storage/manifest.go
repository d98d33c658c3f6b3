package storage

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/plinthdb/plinth/internal/wire"
)

// manifestFS is a file system that gives Pebble only manifests that can be
// believed.
//
// A manifest says which tables make up the engine, and the number of its newest
// write. Pebble takes a record whose checksum is wrong for the torn end of the
// file, wherever it is, and believes what stands before. With the first record
// lost it would remove all tables, as nothing names them; with the second one
// lost it would number new writes like old ones. So each manifest is read until
// two reads agree, for a disk may return a wrong bit once, and the records that
// were synced before the manifest got its name must be whole. Pebble gets the
// bytes that were looked at.
type manifestFS struct{ vfs.FS }

// manifestPrefix begins the names of Pebble's manifests.
const manifestPrefix = "MANIFEST-"

// manifestReads is how often a manifest is read at most.
const manifestReads = 4

// Open is vfs.FS's.
func (m manifestFS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	base := m.FS.PathBase(name)
	if !strings.HasPrefix(base, manifestPrefix) {
		return m.FS.Open(name, opts...)
	}
	content, err := m.readTwice(name)
	if err != nil {
		return nil, err
	}
	if err := checkManifest(base, content); err != nil {
		return nil, wire.ErrFileCorrupt.With("file %s is corrupt: %v; %s", name, err, remedy)
	}
	f, err := m.FS.Open(name, opts...)
	if err != nil {
		return nil, err
	}
	return &manifestFile{File: f, content: bytes.NewReader(content)}, nil
}

// Unwrap is vfs.FS's.
func (m manifestFS) Unwrap() vfs.FS { return m.FS }

// readTwice returns what two reads of a file, one after the other, agree on.
func (m manifestFS) readTwice(name string) ([]byte, error) {
	var last []byte
	for i := range manifestReads {
		content, err := m.read(name)
		if err != nil {
			return nil, err
		}
		if i > 0 && bytes.Equal(content, last) {
			return content, nil
		}
		last = content
	}
	return nil, wire.ErrFileCorrupt.With("file %s gives something else with every read: replace the disk; %s", name, remedy)
}

func (m manifestFS) read(name string) (content []byte, err error) {
	f, err := m.FS.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(f)
}

// checkManifest returns an error if the records that every manifest of that
// name has from its beginning are not whole.
func checkManifest(base string, content []byte) error {
	want := 2 // the state of before, and the change that the manifest was made for
	if base == manifestPrefix+"000001" {
		want = 1 // that of a new store: nothing was before
	}
	r := record.NewReader(bytes.NewReader(content), 0)
	for i := range want {
		one, err := r.Next()
		if err == nil {
			_, err = io.Copy(io.Discard, one)
		}
		if err != nil {
			return fmt.Errorf("record %d of the first %d: %w", i+1, want, err)
		}
	}
	return nil
}

// manifestFile is a manifest whose content is read from memory.
type manifestFile struct {
	vfs.File
	content *bytes.Reader
}

// Read is vfs.File's.
func (f *manifestFile) Read(p []byte) (int, error) { return f.content.Read(p) }

// ReadAt is vfs.File's.
func (f *manifestFile) ReadAt(p []byte, off int64) (int, error) { return f.content.ReadAt(p, off) }
