package embedded

import (
	"context"
	"log/slog"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/cluster"
	"github.com/plinthdb/plinth/kv"
)

// Option changes how a store is opened. None is needed.
type Option func(*options)

type options struct {
	local    cluster.LocalConfig
	database []kv.DatabaseOption
}

// InMemory keeps the store in memory: the directory's name has no meaning, and
// everything is gone when the store is closed.
func InMemory() Option {
	return func(o *options) { o.local.FS = vfs.NewMem() }
}

// WithFS opens the store on another file system than the operating system's,
// which then gets the directory's name as it is.
func WithFS(fs vfs.FS) Option {
	return func(o *options) { o.local.FS = fs }
}

// WithLogger takes what an operator may want to know; the default is nothing.
func WithLogger(logger *slog.Logger) Option {
	return func(o *options) { o.local.Logger = logger }
}

// WithCacheBytes sets the size of the block cache that reads are served from.
// The default is 64 MiB.
func WithCacheBytes(bytes int64) Option {
	return func(o *options) { o.local.CacheBytes = bytes }
}

// WithWindowBytes bounds the memory for the last five seconds of writes. When
// writers are so fast that it does not suffice, transactions become too old
// sooner. The default is 256 MiB.
func WithWindowBytes(bytes int) Option {
	return func(o *options) { o.local.WindowBytes = bytes }
}

// WithDatabaseOptions passes options on to the database.
func WithDatabaseOptions(database ...kv.DatabaseOption) Option {
	return func(o *options) { o.database = append(o.database, database...) }
}

// WithTuning changes the sizes of the store's parts, for tests that want every
// limit to be reached soon.
func WithTuning(tune func(*Tuning)) Option {
	return func(o *options) { tune(&o.local) }
}

// Tuning is the sizes of the store's parts; see cluster.LocalConfig.
type Tuning = cluster.LocalConfig

// The database asks the store where keys are, and how it is.
var (
	_ kv.Locator       = (*cluster.Local)(nil)
	_ kv.StatusBackend = (*cluster.Local)(nil)
)

// Store is an open store; it closes what Open opened.
type Store struct {
	local *cluster.Local
	db    *kv.Database
}

// Open opens the store in dir and makes it if there is none. It returns the
// database to work with, and the store to close in the end. A relative dir is
// taken from the working directory of this moment; a later change of that does
// not matter. A process opens a directory once and shares the database, which
// any number of goroutines may use.
//
// Errors say what to do: kv.ErrDirectoryInUse (and by whom), kv.ErrNewerFormat,
// kv.ErrFileCorrupt (which file, where), kv.ErrDiskFull, kv.ErrIO,
// kv.ErrClientInvalidOperation for an empty dir, and kv.ErrInvalidOptionValue
// for a negative size.
func Open(dir string, opts ...Option) (*kv.Database, *Store, error) {
	return OpenContext(context.Background(), dir, opts...)
}

// OpenContext is Open for a program that may not want to wait until it has
// finished: a store that was killed under load replays what its log holds. When
// ctx ends first its cause is returned, and the directory can be opened again as
// it was. Once the store is open, ctx has no effect on it.
func OpenContext(ctx context.Context, dir string, opts ...Option) (*kv.Database, *Store, error) {
	o := options{local: cluster.LocalConfig{FS: vfs.Default}}
	for _, opt := range opts {
		opt(&o)
	}
	dir, err := directory(o.local.FS, dir)
	if err != nil {
		return nil, nil, err
	}
	if o.local.CacheBytes < 0 || o.local.WindowBytes < 0 {
		return nil, nil, kv.ErrInvalidOptionValue.With("a cache of %d bytes and a window of %d: sizes must not be negative; 0 is the default",
			o.local.CacheBytes, o.local.WindowBytes)
	}
	o.local.Dir = dir
	local, err := cluster.OpenLocal(ctx, o.local)
	if err != nil {
		return nil, nil, err
	}
	// Rows at hand are not worth a goroutine: BenchmarkReadAhead.
	database := append([]kv.DatabaseOption{kv.WithTransactionDefaults(kv.WithReadAhead(false))}, o.database...)
	s := &Store{local: local, db: kv.NewDatabase(local, database...)}
	return s.db, s, nil
}

// Close ends the store and waits until it is closed. Transactions under way,
// and every later use of the database, fail with kv.ErrDatabaseClosed. It
// returns the error that ended the store earlier, if one did.
func (s *Store) Close() error {
	err := s.db.Close()
	if localErr := s.local.Close(); localErr != nil {
		return localErr
	}
	return err
}

// Ended is closed when the store serves nothing any more, by Close or by a
// fatal error; Err then says which.
func (s *Store) Ended() <-chan struct{} { return s.local.Ended() }

// Err returns why the store serves nothing any more, nil while it does.
func (s *Store) Err() error { return s.local.Err() }

// EstimateBytes returns about how many bytes the rows with begin <= key < end
// take, compressed where they are on disk. It is cheap, reads no row, and may be
// wrong by what was written lately and by some blocks: good for the progress of
// a scan. The errors are kv.ErrInvertedRange, kv.ErrDatabaseClosed, what ended the
// store, and the cause of a context that has ended.
func (s *Store) EstimateBytes(ctx context.Context, begin, end []byte) (int64, error) {
	return s.local.EstimateBytes(ctx, begin, end)
}

// Status describes the store's parts, with names and units for people and
// scripts alike.
func (s *Store) Status() Status { return s.local.Status() }

// Status is what Store.Status returns.
type Status = cluster.LocalStatus
