package machine

import (
	"math/big"

	"github.com/plinthdb/plinth/kv/tuple"
)

// item is a value on the stack, or a Future of one, and the instruction that
// it came from.
type item struct {
	value       any
	instruction int
}

// stack is the items, the oldest first.
type stack struct{ items []item }

func (s *stack) push(instruction int, value any) {
	s.items = append(s.items, item{value, instruction})
}

// take removes the top item without waiting for it.
func (s *stack) take() (item, error) {
	n := len(s.items)
	if n == 0 {
		return item{}, ErrStackUnderflow
	}
	top := s.items[n-1]
	s.items = s.items[:n-1]
	return top, nil
}

// swap exchanges the top item with the one at a depth.
func (s *stack) swap(depth int64) error {
	n := int64(len(s.items))
	if depth < 0 || depth >= n {
		return ErrStackUnderflow
	}
	s.items[n-1], s.items[n-1-depth] = s.items[n-1-depth], s.items[n-1]
	return nil
}

// values reads the operands of one instruction from the stack. The first
// error sticks: the instruction looks at it once, when it has popped all.
type values struct {
	m   *Machine
	err error
}

// any pops an item and waits for it.
func (v *values) any() any {
	if v.err != nil {
		return nil
	}
	top, err := v.m.pop()
	v.err = err
	return top.value
}

// list pops n items; the first one popped comes first.
func (v *values) list(n int) tuple.Tuple {
	t := make(tuple.Tuple, 0, max(0, min(n, 16)))
	for ; n > 0 && v.err == nil; n-- {
		t = append(t, v.any())
	}
	return t
}

func (v *values) bytes() []byte {
	popped := v.any()
	b, ok := popped.([]byte)
	if !ok && v.err == nil {
		v.err = typeError("a byte string", popped)
	}
	return b
}

// bytesOrNil pops a byte string, or nil for a null.
func (v *values) bytesOrNil() []byte {
	popped := v.any()
	if popped == nil {
		return nil
	}
	b, ok := popped.([]byte)
	if !ok && v.err == nil {
		v.err = typeError("a byte string or null", popped)
	}
	return b
}

func (v *values) text() string {
	popped := v.any()
	s, ok := popped.(string)
	if !ok && v.err == nil {
		v.err = typeError("a unicode string", popped)
	}
	return s
}

func (v *values) int64() int64 {
	popped := v.any()
	n, ok := popped.(int64)
	if !ok && v.err == nil {
		v.err = typeError("an integer", popped)
	}
	return n
}

func (v *values) int() int { return int(v.int64()) }

func (v *values) bool() bool { return v.int64() != 0 }

func (v *values) bigInt() *big.Int {
	switch n := v.any().(type) {
	case int64:
		return big.NewInt(n)
	case uint64:
		return new(big.Int).SetUint64(n)
	case *big.Int:
		return n
	default:
		if v.err == nil {
			v.err = typeError("an integer", n)
		}
		return new(big.Int)
	}
}

func (v *values) selector() Selector {
	return Selector{Key: v.bytes(), OrEqual: v.bool(), Offset: v.int()}
}

func (v *values) rangeOptions() RangeOptions {
	return RangeOptions{Limit: v.int(), Reverse: v.bool(), Mode: v.int()}
}
