package txn

import (
	"slices"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/plinthdb/plinth/internal/atomicop"
	"github.com/plinthdb/plinth/internal/wire"
)

// maxSystemHistory bounds how many states are kept for looks under way.
const maxSystemHistory = 1024

// SystemKeys follows the system keys that the proxies act on: the lock of the
// database, the metadata version, and the limits on tags. The commit proxy
// changes it as it forms batches, in version order (T2); the read-version proxy
// asks for the state at the version that it is about to hand out. Limits on tags
// are no part of that: the newest ones hold.
//
// It is for the one commit proxy of a store in one process, which sees every
// change. In a cluster such changes ride on the sequencer's metadata.
type SystemKeys struct {
	mu struct {
		sync.Mutex
		// history holds the states by version, oldest first, never empty.
		history   []systemState
		throttles throttleRows
	}
	// throttled is what the rows of mu.throttles say.
	throttled atomic.Pointer[[]wire.TagThrottle]
}

// systemState is the values of the keys from a version on, nil if absent.
type systemState struct {
	version         wire.Version
	lock            []byte
	metadataVersion []byte
}

// NewSystemKeys returns the state of a generation that begins at version with
// these values of wire.DatabaseLockedKey and wire.MetadataVersionKey, nil if
// absent.
func NewSystemKeys(version wire.Version, lock, metadataVersion []byte) *SystemKeys {
	s := &SystemKeys{}
	s.mu.throttles = throttleRows{}
	s.mu.history = []systemState{{version, lock, metadataVersion}}
	return s
}

// refuses reports whether the database is locked against req. A nil s never
// is.
func (s *SystemKeys) refuses(req *wire.CommitRequest) bool {
	if s == nil || req.LockAware {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.history[len(s.mu.history)-1].lock != nil
}

// apply notes what a list that commits at version, the newest one, writes to
// the keys.
func (s *SystemKeys) apply(version wire.Version, list []byte) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.mu.history[len(s.mu.history)-1]
	changed, throttled := false, false
	r := wire.ReadMutations(list)
	for {
		m, ok, err := r.Next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		lockChanged := applyToKey(&next.lock, wire.DatabaseLockedKey, m)
		versionChanged := applyToKey(&next.metadataVersion, wire.MetadataVersionKey, m)
		changed = changed || lockChanged || versionChanged
		throttled = s.mu.throttles.apply(m) || throttled
	}
	if throttled {
		s.publishThrottlesLocked()
	}
	if !changed {
		return nil
	}
	next.version = version
	s.mu.history = append(s.mu.history, next)
	if len(s.mu.history) > maxSystemHistory {
		s.mu.history = slices.Delete(s.mu.history, 0, 1)
	}
	return nil
}

// applyToKey applies m to the value of key, if it concerns key.
func applyToKey(value *[]byte, key string, m wire.Mutation) (changed bool) {
	switch {
	case m.Type == wire.ClearRange:
		if string(m.Param1) > key || string(m.Param2) <= key {
			return false
		}
		*value = nil
	case string(m.Param1) != key:
		return false
	case m.Type == wire.SetValue:
		*value = append([]byte{}, m.Param2...)
	default:
		result, present := atomicop.Apply(m.Type, *value, *value != nil, m.Param2)
		if *value = nil; present {
			*value = append([]byte{}, result...)
		}
	}
	return true
}

// at returns the state at version and forgets older ones: read versions do not
// go back. ok is false if the state is not kept any more.
func (s *SystemKeys) at(version wire.Version) (state systemState, ok bool) {
	if s == nil {
		return state, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	after := sort.Search(len(s.mu.history), func(i int) bool { return s.mu.history[i].version > version })
	if after == 0 {
		return state, false
	}
	if after > 1 {
		s.mu.history = slices.Delete(s.mu.history, 0, after-1)
	}
	return s.mu.history[0], true
}
