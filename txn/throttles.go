package txn

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/plinthdb/plinth/internal/wire"
)

// Limits on what is kept of the rows that limit tags: the client writes at most
// wire.MaxTagThrottles, with short values, but who may write system keys may
// write anything.
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

// put gives a row a value; nil removes it, and so does one that is too long to
// be a limit.
func (r throttleRows) put(key string, value []byte) {
	_, known := r[key]
	switch {
	case value == nil || len(key)+len(value) > maxThrottleRowBytes:
		delete(r, key)
	case known || len(r) < maxThrottleRows:
		r[key] = value
	}
}

// limits returns what the rows say, in the order of their keys. One that cannot
// be read limits nothing.
func (r throttleRows) limits() []wire.TagThrottle {
	var all []wire.TagThrottle
	for _, key := range slices.SortedFunc(maps.Keys(r), strings.Compare) {
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
