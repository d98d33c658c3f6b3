package demo

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

// Archive is the files in a store with their indexes.
type Archive struct {
	db   *kv.Database
	keys layout
}

// NewArchive returns the archive in db.
func NewArchive(db *kv.Database) Archive { return Archive{db: db, keys: newLayout()} }

// File is a file to be put into the archive.
type File struct {
	Path    string
	Content []byte
}

func (f File) record() Record {
	chunks := (len(f.Content) + kv.MaxValueBytes - 1) / kv.MaxValueBytes
	return Record{Bytes: int64(len(f.Content)), Chunks: chunks, SHA256: sha256.Sum256(f.Content)}
}

// rows is how many rows a file has, apart from the totals: content, record and
// two of the indexes.
func (r Record) rows() int64 { return int64(r.Chunks) + 3 }

// Put writes files and all their index rows in one transaction, which must not
// become larger than the store allows. It replaces what is there under the same
// paths, and returns the records.
func (a Archive) Put(ctx context.Context, files []File) ([]Record, error) {
	records := make([]Record, len(files))
	for i, f := range files {
		records[i] = f.record()
	}
	return kv.Transact(ctx, a.db, func(tx *kv.Transaction) ([]Record, error) {
		olds := make([]kv.Future[[]byte], len(files))
		for i, f := range files {
			olds[i] = tx.Get(a.keys.files.Pack(tuple.Tuple{f.Path}))
		}
		for i, f := range files {
			old, err := olds[i].Wait()
			if err == nil {
				err = a.replace(tx, f, records[i], old)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.Path, err)
			}
		}
		return records, nil
	})
}

// replace puts one file in the place of what its old record describes, if
// there is one (D5).
func (a Archive) replace(tx *kv.Transaction, f File, record Record, old []byte) error {
	if old != nil {
		was, err := decodeRecord(old)
		if err != nil || was == record {
			return err
		}
		a.remove(tx, f.Path, was)
	}
	dir, name := packageOf(f.Path)
	tx.Set(a.keys.files.Pack(tuple.Tuple{f.Path}), record.encode())
	for i := range record.Chunks {
		chunk := f.Content[i*kv.MaxValueBytes : min((i+1)*kv.MaxValueBytes, len(f.Content))]
		tx.Set(a.keys.content.Pack(tuple.Tuple{f.Path, i}), chunk)
	}
	tx.Set(a.keys.packages.Pack(tuple.Tuple{dir, name}), tuple.Tuple{record.Bytes}.Pack())
	tx.Set(a.keys.sizes.Pack(tuple.Tuple{record.Bytes, f.Path}), nil)
	a.count(tx, dir, 1, record.Bytes)
	return nil
}

// remove takes a file with all its rows out.
func (a Archive) remove(tx *kv.Transaction, path string, record Record) {
	dir, name := packageOf(path)
	tx.Clear(a.keys.files.Pack(tuple.Tuple{path}))
	tx.ClearRange(a.keys.content.Sub(path).Range())
	tx.Clear(a.keys.packages.Pack(tuple.Tuple{dir, name}))
	tx.Clear(a.keys.sizes.Pack(tuple.Tuple{record.Bytes, path}))
	a.count(tx, dir, -1, -record.Bytes)
}

// count changes the totals of a package. The additions read nothing, so
// importers of the same package do not conflict.
func (a Archive) count(tx *kv.Transaction, dir string, files, bytes int64) {
	tx.Add(a.keys.totals.Pack(tuple.Tuple{dir, totalFiles}), operand(files))
	tx.Add(a.keys.totals.Pack(tuple.Tuple{dir, totalBytes}), operand(bytes))
}

// Content reads a file back. It returns nil, and a zero Record, if there is no
// such file.
func (a Archive) Content(ctx context.Context, path string) ([]byte, Record, error) {
	var record Record
	content, err := kv.ReadTransact(ctx, a.db, func(r kv.Reader) ([]byte, error) {
		value, err := r.Get(a.keys.files.Pack(tuple.Tuple{path})).Wait()
		if err != nil || value == nil {
			return nil, err
		}
		if record, err = decodeRecord(value); err != nil {
			return nil, err
		}
		content := make([]byte, 0, record.Bytes)
		err = rows(r, a.keys.content.Sub(path).Range(), func(row kv.KeyValue) error {
			content = append(content, row.Value...)
			return nil
		})
		return content, err
	})
	return content, record, err
}
