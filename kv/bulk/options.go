package bulk

import "github.com/plinthdb/plinth/kv"

// LoadOptions is how Load and Write load. Zero values stand for the defaults.
type LoadOptions struct {
	// TransactionBytes is about how much one transaction writes, conflict ranges
	// included, up to 9,000,000. The default is 500,000.
	TransactionBytes int
	// Concurrency is how many transactions are under way at once. The default is
	// 4.
	Concurrency int
	// Transaction is the options of every transaction, such as kv.WithPriority
	// with kv.PriorityBatch, which lets all others go first while the store is
	// loaded.
	Transaction []kv.TransactionOption
	// Progress, if set, is told about every step of the progress, by one
	// goroutine at a time. It should return soon.
	Progress func(Progress)
}

// Progress is what has been loaded without a gap from the first row on.
type Progress struct {
	// Rows is the number of rows, or of items for Write.
	Rows int64
	// Bytes is that of their keys and values; 0 for Write.
	Bytes int64
	// Transactions is how many transactions it took.
	Transactions int64
}

const (
	defaultLoadBytes   = 500_000
	maxLoadBytes       = 9_000_000
	defaultConcurrency = 4
	maxConcurrency     = 1024
)

// resolved returns the options with the defaults filled in.
func (o LoadOptions) resolved() (LoadOptions, error) {
	if o.TransactionBytes == 0 {
		o.TransactionBytes = defaultLoadBytes
	}
	if o.Concurrency == 0 {
		o.Concurrency = defaultConcurrency
	}
	if o.TransactionBytes < 1 || o.TransactionBytes > maxLoadBytes {
		return o, kv.ErrInvalidOptionValue.With("transactions of %d bytes: the size must be from 1 to %d", o.TransactionBytes, maxLoadBytes)
	}
	return o, checkConcurrency(o.Concurrency)
}

func checkConcurrency(n int) error {
	if n < 1 || n > maxConcurrency {
		return kv.ErrInvalidOptionValue.With("concurrency of %d: it must be from 1 to %d", n, maxConcurrency)
	}
	return nil
}

// ScanOptions is how a Scan reads. Zero values stand for the defaults.
type ScanOptions struct {
	// BatchBytes is about how much is read with one transaction, up to
	// 64,000,000. A batch always holds a row. The default is 500,000.
	BatchBytes int
	// PieceBytes is about how large the pieces are into which the range is
	// split. The default is eight batches.
	PieceBytes int64
	// Concurrency is how many pieces are read at once. The default is 4.
	Concurrency int
	// Transaction is the options of every transaction, such as kv.WithPriority
	// with kv.PriorityBatch, which lets all others go first while the store is
	// loaded.
	Transaction []kv.TransactionOption
}

const (
	defaultBatchBytes = 500_000
	maxBatchBytes     = 64_000_000
	batchesOfPiece    = 8
)

func (o ScanOptions) resolved() (ScanOptions, error) {
	if o.BatchBytes == 0 {
		o.BatchBytes = defaultBatchBytes
	}
	if o.PieceBytes == 0 {
		o.PieceBytes = batchesOfPiece * int64(o.BatchBytes)
	}
	if o.Concurrency == 0 {
		o.Concurrency = defaultConcurrency
	}
	switch {
	case o.BatchBytes < 1 || o.BatchBytes > maxBatchBytes:
		return o, kv.ErrInvalidOptionValue.With("batches of %d bytes: the size must be from 1 to %d", o.BatchBytes, maxBatchBytes)
	case o.PieceBytes < 1:
		return o, kv.ErrInvalidOptionValue.With("pieces of %d bytes: the size must be at least 1", o.PieceBytes)
	}
	return o, checkConcurrency(o.Concurrency)
}
