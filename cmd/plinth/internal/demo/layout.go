package demo

import (
	"encoding/binary"
	"fmt"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/tuple"
)

// layout says where in the store things are.
//
//	files     (path)             -> bytes, chunks, SHA-256
//	content   (path, n)          -> the n-th chunk of the file
//	packages  (directory, name)  -> bytes
//	totals    (directory, what)  -> "files" or "bytes", a counter
//	sizes     (bytes, path)      -> nothing
//	accounts  (number)           -> balance
//	transfers (worker, number)   -> from, to, amount
type layout struct {
	files, content, packages, totals, sizes, accounts, transfers subspace.Subspace
}

func newLayout() layout {
	root := subspace.Sub("demo")
	return layout{
		files: root.Sub("files"), content: root.Sub("content"), packages: root.Sub("packages"),
		totals: root.Sub("totals"), sizes: root.Sub("sizes"),
		accounts: root.Sub("accounts"), transfers: root.Sub("transfers"),
	}
}

// The names of the totals of a package.
const (
	totalFiles = "files"
	totalBytes = "bytes"
)

// Record is what the store knows about a file.
type Record struct {
	Bytes  int64
	Chunks int
	SHA256 [32]byte
}

func (r Record) encode() []byte { return tuple.Tuple{r.Bytes, r.Chunks, r.SHA256[:]}.Pack() }

func decodeRecord(value []byte) (Record, error) {
	var r Record
	t, err := unpackN(value, 3)
	if err != nil {
		return r, fmt.Errorf("record of a file: %w", err)
	}
	var sum []byte
	if err := take(t, &r.Bytes, &r.Chunks, &sum); err != nil {
		return r, fmt.Errorf("record of a file: %w", err)
	}
	if len(sum) != len(r.SHA256) {
		return r, fmt.Errorf("record of a file: a hash of %d bytes", len(sum))
	}
	copy(r.SHA256[:], sum)
	return r, nil
}

// unpackN unpacks a tuple of n elements.
func unpackN(packed []byte, n int) (tuple.Tuple, error) {
	t, err := tuple.Unpack(packed)
	if err == nil && len(t) != n {
		err = fmt.Errorf("%d elements instead of %d", len(t), n)
	}
	return t, err
}

// keyOf unpacks a key of a subspace, of as many elements as there are targets.
func keyOf(s subspace.Subspace, key []byte, targets ...any) error {
	t, err := s.Unpack(key)
	if err == nil && len(t) != len(targets) {
		err = fmt.Errorf("%d elements instead of %d", len(t), len(targets))
	}
	if err == nil {
		err = take(t, targets...)
	}
	if err != nil {
		return fmt.Errorf("key %s: %w", tuple.Printable(key), err)
	}
	return nil
}

// take stores the elements of t where targets point to.
func take(t tuple.Tuple, targets ...any) (err error) {
	for i, target := range targets {
		switch target := target.(type) {
		case *int:
			*target, err = tuple.At[int](t, i)
		case *int64:
			*target, err = tuple.At[int64](t, i)
		case *string:
			*target, err = tuple.At[string](t, i)
		case *[]byte:
			*target, err = tuple.At[[]byte](t, i)
		default:
			err = fmt.Errorf("element %d cannot become a %T", i, target)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// operand returns n as the operand of an atomic addition. A negative n
// subtracts, since additions wrap around.
func operand(n int64) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(n)) }

func decodeCounter(value []byte) (int64, error) {
	if len(value) != 8 {
		return 0, fmt.Errorf("a counter of %d bytes instead of 8", len(value))
	}
	return int64(binary.LittleEndian.Uint64(value)), nil
}

// rows calls each for every row of r, in order, until it returns an error.
func rows(reader kv.Reader, r kv.KeyRange, each func(kv.KeyValue) error) error {
	for row, err := range reader.Range(r, kv.RangeOptions{}).All() {
		if err != nil {
			return err
		}
		if err := each(row); err != nil {
			return err
		}
	}
	return nil
}
