package storage

import (
	"bytes"

	"github.com/google/btree"

	"github.com/plinthdb/plinth/internal/atomicop"
	"github.com/plinthdb/plinth/internal/wire"
)

// overlayState says what an overlay knows of a key.
type overlayState uint8

const (
	// unknown: whatever the state below holds, or what an atomic operation made
	// of it, if that state is not at hand.
	unknown overlayState = iota
	present
	absent
)

// overlay is what some mutations make of a state below them. It is the plain
// model that Check compares the engine with: no versions, no steps, nothing
// shared with the window.
type overlay struct {
	// below reads the state below; nil if it is not at hand.
	below func(key []byte) (value []byte, err error)
	rows  *btree.BTreeG[*overlayRow]
	// cleared holds disjoint ranges by their begin. Rows in them are newer.
	cleared *btree.BTreeG[wire.KeyRange]
}

type overlayRow struct {
	key, value []byte
	state      overlayState
}

func newOverlay(below func(key []byte) ([]byte, error)) *overlay {
	return &overlay{
		below:   below,
		rows:    btree.NewG(32, func(a, b *overlayRow) bool { return bytes.Compare(a.key, b.key) < 0 }),
		cleared: btree.NewG(32, func(a, b wire.KeyRange) bool { return bytes.Compare(a.Begin, b.Begin) < 0 }),
	}
}

// look returns what is known of a key without the state below.
func (o *overlay) look(key []byte) (value []byte, state overlayState) {
	if row, ok := o.rows.Get(&overlayRow{key: key}); ok {
		return row.value, row.state
	}
	if o.isCleared(key) {
		return nil, absent
	}
	return nil, unknown
}

func (o *overlay) isCleared(key []byte) (in bool) {
	o.cleared.DescendLessOrEqual(wire.KeyRange{Begin: key}, func(r wire.KeyRange) bool {
		in = r.Contains(key)
		return false
	})
	return in
}

// apply takes in one mutation. Nothing of it is kept.
func (o *overlay) apply(m wire.Mutation) error {
	switch m.Type {
	case wire.SetValue:
		o.put(m.Param1, m.Param2, present)
		return nil
	case wire.ClearRange:
		o.clear(wire.KeyRange{Begin: m.Param1, End: m.Param2})
		return nil
	}
	if !m.Type.IsAtomic() {
		return wire.ErrFileCorrupt.With("log: mutation of type %d on key %.60q, which no log holds", m.Type, m.Param1)
	}
	old, state := o.look(m.Param1)
	if state == unknown {
		if o.below == nil {
			o.put(m.Param1, nil, unknown)
			return nil
		}
		var err error
		if old, err = o.below(m.Param1); err != nil {
			return err
		}
		if state = present; old == nil {
			state = absent
		}
	}
	value, exists := atomicop.Apply(m.Type, old, state == present, m.Param2)
	if state = absent; exists {
		state = present
	}
	o.put(m.Param1, value, state)
	return nil
}

func (o *overlay) put(key, value []byte, state overlayState) {
	o.rows.ReplaceOrInsert(&overlayRow{key: bytes.Clone(key), value: append([]byte{}, value...), state: state})
}

// clear removes a range: the rows in it go, and it is noted as cleared, as one
// with the ranges that it touches.
func (o *overlay) clear(r wire.KeyRange) {
	if r.Empty() {
		return
	}
	var gone []*overlayRow
	o.rows.AscendRange(&overlayRow{key: r.Begin}, &overlayRow{key: r.End}, func(row *overlayRow) bool {
		gone = append(gone, row)
		return true
	})
	for _, row := range gone {
		o.rows.Delete(row)
	}
	r = wire.KeyRange{Begin: bytes.Clone(r.Begin), End: bytes.Clone(r.End)}
	var touched []wire.KeyRange
	o.cleared.DescendLessOrEqual(wire.KeyRange{Begin: r.End}, func(c wire.KeyRange) bool {
		if bytes.Compare(c.End, r.Begin) < 0 {
			return false
		}
		touched = append(touched, c)
		return true
	})
	for _, c := range touched {
		o.cleared.Delete(c)
		if bytes.Compare(c.Begin, r.Begin) < 0 {
			r.Begin = c.Begin
		}
		if bytes.Compare(c.End, r.End) > 0 {
			r.End = c.End
		}
	}
	o.cleared.ReplaceOrInsert(r)
}

// merger merges the rows of an overlay with those below it, which it is given
// in key order.
type merger struct {
	overlay *overlay
	own     []*overlayRow // not visited yet
	visit   func(key, value []byte)
}

func (o *overlay) merger(visit func(key, value []byte)) *merger {
	m := &merger{overlay: o, own: make([]*overlayRow, 0, o.rows.Len()), visit: visit}
	o.rows.Ascend(func(row *overlayRow) bool {
		m.own = append(m.own, row)
		return true
	})
	return m
}

// add takes the next row from below.
func (m *merger) add(key, value []byte) {
	for len(m.own) > 0 && bytes.Compare(m.own[0].key, key) < 0 {
		m.visitOwn()
	}
	switch {
	case len(m.own) > 0 && bytes.Equal(m.own[0].key, key):
		m.visitOwn()
	case !m.overlay.isCleared(key):
		m.visit(key, value)
	}
}

// finish says that there are no more rows below.
func (m *merger) finish() {
	for len(m.own) > 0 {
		m.visitOwn()
	}
}

func (m *merger) visitOwn() {
	if row := m.own[0]; row.state == present {
		m.visit(row.key, row.value)
	}
	m.own = m.own[1:]
}
