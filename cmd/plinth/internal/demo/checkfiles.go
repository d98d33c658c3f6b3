package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/tuple"
)

// CheckIndexes compares the indexes and totals with the records of the files,
// both ways and all at one version (D1).
func (a Archive) CheckIndexes(ctx context.Context) (Check, error) {
	return kv.ReadTransact(ctx, a.db, func(r kv.Reader) (Check, error) {
		files, expected, err := a.expectedRows(r)
		if err != nil {
			return Check{}, err
		}
		n := len(expected)
		var f findings
		for _, s := range []subspace.Subspace{a.keys.packages, a.keys.sizes, a.keys.totals} {
			err := rows(r, s.Range(), func(row kv.KeyValue) error {
				want, found := expected[string(row.Key)]
				switch {
				case !found:
					f.addf("index row %s belongs to no file", tuple.Printable(row.Key))
				case !bytes.Equal(row.Value, want):
					f.addf("index row %s holds %s instead of %s", tuple.Printable(row.Key), tuple.Printable(row.Value), tuple.Printable(want))
				}
				delete(expected, string(row.Key))
				return nil
			})
			if err != nil {
				return Check{}, err
			}
		}
		for key := range expected {
			f.addf("index row %s is missing", tuple.Printable([]byte(key)))
		}
		return f.check("indexes and totals follow from the files", "%s files, %s rows", Count(int64(files)), Count(int64(n))), nil
	})
}

// expectedRows returns the index rows and totals that the records of the files
// demand.
func (a Archive) expectedRows(r kv.Reader) (files int, expected map[string][]byte, err error) {
	expected = map[string][]byte{}
	totals := map[string]Tally{}
	err = rows(r, a.keys.files.Range(), func(row kv.KeyValue) error {
		var path string
		if err := keyOf(a.keys.files, row.Key, &path); err != nil {
			return err
		}
		record, err := decodeRecord(row.Value)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		dir, name := packageOf(path)
		expected[string(a.keys.packages.Pack(tuple.Tuple{dir, name}))] = tuple.Tuple{record.Bytes}.Pack()
		expected[string(a.keys.sizes.Pack(tuple.Tuple{record.Bytes, path}))] = nil
		t := totals[dir]
		t.add(record.Bytes)
		totals[dir] = t
		files++
		return nil
	})
	for dir, t := range totals {
		expected[string(a.keys.totals.Pack(tuple.Tuple{dir, totalFiles}))] = operand(t.Files)
		expected[string(a.keys.totals.Pack(tuple.Tuple{dir, totalBytes}))] = operand(t.Bytes)
	}
	return files, expected, err
}

// pieceBytes is how much content one transaction reads: well below what fits
// into the five seconds that a version can be read for.
const pieceBytes = 8 << 20

// CheckContents reads all content and compares it with the manifest (D2): the
// store must hold these files, byte for byte, and no others. progress is called
// with the rows and bytes read.
func (a Archive) CheckContents(ctx context.Context, manifest Manifest, progress func(rows, bytes int64)) (Check, error) {
	var f findings
	if err := a.checkRecords(ctx, manifest, &f); err != nil {
		return Check{}, err
	}
	c := contents{manifest: manifest, findings: &f, seen: make(map[string]bool, len(manifest))}
	all := a.keys.content.Range()
	for len(all.Begin) > 0 {
		piece, err := kv.ReadTransact(ctx, a.db, func(r kv.Reader) ([]kv.KeyValue, error) {
			return r.Range(all, kv.RangeOptions{LimitBytes: pieceBytes}).Slice()
		})
		if err != nil {
			return Check{}, err
		}
		if len(piece) == 0 {
			break
		}
		n := int64(0)
		for _, row := range piece {
			c.take(a.keys.content, row)
			n += int64(len(row.Value))
		}
		progress(int64(len(piece)), n)
		all.Begin = kv.KeyAfter(piece[len(piece)-1].Key)
	}
	c.end()
	for path, record := range manifest {
		if record.Bytes > 0 && !c.seen[path] {
			f.addf("the content of %s is missing", path)
		}
	}
	return f.check("every file is there, byte for byte", "%s files, %s, by SHA-256", Count(int64(len(manifest))), Bytes(c.bytes)), nil
}

