package demo

import (
	"context"
	"fmt"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

// Largest returns the n largest files, the largest first: the last rows of the
// index by size.
func (a Archive) Largest(ctx context.Context, n int) ([]Entry, error) {
	return kv.ReadTransact(ctx, a.db, func(r kv.Reader) ([]Entry, error) {
		last, err := r.Range(a.keys.sizes.Range(), kv.RangeOptions{Limit: n, Reverse: true}).Slice()
		if err != nil {
			return nil, err
		}
		var files []Entry
		for _, row := range last {
			var e Entry
			if err := keyOf(a.keys.sizes, row.Key, &e.Bytes, &e.Path); err != nil {
				return nil, err
			}
			files = append(files, e)
		}
		return files, nil
	})
}

// Tally is a number of files and their bytes.
type Tally struct {
	Files int64 `json:"files"`
	Bytes int64 `json:"bytes"`
}

func (t *Tally) add(bytes int64) {
	t.Files++
	t.Bytes += bytes
}

// Package returns the files and bytes of a package twice: added up from the
// rows of the index, and as the totals have it.
func (a Archive) Package(ctx context.Context, dir string) (listed, counted Tally, err error) {
	_, err = kv.ReadTransact(ctx, a.db, func(r kv.Reader) (struct{}, error) {
		listed, counted = Tally{}, Tally{}
		files := r.Get(a.keys.totals.Pack(tuple.Tuple{dir, totalFiles}))
		bytes := r.Get(a.keys.totals.Pack(tuple.Tuple{dir, totalBytes}))
		if err := readCounter(files, &counted.Files); err != nil {
			return struct{}{}, err
		}
		if err := readCounter(bytes, &counted.Bytes); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, rows(r, a.keys.packages.Sub(dir).Range(), func(row kv.KeyValue) error {
			t, err := unpackN(row.Value, 1)
			if err != nil {
				return err
			}
			var bytes int64
			if err := take(t, &bytes); err != nil {
				return err
			}
			listed.add(bytes)
			return nil
		})
	})
	return listed, counted, err
}

func readCounter(future kv.Future[[]byte], n *int64) error {
	value, err := future.Wait()
	if err != nil || value == nil {
		return err
	}
	*n, err = decodeCounter(value)
	return err
}

// Below returns the files whose path begins with prefix.
func (a Archive) Below(ctx context.Context, prefix string) (Tally, error) {
	// A packed string ends with a zero byte: without it the key is a prefix of
	// all strings that go on.
	begin := a.keys.files.Pack(tuple.Tuple{prefix})
	return kv.ReadTransact(ctx, a.db, func(r kv.Reader) (Tally, error) {
		var t Tally
		err := rows(r, kv.PrefixRange(begin[:len(begin)-1]), func(row kv.KeyValue) error {
			record, err := decodeRecord(row.Value)
			if err != nil {
				return fmt.Errorf("%s: %w", tuple.Printable(row.Key), err)
			}
			t.add(record.Bytes)
			return nil
		})
		return t, err
	})
}
