package txn

import (
	"bytes"
	"maps"
	"slices"

	"github.com/plinthdb/plinth/internal/wire"
)

// Limits on what is followed of the rows that limit tags: the client writes at
// most wire.MaxTagThrottles, with short values, but who may write system keys may
// write anything. Of more rows the first by key are followed, as when a store is
// opened. If some of those go, rows that were behind them are followed from the
// next opening on at the latest.
const (
	maxThrottleRows     = 1000
	maxThrottleRowBytes = 256
)

// throttleRows is the rows that limit the starts with a tag, by key.
type throttleRows map[string][]byte

// apply applies a mutation to the rows and reports whether it may have changed
// one.
func (r throttleRows) apply(m wire.Mutation) (changed bool) {
	if m.Type == wire.ClearRange {
		before := len(r)
		maps.DeleteFunc(r, func(key string, _ []byte) bool { return string(m.Param1) <= key && key < string(m.Param2) })
		return len(r) != before
	}
	if !bytes.HasPrefix(m.Param1, []byte(wire.TagThrottlePrefix)) {
		return false
	}
	key := string(m.Param1)
	value := r[key]
	applyToKey(&value, key, m)
	r.put(key, value)
	return true
}

// put gives a row a value; nil removes it. Of a row that is too long to be a
// limit the key is kept: it counts as the others do.
func (r throttleRows) put(key string, value []byte) {
	if value == nil {
		delete(r, key)
		return
	}
	if len(key)+len(value) > maxThrottleRowBytes {
		value = []byte{}
	}
	r[key] = value
	if len(r) >= 2*maxThrottleRows { // Not with each row: it takes sorting.
		for _, key := range r.keys()[maxThrottleRows:] {
			delete(r, key)
		}
	}
}

// keys returns the keys in order.
func (r throttleRows) keys() []string { return slices.Sorted(maps.Keys(r)) }

// limits returns what the rows say, in the order of their keys. One that cannot
// be read limits nothing.
func (r throttleRows) limits() []wire.TagThrottle {
	var all []wire.TagThrottle
	for _, key := range r.keys()[:min(len(r), maxThrottleRows)] {
		if t, err := wire.ParseTagThrottle(wire.KeyValue{Key: []byte(key), Value: r[key]}); err == nil {
			all = append(all, t)
		}
	}
	return all
}

// SetTagThrottles gives the rows of wire.TagThrottles as they are at the
// beginning of the generation.
func (s *SystemKeys) SetTagThrottles(rows []wire.KeyValue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.throttles = throttleRows{}
	for _, row := range rows {
		s.mu.throttles.put(string(row.Key), slices.Clone(row.Value))
	}
	s.publishThrottlesLocked()
}

func (s *SystemKeys) publishThrottlesLocked() {
	limits := s.mu.throttles.limits()
	s.throttled.Store(&limits)
}

// TagThrottles returns the limits on tags that hold now, or have ended. The
// pointer is another one if and only if they may have changed; it is nil if
// there never was one.
func (s *SystemKeys) TagThrottles() *[]wire.TagThrottle {
	if s == nil {
		return nil
	}
	return s.throttled.Load()
}
