package blob

import (
	"crypto/rand"
	"iter"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

// Stat describes the blob of a name. If there is none the error wraps
// ErrNotExist. Like all errors of this package it is an *Error.
func (s *Store) Stat(r kv.Reader, name string) (Info, error) {
	info, found, err := s.head(r, name)
	if err == nil && !found {
		err = ErrNotExist
	}
	return info, at("stat", name, err)
}

// head reads a head, if there is one.
func (s *Store) head(r kv.Reader, name string) (info Info, found bool, err error) {
	key := s.headKey(name)
	value, err := r.Get(key).Wait()
	if err != nil || value == nil {
		return info, false, err
	}
	info, err = s.decodeHead(key, value)
	return info, err == nil, err
}

// List describes the blobs whose names begin with prefix, in the order of their
// names.
func (s *Store) List(r kv.Reader, prefix string, options kv.RangeOptions) iter.Seq2[Info, error] {
	begin := s.headKey(prefix)
	keys := kv.PrefixRange(begin[:len(begin)-1]) // without what ends the string
	if prefix == "" {
		keys = s.heads.Range()
	}
	rows := r.Range(keys, options)
	return func(yield func(Info, error) bool) {
		for row, err := range rows.All() {
			var info Info
			if err == nil {
				info, err = s.decodeHead(row.Key, row.Value)
			}
			if !yield(info, at("list", info.Name, err)) || err != nil {
				return
			}
		}
	}
}

// maxSetBytes is what Set and Append can store with one transaction, which needs
// some room for keys, conflict ranges and whatever else it does.
const maxSetBytes = 9_000_000

// Set stores data as the blob of a name, as part of the transaction: up to
// 9,000,000 bytes, if the transaction does little else.
func (s *Store) Set(tx *kv.Transaction, name string, data []byte) error {
	if len(data) > maxSetBytes {
		return at("set", name, ErrTooLarge)
	}
	old, found, err := s.head(tx, name)
	if err != nil {
		return at("set", name, err)
	}
	if found {
		tx.ClearRange(s.contentRange(old.ID))
	}
	info := Info{Name: name, Size: int64(len(data)), ID: newID(), ChunkBytes: s.options.ChunkBytes}
	s.writeChunks(tx, info, 0, data)
	tx.Set(s.headKey(name), encodeHead(info))
	return nil
}

// newID returns a random id.
func newID() (id tuple.UUID) {
	rand.Read(id[:]) // never fails
	return id
}

// writeChunks writes data as chunks from number n on.
func (s *Store) writeChunks(tx *kv.Transaction, info Info, n int64, data []byte) {
	for ; len(data) > 0; n++ {
		size := min(len(data), info.ChunkBytes)
		tx.Set(s.chunkKey(info.ID, n), data[:size])
		data = data[size:]
	}
}

// Append adds data to the end of a blob, as part of the transaction; if there is
// none it makes one. The limit is that of Set. Readers that are open go on.
func (s *Store) Append(tx *kv.Transaction, name string, data []byte) error {
	info, found, err := s.head(tx, name)
	switch {
	case err != nil:
		return at("append to", name, err)
	case !found:
		return at("append to", name, s.Set(tx, name, data))
	case len(data) > maxSetBytes:
		return at("append to", name, ErrTooLarge)
	}
	n, tail := info.Size/int64(info.ChunkBytes), info.Size%int64(info.ChunkBytes)
	if tail > 0 {
		last := make([]byte, tail, int(tail)+len(data))
		if err := s.fill(tx, info, last, info.Size-tail); err != nil {
			return at("append to", name, err)
		}
		data = append(last, data...)
	}
	s.writeChunks(tx, info, n, data)
	info.Size += int64(len(data)) - tail
	tx.Set(s.headKey(name), encodeHead(info))
	return nil
}

// maxGetBytes bounds what Get returns.
const maxGetBytes = 64 << 20

// Get returns all of a blob of up to 64 MiB; Open and In read larger ones piece
// by piece.
func (s *Store) Get(r kv.Reader, name string) ([]byte, error) {
	info, err := s.Stat(r, name)
	if err != nil {
		return nil, err
	}
	if info.Size > maxGetBytes {
		return nil, at("get", name, ErrTooLarge)
	}
	data := make([]byte, info.Size)
	if err := s.fill(r, info, data, 0); err != nil {
		return nil, at("get", name, err)
	}
	return data, nil
}

// Delete removes a blob of any size with two writes. If there is none it does
// nothing.
func (s *Store) Delete(tx *kv.Transaction, name string) error {
	info, found, err := s.head(tx, name)
	if err != nil {
		return at("delete", name, err)
	}
	if found {
		tx.ClearRange(s.contentRange(info.ID))
		tx.Clear(s.headKey(name))
	}
	return nil
}

// Rename gives a blob another name and replaces the one that has that name. If
// there is no blob of the old name the error wraps ErrNotExist.
func (s *Store) Rename(tx *kv.Transaction, oldName, newName string) error {
	info, err := s.Stat(tx, oldName)
	if err != nil || oldName == newName {
		return err
	}
	if err := s.Delete(tx, newName); err != nil {
		return err
	}
	tx.Clear(s.headKey(oldName))
	tx.Set(s.headKey(newName), encodeHead(info))
	return nil
}
