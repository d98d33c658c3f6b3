package typed

import (
	"bytes"
	"slices"

	"github.com/plinthdb/plinth/kv"
)

// keeper is an Index as its map sees it, which does not know the type of the
// index key.
type keeper[K, V any] interface {
	// entryKeys returns the sorted keys of the entries of a row.
	entryKeys(key K, packed []byte, value *V) ([][]byte, error)
	// plan returns what leads from the entries before to those of value.
	plan(key K, packed []byte, before [][]byte, value *V) (change, error)
}

// change is what has to happen to one index when a row changes.
type change struct {
	remove, add [][]byte // sorted keys of entries
	unique      bool
	packed      []byte // key of the row without its prefix
	// holders are the rows that hold the entries to add, if the index is
	// unique.
	holders []kv.Future[[]byte]
}

func (x *Index[I, K, V]) plan(key K, packed []byte, before [][]byte, value *V) (change, error) {
	after, err := x.entryKeys(key, packed, value)
	if err != nil {
		return change{}, err
	}
	return change{
		remove: without(before, after),
		add:    without(after, before),
		unique: x.unique,
		packed: packed,
	}, nil
}

// without returns what is in a and not in b, both sorted.
func without(a, b [][]byte) (rest [][]byte) {
	for _, key := range a {
		if _, found := slices.BinarySearchFunc(b, key, bytes.Compare); !found {
			rest = append(rest, key)
		}
	}
	return rest
}

// ask begins to read who holds the entries.
func (c *change) ask(tx *kv.Transaction) {
	if !c.unique {
		return
	}
	for _, entry := range c.add {
		c.holders = append(c.holders, tx.Get(entry))
	}
}

// check returns a *DuplicateError if another row of the map at prefix holds one
// of them.
func (c *change) check(prefix string) error {
	for i, f := range c.holders {
		holder, err := f.Wait()
		if err != nil {
			return err
		}
		if holder != nil && !bytes.Equal(holder, c.packed) {
			return &DuplicateError{Entry: c.add[i], Holder: append([]byte(prefix), holder...)}
		}
	}
	return nil
}

// write makes the change.
func (c *change) write(tx *kv.Transaction) {
	for _, entry := range c.remove {
		tx.Clear(entry)
	}
	var value []byte
	if c.unique {
		value = c.packed
	}
	for _, entry := range c.add {
		tx.Set(entry, value)
	}
}
