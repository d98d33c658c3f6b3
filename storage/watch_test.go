package storage_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/storage"
)

type watchResult struct {
	version wire.Version
	err     error
}

// watch arms a watch and returns once it is armed.
func watch(ctx context.Context, s *storage.Server, req wire.WatchRequest) chan watchResult {
	before := s.Stats().Watches
	result := make(chan watchResult, 1)
	go func() {
		reply, err := s.Watch(ctx, &req)
		result <- watchResult{reply.Version, err}
	}()
	for s.Stats().Watches == before && len(result) == 0 {
		runtime.Gosched()
	}
	return result
}

func TestAWatchFiresWhenTheValueDiffers(t *testing.T) {
	a := []byte("a")
	for _, c := range []struct {
		name   string
		seen   []byte // what the watcher saw at version 10
		later  [][]wire.Mutation
		fireAt wire.Version
	}{
		{"AtOnceForAnotherValue", []byte("0"), nil, 10},
		{"AtOnceForAnAbsentKey", nil, nil, 10},
		{"AtOnceForAnEmptyValue", []byte{}, nil, 10},
		{"OnSet", []byte("1"), [][]wire.Mutation{{set("a", "2")}}, 20},
		{"OnClear", []byte("1"), [][]wire.Mutation{{clearKey("a")}}, 20},
		{"OnClearRange", []byte("1"), [][]wire.Mutation{{clearRange("A", "b")}}, 20},
		{"OnAtomic", []byte("1"), [][]wire.Mutation{{atomicOp(wire.AppendIfFits, "a", "x")}}, 20},
		{"NotOnTheSameValue", []byte("1"), [][]wire.Mutation{{set("a", "1")}, {clearRange("a", "b"), set("a", "1")}, {set("a", "3")}}, 40},
		{"NotOnOtherKeys", []byte("1"), [][]wire.Mutation{{set("b", "1")}, {clearRange("", "a")}, {set("a", "3")}}, 40},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newFakeLog()
			s := open(t, vfs.NewMem(), l, nil)
			l.append(10, set("a", "1"))
			result := watch(t.Context(), s, wire.WatchRequest{Key: a, Value: c.seen, Version: 10})
			for i, list := range c.later {
				version := wire.Version(20 + 10*i)
				l.append(version, list...)
				get(t, s, version)
			}
			if r := <-result; r.err != nil || r.version != c.fireAt {
				t.Fatalf("fired at %d, %v, want %d", r.version, r.err, c.fireAt)
			}
		})
	}
}

func TestWatchesEnd(t *testing.T) {
	l := newFakeLog()
	s := open(t, vfs.NewMem(), l, func(cfg *storage.Config) { cfg.MaxWatches = 2 })
	ctx, cancel := context.WithCancel(t.Context())
	absent := wire.WatchRequest{Key: []byte("a")}
	first := watch(ctx, s, absent)
	second := watch(t.Context(), s, absent)
	if _, err := s.Watch(t.Context(), &absent); !errors.Is(err, wire.ErrTooManyWatches) {
		t.Fatalf("one watch too many: %v", err)
	}
	cancel()
	if r := <-first; !errors.Is(r.err, context.Canceled) {
		t.Fatalf("cancelled watch: %v", r.err)
	}
	if n := s.Stats().Watches; n != 1 {
		t.Fatalf("%d watches are left", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if r := <-second; !errors.Is(r.err, wire.ErrDatabaseClosed) {
		t.Fatalf("watch of a closed server: %v", r.err)
	}
}
