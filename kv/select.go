package kv

import (
	"bytes"
	"math"

	"github.com/plinthdb/plinth/internal/wire"
)

// keyOp is one GetKey, from its call to its key.
type keyOp struct {
	attempt  *attempt
	selector wire.KeySelector
	scope    scope
	flight   flight
	key      []byte
	err      error
}

// getKey issues a GetKey.
func (a *attempt) getKey(selector wire.KeySelector, snapshot bool) *keyOp {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mu.hasRead = true
	o := &keyOp{attempt: a}
	if o.err = a.usableLocked(); o.err == nil {
		o.err = checkBoundKey(selector.Key, a.mu.options.readEnd())
	}
	if o.err != nil {
		o.flight = flight{running: true, finished: true}
		return o
	}
	o.selector = a.copySelectorLocked(selector)
	o.scope = a.scopeLocked(snapshot)
	return o
}

// wait implements source.
func (o *keyOp) wait() ([]byte, error) {
	a := o.attempt
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.joinLocked(&o.flight) {
		a.mu.Unlock()
		key, err := a.selectKey(o.selector, &o.scope)
		a.mu.Lock()
		if err != nil {
			o.err = err
		} else {
			o.key = append([]byte{}, key...)
		}
		a.landLocked(&o.flight)
	}
	return o.key, o.err
}

// copySelectorLocked copies selector. A key beyond the limit is cut: no key is
// long enough to tell the difference.
func (a *attempt) copySelectorLocked(selector wire.KeySelector) wire.KeySelector {
	key := selector.Key
	if len(key) > MaxKeyBytes+1 {
		key = key[:MaxKeyBytes+1]
	}
	selector.Key = a.mu.arena.clone(key)
	selector.Offset = max(selector.Offset, -math.MaxInt32)
	return selector
}

// resolve returns the bound that selector gives a range. The common selectors
// need no reading: as a bound, the first key from k on is as good as k.
func (a *attempt) resolve(selector wire.KeySelector, s *scope) ([]byte, error) {
	if selector.Offset == 1 {
		return boundOf(selector, s.end), nil
	}
	return a.selectKey(selector, s)
}

// boundOf returns the key k such that the selector counts from it: offset 1 is
// the first key at or above k, offset 0 the last key below it. All keys are
// below end.
func boundOf(s wire.KeySelector, end string) []byte {
	if s.OrEqual && string(s.Key) < end {
		return wire.KeyAfter(s.Key)
	}
	return s.Key
}

// selectKey finds the key that selector names and adds the read conflict. The
// result may be shared.
func (a *attempt) selectKey(selector wire.KeySelector, s *scope) ([]byte, error) {
	if err := a.usable(); err != nil {
		return nil, err
	}
	var key []byte
	var err error
	if s.view == nil && s.end == wire.SystemPrefix {
		key, err = a.selectStored(selector)
	} else {
		key, err = a.selectMerged(selector, s)
	}
	if err != nil || s.snapshot {
		return key, err
	}
	r := wire.KeyRange{Begin: boundOf(selector, s.end), End: wire.KeyAfter(key)}
	if selector.Offset <= 0 {
		r = wire.KeyRange{Begin: key, End: boundOf(selector, s.end)}
	} else if string(key) >= s.end {
		r.End = []byte(s.end)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.usableLocked(); err != nil {
		return nil, err
	}
	for _, part := range dependencies(nil, s.view, r) {
		a.addReadConflictLocked(part)
	}
	return key, nil
}

// selectStored asks the store.
func (a *attempt) selectStored(selector wire.KeySelector) ([]byte, error) {
	anchor := [1][]byte{selector.Key}
	version, err := a.readVersion(anchor[:])
	if err != nil {
		return nil, err
	}
	ctx, err := a.callContext()
	if err != nil {
		return nil, err
	}
	reply, err := a.calls().GetKey(ctx, &wire.GetKeyRequest{Version: version, Selector: selector})
	if err != nil {
		return nil, callError(ctx, err)
	}
	if string(reply.Key) > wire.SystemPrefix {
		return []byte(wire.SystemPrefix), nil
	}
	return reply.Key, nil
}

// selectMerged counts rows of the store and of own writes together.
func (a *attempt) selectMerged(selector wire.KeySelector, s *scope) ([]byte, error) {
	bound := boundOf(selector, s.end)
	begin, end := bound, []byte(s.end)
	options := RangeOptions{Limit: selector.Offset}
	runOff := end
	if selector.Offset <= 0 {
		begin, end = []byte{}, bound
		options = RangeOptions{Limit: 1 - selector.Offset, Reverse: true}
		runOff = begin
	}
	c := newCursor(a, s.view, begin, end, options)
	for {
		_, ok, err := c.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
	}
	if c.limited {
		return bytes.Clone(c.lastKey), nil
	}
	return runOff, nil
}