// checkRecords compares the records in the store with the manifest.
func (a Archive) checkRecords(ctx context.Context, manifest Manifest, f *findings) error {
	found, err := kv.ReadTransact(ctx, a.db, func(r kv.Reader) (Manifest, error) {
		found := Manifest{}
		err := rows(r, a.keys.files.Range(), func(row kv.KeyValue) error {
			var path string
			if err := keyOf(a.keys.files, row.Key, &path); err != nil {
				return err
			}
			record, err := decodeRecord(row.Value)
			found[path] = record
			return err
		})
		return found, err
	})
	if err != nil {
		return err
	}
	for path, record := range manifest {
		got, ok := found[path]
		switch {
		case !ok:
			f.addf("the record of %s is missing", path)
		case got != record:
			f.addf("the record of %s says %d bytes in %d chunks, SHA-256 %x; imported were %d bytes in %d chunks, SHA-256 %x",
				path, got.Bytes, got.Chunks, got.SHA256, record.Bytes, record.Chunks, record.SHA256)
		}
	}
	for path := range found {
		if _, ok := manifest[path]; !ok {
			f.addf("%s is in the store and was not imported", path)
		}
	}
	return nil
}

// contents puts the chunks of files together, in key order.
type contents struct {
	manifest Manifest
	findings *findings
	seen     map[string]bool
	bytes    int64

	// path is the file whose chunks come now, next the number of its next one.
	path string
	next int
	size int64
	hash hash.Hash
}

func (c *contents) take(s subspace.Subspace, row kv.KeyValue) {
	var path string
	var number int
	if err := keyOf(s, row.Key, &path, &number); err != nil {
		c.findings.addf("%v", err)
		return
	}
	if path != c.path || c.hash == nil {
		c.end()
		c.path, c.next, c.size, c.hash = path, 0, 0, sha256.New()
		c.seen[path] = true
	}
	if number != c.next {
		c.findings.addf("%s: chunk %d where chunk %d should be", path, number, c.next)
	}
	c.next = number + 1
	c.size += int64(len(row.Value))
	c.bytes += int64(len(row.Value))
	c.hash.Write(row.Value)
}

// end compares the file whose chunks have all come.
func (c *contents) end() {
	if c.hash == nil {
		return
	}
	want, ok := c.manifest[c.path]
	got := Record{Bytes: c.size, Chunks: c.next, SHA256: [32]byte(c.hash.Sum(nil))}
	switch {
	case !ok:
		c.findings.addf("%s has content in the store and was not imported", c.path)
	case got != want:
		c.findings.addf("%s: content of %d bytes in %d chunks, SHA-256 %x; imported were %d bytes in %d chunks, SHA-256 %x",
			c.path, got.Bytes, got.Chunks, got.SHA256, want.Bytes, want.Chunks, want.SHA256)
	}
	c.hash = nil
}

// CheckAgainstDisk reads some files back, each in a transaction of its own, and
// compares them with the files on disk as they are now.
func (a Archive) CheckAgainstDisk(ctx context.Context, source Source, some []Entry) (Check, error) {
	var f findings
	for _, e := range some {
		onDisk, err := source.read(e)
		if err != nil {
			return Check{}, err
		}
		content, _, err := a.Content(ctx, e.Path)
		switch {
		case err != nil:
			return Check{}, err
		case content == nil:
			f.addf("%s is not in the store", e.Path)
		case sha256.Sum256(content) != sha256.Sum256(onDisk):
			f.addf("%s: %d bytes with SHA-256 %x, on disk %d bytes with SHA-256 %x",
				e.Path, len(content), sha256.Sum256(content), len(onDisk), sha256.Sum256(onDisk))
		}
	}
	if len(some) == 0 {
		return Check{}, errors.New("no file to read back")
	}
	return f.check("files read back equal those on disk", "%s files, by SHA-256", Count(int64(len(some)))), nil
}
