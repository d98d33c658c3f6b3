package blob

import (
	"fmt"
	"slices"
	"time"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/tuple"
)

// Options is how a Store stores. Zero values stand for the defaults. Stores
// with different options may share a subspace: a blob remembers the size of its
// chunks.
type Options struct {
	// ChunkBytes is the size of a chunk, from 1 to kv.MaxValueBytes. The default
	// is 10,000.
	ChunkBytes int
	// TransactionBytes is about how much an upload writes with one transaction,
	// up to 8,000,000, and how much a Reader reads with one. The default is
	// 1,000,000.
	TransactionBytes int
	// Lease is how long an upload may write nothing before it counts as given
	// up. The default is ten minutes.
	Lease time.Duration
	// Transaction is the options of every transaction that the Store begins
	// itself: those of uploads, of Open and its Reader, and of Sweep. An example
	// is kv.WithPriority with kv.PriorityBatch, which lets all others go first. A
	// time-out or limit of retries is for each transaction, not for the whole, and
	// kv.WithIdempotencyID must not be among them: it is for one transaction.
	Transaction []kv.TransactionOption
}

// Why chunks of 10,000 bytes: the best of three reads through 32 MB on the disk
// gave 183 MB/s with chunks of 1,000 bytes, 1,081 with 4,000, 1,140 with 10,000,
// 1,322 with 30,000 and 1,438 with 100,000, and uploads differ less than runs of
// one size do (BenchmarkChunkSizes). Above 10,000 there is little to gain, and a
// small read or append has to handle a whole chunk.
const (
	defaultChunkBytes       = 10_000
	defaultTransactionBytes = 1_000_000
	maxTransactionBytes     = 8_000_000
	defaultLease            = 10 * time.Minute
)

// Store is the blobs in a subspace. It is a description, costs nothing to make
// and may be used by many goroutines.
type Store struct {
	heads, chunks, uploads subspace.Subspace
	options                Options
}

// New returns the blobs in a subspace, which must hold nothing else.
func New(space subspace.Subspace) *Store {
	return &Store{
		heads:   space.Sub(0),
		chunks:  space.Sub(1),
		uploads: space.Sub(2),
		options: Options{ChunkBytes: defaultChunkBytes, TransactionBytes: defaultTransactionBytes, Lease: defaultLease},
	}
}

// NewWithOptions is New with options. An option out of range gives an error
// that wraps kv.ErrInvalidOptionValue.
func NewWithOptions(space subspace.Subspace, o Options) (*Store, error) {
	s := New(space)
	if o.ChunkBytes != 0 {
		s.options.ChunkBytes = o.ChunkBytes
	}
	if o.TransactionBytes != 0 {
		s.options.TransactionBytes = o.TransactionBytes
	}
	if o.Lease != 0 {
		s.options.Lease = o.Lease
	}
	s.options.Transaction = slices.Clone(o.Transaction)
	switch o := s.options; {
	case o.ChunkBytes < 1 || o.ChunkBytes > kv.MaxValueBytes:
		return nil, kv.ErrInvalidOptionValue.With("chunks of %d bytes: the size must be from 1 to %d", o.ChunkBytes, kv.MaxValueBytes)
	case o.TransactionBytes < 1 || o.TransactionBytes > maxTransactionBytes:
		return nil, kv.ErrInvalidOptionValue.With("transactions of %d bytes: the size must be from 1 to %d", o.TransactionBytes, maxTransactionBytes)
	case o.Lease < 0:
		return nil, kv.ErrInvalidOptionValue.With("lease of %v is negative", o.Lease)
	}
	return s, nil
}

// batchBytes is what one transaction of an upload writes: whole chunks.
func (s *Store) batchBytes() int {
	return max(1, s.options.TransactionBytes/s.options.ChunkBytes) * s.options.ChunkBytes
}

// leaseVersions is the lease in versions, of which there are a million a
// second.
func (s *Store) leaseVersions() kv.Version { return kv.Version(s.options.Lease.Microseconds()) }

// Info describes a blob.
type Info struct {
	Name string
	// Size is the number of bytes.
	Size int64
	// ID is of this content: it changes whenever the blob is replaced, but not
	// when it is appended to or renamed.
	ID tuple.UUID
	// ChunkBytes is the size of its chunks.
	ChunkBytes int
}

// headFormat begins every head.
const headFormat = 1

func (s *Store) headKey(name string) []byte { return s.heads.Pack(tuple.Tuple{name}) }

func (s *Store) uploadKey(name string, id tuple.UUID) []byte {
	return s.uploads.Pack(tuple.Tuple{name, id})
}

func (s *Store) chunkKey(id tuple.UUID, n int64) []byte {
	return s.chunks.Pack(tuple.Tuple{id, n})
}

// contentRange is where all chunks of a content are.
func (s *Store) contentRange(id tuple.UUID) kv.KeyRange { return s.chunks.Sub(id).Range() }

func encodeHead(i Info) []byte {
	return tuple.Tuple{headFormat, i.ID, i.Size, i.ChunkBytes}.Pack()
}

// decodeHead decodes the head at key. Its errors are *DamagedError.
func (s *Store) decodeHead(key, value []byte) (Info, error) {
	info, err := s.headOf(key, value)
	if err != nil {
		return Info{}, &DamagedError{Key: key, Err: err}
	}
	return info, nil
}

func (s *Store) headOf(key, value []byte) (i Info, err error) {
	at, err := s.heads.Unpack(key)
	if err != nil {
		return i, err
	}
	if i.Name, err = tuple.At[string](at, 0); err != nil || len(at) != 1 {
		return i, fmt.Errorf("its key is not that of a head: %w", err)
	}
	head, err := tuple.Unpack(value)
	if err != nil {
		return i, err
	}
	format, err := tuple.At[int64](head, 0)
	switch {
	case err != nil:
		return i, err
	case format > headFormat:
		return i, fmt.Errorf("format %d: %w", format, ErrNewerFormat)
	case format < headFormat || len(head) != 4:
		return i, fmt.Errorf("head of format %d with %d elements", format, len(head))
	}
	if i.ID, err = tuple.At[tuple.UUID](head, 1); err != nil {
		return i, err
	}
	if i.Size, err = tuple.At[int64](head, 2); err != nil {
		return i, err
	}
	if i.ChunkBytes, err = tuple.At[int](head, 3); err != nil {
		return i, err
	}
	if i.Size < 0 || i.ChunkBytes < 1 || i.ChunkBytes > kv.MaxValueBytes {
		return i, fmt.Errorf("size of %d bytes in chunks of %d", i.Size, i.ChunkBytes)
	}
	return i, nil
}
