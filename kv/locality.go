package kv

import (
	"bytes"
	"context"
	"slices"

	"github.com/plinthdb/plinth/internal/wire"
)

// Locator is a back-end that knows where keys are and how much they take. The
// methods that need it fail with ErrUnsupportedOperation on a back-end that is
// none.
type Locator interface {
	// EstimateBytes returns about how many bytes the rows with
	// begin <= key < end take, at no version in particular.
	EstimateBytes(ctx context.Context, begin, end []byte) (int64, error)
	// SplitPoints returns keys that split a range into chunks.
	SplitPoints(context.Context, *wire.SplitRequest) (wire.SplitReply, error)
	// Locate returns the shards of a range.
	Locate(context.Context, *wire.LocateRequest) (wire.LocateReply, error)
}

// EstimateRangeBytes returns the future estimate of how many bytes the rows of
// r take; FoundationDB's name is get_estimated_range_size_bytes. It is cheap,
// belongs to no version, sees no own writes, and adds no conflict. The embedded
// store counts what is on disk as compressed, small ranges as whole blocks, and
// rows written in the last few seconds perhaps not at all: trust it from some
// megabytes on.
func (tx *Transaction) EstimateRangeBytes(r KeyRange) Future[int64] {
	a := tx.current.Load()
	r = cloneRange(r)
	return newLazy(a, func(ctx context.Context) (int64, error) {
		locator, err := a.locator(r)
		if err != nil || r.Empty() {
			return 0, err
		}
		return locator.EstimateBytes(ctx, r.Begin, r.End)
	})
}

// SplitPoints returns the future keys that split r into chunks of about
// chunkBytes each, for who wants to read it in parallel: r.Begin, keys in
// between, and r.End. FoundationDB's name is get_range_split_points. Sizes are
// those of EstimateRangeBytes. The embedded store answers with ten thousand
// chunks at most, larger ones if need be. The error for chunks of no size is
// ErrClientInvalidOperation.
func (tx *Transaction) SplitPoints(r KeyRange, chunkBytes int64) Future[[][]byte] {
	a := tx.current.Load()
	r = cloneRange(r)
	return newLazy(a, func(ctx context.Context) ([][]byte, error) {
		locator, err := a.locator(r)
		if err != nil {
			return nil, err
		}
		if chunkBytes <= 0 {
			return nil, wire.ErrClientInvalidOperation.With("chunks of %d bytes: the size must be positive", chunkBytes)
		}
		points := [][]byte{bytes.Clone(r.Begin)}
		if r.Empty() {
			return append(points, bytes.Clone(r.End)), nil
		}
		reply, err := locator.SplitPoints(ctx, &wire.SplitRequest{Begin: r.Begin, End: r.End, ChunkBytes: chunkBytes})
		if err != nil {
			return nil, err
		}
		for _, key := range reply.Keys {
			points = append(points, bytes.Clone(key))
		}
		return append(points, bytes.Clone(r.End)), nil
	})
}

// AddressesForKey returns the future addresses, host and port, of the servers
// that hold key. With the embedded store that is this process, where nothing
// listens: "127.0.0.1:0".
func (tx *Transaction) AddressesForKey(key []byte) Future[[]string] {
	a := tx.current.Load()
	r := wire.SingleKey(key)
	return newLazy(a, func(ctx context.Context) ([]string, error) {
		locator, err := a.locator(r)
		if err != nil {
			return nil, err
		}
		reply, err := locator.Locate(ctx, &wire.LocateRequest{Begin: r.Begin, End: r.End, Limit: 1})
		if err != nil {
			return nil, err
		}
		for _, s := range reply.Shards {
			if s.Contains(r.Begin) {
				return slices.Clone(s.Addresses), nil
			}
		}
		return nil, wire.ErrInternal.With("no shard holds key %s", printable(r.Begin))
	})
}

// locator returns the back-end as one, if keys of r may be located.
func (a *attempt) locator(r KeyRange) (Locator, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.usableLocked(); err != nil {
		return nil, err
	}
	if bytes.Compare(r.Begin, r.End) > 0 {
		return nil, invertedError(r)
	}
	end := a.mu.options.readEnd()
	if err := checkBoundKey(r.Begin, end); err != nil {
		return nil, err
	}
	if err := checkBoundKey(r.End, end); err != nil && !r.IsSingleKey() {
		return nil, err
	}
	return a.callsLocked().locator()
}

// BoundaryKeys returns the first keys of the shards that begin in r, in order,
// at most limit of them if that is not zero. With the embedded store all keys
// are one shard, which begins at the empty key. It belongs to no transaction:
// shards may move meanwhile. The end of ctx shows as an error that wraps its cause.
func (db *Database) BoundaryKeys(ctx context.Context, r KeyRange, limit int) ([][]byte, error) {
	locator, err := db.calls().locator()
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, endError(ctx)
	}
	if bytes.Compare(r.Begin, r.End) > 0 {
		return nil, invertedError(r)
	}
	// One more, since the first shard may begin before the range.
	request := &wire.LocateRequest{Begin: r.Begin, End: r.End}
	if limit > 0 {
		request.Limit = limit + 1
	}
	reply, err := locator.Locate(ctx, request)
	if err != nil {
		return nil, callError(ctx, err)
	}
	keys := [][]byte{}
	for _, s := range reply.Shards {
		if r.Contains(s.Begin) && (limit <= 0 || len(keys) < limit) {
			keys = append(keys, append([]byte{}, s.Begin...))
		}
	}
	return keys, nil
}

func cloneRange(r KeyRange) KeyRange {
	return KeyRange{Begin: append([]byte{}, r.Begin...), End: append([]byte{}, r.End...)}
}

// lazy is a source whose value whoever waits first brings.
type lazy[T any] struct {
	attempt *attempt
	run     func() (T, error)
	flight  flight
	value   T
	err     error
}

func newLazy[T any](a *attempt, run func(context.Context) (T, error)) Future[T] {
	return Future[T]{&lazy[T]{attempt: a, run: func() (value T, err error) {
		ctx, err := a.callContext()
		if err != nil {
			return value, err
		}
		if value, err = run(ctx); err != nil {
			err = callError(ctx, err)
		}
		return value, err
	}}}
}

// wait implements source.
func (o *lazy[T]) wait() (T, error) {
	a := o.attempt
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.joinLocked(&o.flight) {
		a.mu.Unlock()
		value, err := o.run()
		a.mu.Lock()
		o.value, o.err = value, err
		a.landLocked(&o.flight)
	}
	return o.value, o.err
}
