package fakestore

import (
	"bytes"
	"context"
	"slices"
	"sort"
	"sync"

	"github.com/plinthdb/plinth/internal/wire"
)

// Call names a method of the back-end to a fault hook.
type Call string

// The calls that a hook is asked about.
const (
	ReadVersion Call = "ReadVersion"
	GetValues   Call = "GetValues"
	GetRange    Call = "GetRange"
	GetKey      Call = "GetKey"
	Watch       Call = "Watch"
	Commit      Call = "Commit"
)

// firstVersion is the version of the empty store.
const firstVersion wire.Version = 1000

// Store holds all versions of its rows.
type Store struct {
	// Fault, if set before the first call, is asked before each; an error of
	// it is the call's. version is that of the read or commit, 0 for
	// ReadVersion. It may be called by many goroutines at once.
	Fault func(call Call, version wire.Version) error

	mu struct {
		sync.Mutex
		history []snapshot
		// changed is closed, and replaced, by every commit.
		changed chan struct{}
	}
}

// snapshot is the store at one version: rows sorted by key, never changed.
type snapshot struct {
	version wire.Version
	rows    []wire.KeyValue
	writes  []wire.KeyRange // what the commit of the version wrote
}

// New returns an empty store.
func New() *Store {
	s := &Store{}
	s.mu.history = []snapshot{{version: firstVersion}}
	s.mu.changed = make(chan struct{})
	return s
}

// Rows returns the newest rows in key order.
func (s *Store) Rows() []wire.KeyValue {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newestLocked().rows
}

// Version returns the newest version.
func (s *Store) Version() wire.Version {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newestLocked().version
}

func (s *Store) newestLocked() *snapshot { return &s.mu.history[len(s.mu.history)-1] }

// Put gives a key a value at a new version, as somebody else's commit.
func (s *Store) Put(key, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := wire.AppendMutation(nil, wire.Mutation{Type: wire.SetValue, Param1: []byte(key), Param2: []byte(value)})
	if err := s.applyLocked(list, []wire.KeyRange{wire.SingleKey([]byte(key))}); err != nil {
		panic(err) // The list was made here.
	}
}

// fault asks the hook, which may take its time, and then the context.
func (s *Store) fault(ctx context.Context, call Call, version wire.Version) error {
	if s.Fault != nil {
		if err := s.Fault(call, version); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// at returns the rows at a version.
func (s *Store) at(version wire.Version) ([]wire.KeyValue, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range slices.Backward(s.mu.history) {
		if h.version <= version {
			return h.rows, nil
		}
	}
	return nil, wire.ErrTransactionTooOld
}

// find returns the place of the first row whose key is not below key.
func find(rows []wire.KeyValue, key []byte) int {
	return sort.Search(len(rows), func(i int) bool { return bytes.Compare(rows[i].Key, key) >= 0 })
}

// lookup returns the value of a key, nil if it is absent.
func lookup(rows []wire.KeyValue, key []byte) []byte {
	if i := find(rows, key); i < len(rows) && bytes.Equal(rows[i].Key, key) {
		return rows[i].Value
	}
	return nil
}
