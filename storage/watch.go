package storage

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/google/btree"
	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wire"
)

// watches is the registry of armed watches, ordered by key so that range
// clears find theirs.
type watches struct {
	limit int
	// count lets an apply without watches pass by.
	count atomic.Int64
	mu    struct {
		sync.Mutex
		byKey *btree.BTreeG[*watchedKey]
	}
}

type watchedKey struct {
	key      []byte
	watchers []*watcher
}

// watcher waits for a key to differ from a value. hint is signalled when the
// key was written; the waiting call then looks for itself.
type watcher struct {
	key  []byte
	hint chan struct{}
}

func newWatches(limit int) *watches {
	w := &watches{limit: limit}
	w.mu.byKey = btree.NewG(32, func(a, b *watchedKey) bool { return bytes.Compare(a.key, b.key) < 0 })
	return w
}

func (w *watches) len() int { return int(w.count.Load()) }

// add arms a watcher of key, nil if there are too many.
func (w *watches) add(key []byte) *watcher {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.len() >= w.limit {
		return nil
	}
	w.count.Add(1)
	k, ok := w.mu.byKey.Get(&watchedKey{key: key})
	if !ok {
		k = &watchedKey{key: bytes.Clone(key)}
		w.mu.byKey.ReplaceOrInsert(k)
	}
	watcher := &watcher{key: k.key, hint: make(chan struct{}, 1)}
	k.watchers = append(k.watchers, watcher)
	return watcher
}

// remove disarms a watcher.
func (w *watches) remove(gone *watcher) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count.Add(-1)
	k, _ := w.mu.byKey.Get(&watchedKey{key: gone.key})
	for i, other := range k.watchers {
		if other == gone {
			last := len(k.watchers) - 1
			k.watchers[i], k.watchers[last] = k.watchers[last], nil
			k.watchers = k.watchers[:last]
			break
		}
	}
	if len(k.watchers) == 0 {
		w.mu.byKey.Delete(k)
	}
}

// written signals the watchers of the keys that m may have changed.
func (w *watches) written(m wire.Mutation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m.Type != wire.ClearRange {
		if k, ok := w.mu.byKey.Get(&watchedKey{key: m.Param1}); ok {
			k.signal()
		}
		return
	}
	w.mu.byKey.AscendRange(&watchedKey{key: m.Param1}, &watchedKey{key: m.Param2}, func(k *watchedKey) bool {
		k.signal()
		return true
	})
}

func (k *watchedKey) signal() {
	for _, watcher := range k.watchers {
		wake(watcher.hint)
	}
}

// fireWatches signals the watchers of a version that was just published. A
// watch armed since then sees the version by itself: it reads after it was
// added.
func (s *Server) fireWatches(v *wire.TaggedVersion) {
	if s.watches.len() == 0 {
		return
	}
	for _, list := range v.Lists {
		mutations := wire.ReadMutations(list)
		for {
			// The list was read without an error when it was applied.
			m, ok, err := mutations.Next()
			if err != nil || !ok {
				break
			}
			s.watches.written(m)
		}
	}
}

// Watch waits until the newest value of a key differs from the request's. A
// value that changes and changes back in between may go unnoticed.
//
// Errors: those of GetValues but ErrTransactionTooOld, and ErrTooManyWatches.
func (s *Server) Watch(ctx context.Context, req *wire.WatchRequest) (wire.WatchReply, error) {
	if req.Version > s.applied.load() {
		if err := s.await(ctx, req.Version); err != nil {
			return wire.WatchReply{}, err
		}
	}
	w := s.watches.add(req.Key)
	if w == nil {
		return wire.WatchReply{}, wire.ErrTooManyWatches
	}
	defer s.watches.remove(w)
	for {
		version, value, err := s.newestValue(ctx, req.Key)
		if err != nil {
			return wire.WatchReply{}, err
		}
		if (value == nil) != (req.Value == nil) || !bytes.Equal(value, req.Value) {
			return wire.WatchReply{Version: version}, nil
		}
		if fault.Point("storage.watch.lookAgain") {
			wake(w.hint)
		}
		select {
		case <-w.hint:
		case <-ctx.Done():
			return wire.WatchReply{}, ctx.Err()
		case <-s.failed:
			return wire.WatchReply{}, s.failure.err
		case <-s.closing:
			return wire.WatchReply{}, wire.ErrDatabaseClosed
		}
	}
}

// newestValue reads a key at the newest version.
func (s *Server) newestValue(ctx context.Context, key []byte) (wire.Version, []byte, error) {
	for {
		version := s.applied.load()
		reply, err := s.GetValues(ctx, &wire.GetValuesRequest{Version: version, Keys: [][]byte{key}})
		if err == nil {
			return version, reply.Values[0], nil
		}
		// If the engine overtook the version, a newer one is there.
		if !errors.Is(err, wire.ErrTransactionTooOld) {
			return 0, nil, err
		}
	}
}
