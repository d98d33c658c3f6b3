package oracle

import (
	"bytes"
	"maps"
	"math"
	"slices"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// Rows is what a transaction should see.
type Rows struct {
	// Values are the keys that are present and can be read.
	Values map[string]string
	// Unreadable are ranges without values that cannot be read before the
	// commit. They may overlap.
	Unreadable []Span
}

// Span is the keys from Begin up to End.
type Span struct{ Begin, End string }

// Point is the span of one key.
func Point(key string) Span { return Span{key, key + "\x00"} }

// Contains reports whether key lies in s.
func (s Span) Contains(key string) bool { return s.Begin <= key && key < s.End }

// KeyRange is s as the client takes it.
func (s Span) KeyRange() kv.KeyRange { return kv.KeyRange{Begin: []byte(s.Begin), End: []byte(s.End)} }

// New returns rows with a copy of values, all readable.
func New(values map[string]string) *Rows {
	r := &Rows{Values: make(map[string]string, len(values))}
	maps.Copy(r.Values, values)
	return r
}

// Clone returns rows that share nothing with r.
func (r *Rows) Clone() *Rows {
	clone := New(r.Values)
	clone.Unreadable = slices.Clone(r.Unreadable)
	return clone
}

// Define makes all keys of s readable and absent, but for the values given.
func (r *Rows) Define(s Span, values map[string]string) {
	maps.DeleteFunc(r.Values, func(key, _ string) bool { return s.Contains(key) })
	maps.Copy(r.Values, values)
	var rest []Span
	for _, u := range r.Unreadable {
		if left := (Span{u.Begin, min(u.End, s.Begin)}); left.Begin < left.End {
			rest = append(rest, left)
		}
		if right := (Span{max(u.Begin, s.End), u.End}); right.Begin < right.End {
			rest = append(rest, right)
		}
	}
	r.Unreadable = rest
}

// Hide makes all keys of s unreadable.
func (r *Rows) Hide(s Span) {
	r.Define(s, nil)
	r.Unreadable = append(r.Unreadable, s)
}

// Hidden reports whether key cannot be read.
func (r *Rows) Hidden(key string) bool {
	return slices.ContainsFunc(r.Unreadable, func(u Span) bool { return u.Contains(key) })
}

// Get returns the value of key, nil if it is absent, or
// kv.ErrAccessedUnreadable.
func (r *Rows) Get(key string) ([]byte, error) {
	if r.Hidden(key) {
		return nil, kv.ErrAccessedUnreadable
	}
	value, present := r.Values[key]
	if !present {
		return nil, nil
	}
	return append([]byte{}, value...), nil
}

// Scan returns the rows of s up to the limits of o, in its direction. If the
// scan comes to keys that cannot be read first, it returns the rows before
// them and kv.ErrAccessedUnreadable.
func (r *Rows) Scan(s Span, o kv.RangeOptions) (rows []kv.KeyValue, err error) {
	if s.Begin >= s.End {
		return nil, nil
	}
	begin, end := s.Begin, s.End
	for _, u := range r.Unreadable {
		if u.Begin >= s.End || u.End <= s.Begin {
			continue
		}
		err = kv.ErrAccessedUnreadable
		if o.Reverse {
			begin = max(begin, u.End)
		} else {
			end = min(end, u.Begin)
		}
	}
	keys := make([]string, 0, len(r.Values))
	for key := range r.Values {
		if begin <= key && key < end {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	if o.Reverse {
		slices.Reverse(keys)
	}
	size := 0
	for i, key := range keys {
		value := r.Values[key]
		rows = append(rows, kv.KeyValue{Key: []byte(key), Value: []byte(value)})
		size += len(key) + len(value)
		if o.Limit > 0 && i+1 >= o.Limit || o.LimitBytes > 0 && size >= o.LimitBytes {
			return rows, nil
		}
	}
	return rows, err
}

// Passed returns the rows that a selector counts, at most limit of them; the
// last of limit rows is the one that it names. With fewer it runs off, to the
// key runOff, or else comes to keys that cannot be read.
func (r *Rows) Passed(s kv.KeySelector) (rows []kv.KeyValue, limit int, runOff string, err error) {
	bound := string(s.Key)
	if s.OrEqual {
		bound += "\x00"
	}
	if s.Offset > 0 {
		limit = s.Offset
		rows, err = r.Scan(Span{bound, wire.SystemPrefix}, kv.RangeOptions{Limit: limit})
		return rows, limit, wire.SystemPrefix, err
	}
	limit = 1 - max(s.Offset, -math.MaxInt32)
	rows, err = r.Scan(Span{"", bound}, kv.RangeOptions{Limit: limit, Reverse: true})
	return rows, limit, "", err
}

// Key returns the key that a selector names, the empty key or "\xff" if it
// runs off, or kv.ErrAccessedUnreadable.
func (r *Rows) Key(s kv.KeySelector) (string, error) {
	rows, limit, runOff, err := r.Passed(s)
	switch {
	case err != nil:
		return "", err
	case len(rows) < limit:
		return runOff, nil
	}
	return string(rows[limit-1].Key), nil
}

// Bound returns the bound that a selector gives a range. One that needs no
// reading is never unreadable.
func (r *Rows) Bound(s kv.KeySelector) (string, error) {
	switch {
	case s.Offset != 1:
		return r.Key(s)
	case s.OrEqual && string(s.Key) < wire.SystemPrefix:
		return string(s.Key) + "\x00", nil
	}
	return string(s.Key), nil
}

// Apply does what m does to the rows that a transaction sees before its
// commit. Stamps are not known then, but will not be below those of its read
// version, if that is not 0.
func (r *Rows) Apply(m wire.Mutation, read wire.Version) {
	key := string(m.Param1)
	switch m.Type {
	case wire.SetVersionstampedKey:
		content, at, _ := wire.SplitStampOffset(m.Param1)
		least := wire.MakeStamp(read, 0)
		r.Hide(Span{
			string(stamped(content, at, least[:])),
			string(stamped(content, at, bytes.Repeat([]byte{0xff}, wire.StampBytes))) + "\x00",
		})
	case wire.SetVersionstampedValue:
		r.Hide(Point(key))
	default:
		r.applyPlain(m)
	}
}

// Commit does what the mutations of a transaction do to a store, at whose
// commit they get stamp.
func (r *Rows) Commit(list []wire.Mutation, stamp wire.Stamp) {
	for _, m := range list {
		switch m.Type {
		case wire.SetVersionstampedKey:
			content, at, _ := wire.SplitStampOffset(m.Param1)
			key := string(stamped(content, at, stamp[:]))
			r.Define(Point(key), map[string]string{key: string(m.Param2)})
		case wire.SetVersionstampedValue:
			content, at, _ := wire.SplitStampOffset(m.Param2)
			key := string(m.Param1)
			r.Define(Point(key), map[string]string{key: string(stamped(content, at, stamp[:]))})
		default:
			r.applyPlain(m)
		}
	}
}

// applyPlain applies a mutation without a stamp.
func (r *Rows) applyPlain(m wire.Mutation) {
	key, param := string(m.Param1), string(m.Param2)
	switch {
	case m.Type == wire.SetValue:
		r.Define(Point(key), map[string]string{key: param})
	case m.Type == wire.ClearRange:
		r.Define(Span{key, param}, nil)
	case !r.Hidden(key):
		old, present := r.Values[key]
		if value, left := Evaluate(m.Type, old, present, param); left {
			r.Values[key] = value
		} else {
			delete(r.Values, key)
		}
	}
}

// stamped returns content with stamp at a place.
func stamped(content []byte, at int, stamp []byte) []byte {
	content = bytes.Clone(content)
	copy(content[at:], stamp)
	return content
}
