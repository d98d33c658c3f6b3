package storage

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/plinthdb/plinth/internal/wire"
)

// The first byte of an engine key says what it is.
const (
	metaPrefix = 0x00
	dataPrefix = 0x01
)

// formatVersion is the layout of the directory that this code writes. A
// directory with a greater one is refused.
const formatVersion = 1

// The engine takes no further step while it holds as many memtables or level-0
// layers as this. Pebble's own limits are set out of reach: a write that waits
// inside Pebble cannot be called off, so Close would hang behind a disk that
// fails.
const (
	maxMemTables    = 4
	maxLevel0Layers = 24
	neverStall      = 1 << 20
)

// engine is the Pebble store: one value a key, and the version it stands at.
type engine struct {
	db  *pebble.DB
	dir string
	// durable says what of the store is in flushed tables.
	durable pebble.IterOptions
}

func versionKey() []byte { return []byte{metaPrefix, 'v', 'e', 'r', 's', 'i', 'o', 'n'} }
func formatKey() []byte  { return []byte{metaPrefix, 'f', 'o', 'r', 'm', 'a', 't'} }

// appendDataKey appends the engine's key for key to buf.
func appendDataKey(buf, key []byte) []byte {
	buf = append(buf, dataPrefix)
	return append(buf, key...)
}

// reservedMemTables is how many memtables Pebble takes out of its cache: the
// one being filled, one kept to be used again, and one being flushed. Without
// them in the sum nothing would be left for blocks, and every read went to the
// disk.
const reservedMemTables = 3

// engineOptions are Pebble's options for a server. The caller adds FS, Logger
// and EventListener.
func engineOptions(cfg *Config) *pebble.Options {
	opts := &pebble.Options{
		// Pebble takes the memtables' memory out of its cache.
		CacheSize:                   cfg.CacheBytes + reservedMemTables*int64(cfg.MemTableBytes),
		DisableWAL:                  true,
		FormatMajorVersion:          pebble.FormatNewest,
		FS:                          cfg.FS,
		MemTableSize:                uint64(cfg.MemTableBytes),
		MemTableStopWritesThreshold: neverStall,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       neverStall,
		LBaseMaxBytes:               64 << 20,
		MaxOpenFiles:                1000,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
	}
	// Point reads skip the bottom level's filter in Pebble, so it gets none.
	for i := range len(opts.Levels) - 1 {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return opts
}

// openEngine opens the store in dir or creates it, and returns the version at
// which it stands.
func openEngine(dir string, opts *pebble.Options) (*engine, wire.Version, error) {
	db, err := openPebble(dir, opts)
	if err != nil {
		return nil, 0, err
	}
	e := &engine{db: db, dir: dir, durable: pebble.IterOptions{OnlyReadGuaranteedDurable: true}}
	version, err := e.begin(opts.ReadOnly)
	if err != nil {
		return nil, 0, errors.Join(err, db.Close())
	}
	return e, version, nil
}

// openPebble is pebble.Open. Pebble holds some failures of a disk, and some
// damage to its files, for impossible and panics. It lets go of the directory
// first, so to its caller that is an error like any other.
func openPebble(dir string, opts *pebble.Options) (db *pebble.DB, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			db, err = nil, panicError(dir, cause)
		}
	}()
	opts.FS = manifestFS{opts.FS}
	db, err = pebble.Open(dir, opts)
	if err != nil {
		return nil, openError(dir, err)
	}
	return db, nil
}

// begin checks the format and reads the version, or writes both to a new
// store.
func (e *engine) begin(readOnly bool) (wire.Version, error) {
	format, found, err := e.metaNumber(formatKey())
	if err != nil {
		return 0, err
	}
	if !found {
		return 0, e.create(readOnly)
	}
	if format > formatVersion {
		return 0, wire.ErrNewerFormat.With("storage directory %s has format %d, this program knows up to %d; open it with a newer version of Plinth", e.dir, format, formatVersion)
	}
	version, found, err := e.metaNumber(versionKey())
	if err == nil && !found {
		err = wire.ErrFileCorrupt.With("storage directory %s has no version key; %s", e.dir, remedy)
	}
	return wire.Version(version), err
}

// create makes an empty directory a store at version 0.
func (e *engine) create(readOnly bool) error {
	iter, err := e.db.NewIter(nil)
	if err != nil {
		return ioError(e.dir, err)
	}
	empty := !iter.First()
	if err := errors.Join(iter.Error(), iter.Close()); err != nil {
		return ioError(e.dir, err)
	}
	if !empty || readOnly {
		return wire.ErrFileCorrupt.With("storage directory %s has no format key: it is not a storage server's directory, or it is damaged", e.dir)
	}
	batch := e.db.NewBatch()
	err = errors.Join(
		batch.Set(formatKey(), binary.BigEndian.AppendUint64(nil, formatVersion), nil),
		batch.Set(versionKey(), binary.BigEndian.AppendUint64(nil, 0), nil),
		batch.Commit(pebble.NoSync),
	)
	if err != nil {
		return ioError(e.dir, err)
	}
	return nil
}

// metaNumber reads a number under a meta key.
func (e *engine) metaNumber(key []byte) (n uint64, found bool, err error) {
	value, closer, err := e.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, ioError(e.dir, err)
	}
	defer closer.Close()
	if len(value) != 8 {
		return 0, false, wire.ErrFileCorrupt.With("storage directory %s: %d bytes under %q instead of 8", e.dir, len(value), key)
	}
	return binary.BigEndian.Uint64(value), true, nil
}

// durableVersion returns the version at which the flushed tables stand.
func (e *engine) durableVersion() (version wire.Version, err error) {
	key := versionKey()
	opts := e.durable
	opts.LowerBound, opts.UpperBound = key, append(slices.Clip(key), 0)
	iter, err := e.db.NewIter(&opts)
	if err != nil {
		return 0, ioError(e.dir, err)
	}
	if iter.First() && len(iter.Value()) == 8 {
		version = wire.Version(binary.BigEndian.Uint64(iter.Value()))
	}
	if err := errors.Join(iter.Error(), iter.Close()); err != nil {
		return 0, ioError(e.dir, err)
	}
	return version, nil
}

// backlogged reports whether flushes and compactions must catch up first.
func (e *engine) backlogged(memTableBytes int) bool {
	m := e.db.Metrics()
	return m.MemTable.Size >= uint64(maxMemTables*memTableBytes) || m.Levels[0].Sublevels >= maxLevel0Layers
}

// getInto returns a copy of the value of key in a, nil if there is none.
// keyBuf is scratch space.
func (e *engine) getInto(key []byte, a *arena, keyBuf []byte) (value, keyOut []byte, err error) {
	keyBuf = appendDataKey(keyBuf[:0], key)
	stored, closer, err := e.db.Get(keyBuf)
	if err != nil {
		if err == pebble.ErrNotFound {
			return nil, keyBuf, nil
		}
		return nil, keyBuf, ioError(e.dir, err)
	}
	value = a.clone(stored)
	if err := closer.Close(); err != nil {
		return nil, keyBuf, ioError(e.dir, err)
	}
	return value, keyBuf, nil
}
