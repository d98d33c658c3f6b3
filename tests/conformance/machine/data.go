package machine

import (
	"fmt"
	"math/big"

	"github.com/plinthdb/plinth/kv/tuple"
)

// dataOperations are those on the stack itself.
func dataOperations() map[string]operation {
	return map[string]operation{
		"PUSH":        {run: push},
		"DUP":         {run: duplicate},
		"EMPTY_STACK": {run: emptyStack},
		"SWAP":        {run: swap},
		"POP":         {run: popOne},
		"SUB":         {run: subtract},
		"CONCAT":      {run: concatenate},
		"LOG_STACK":   {run: logStack},
		"WAIT_FUTURE": {run: waitFuture},
	}
}

func push(m *Machine, c call) error {
	m.stack.push(c.index, c.argument)
	return nil
}

func duplicate(m *Machine, _ call) error {
	top, err := m.stack.take()
	if err == nil {
		m.stack.items = append(m.stack.items, top, top)
	}
	return err
}

func emptyStack(m *Machine, _ call) error {
	m.stack.items = nil
	return nil
}

func swap(m *Machine, _ call) error {
	v := m.values()
	depth := v.int64()
	if v.err != nil {
		return v.err
	}
	return m.stack.swap(depth)
}

func popOne(m *Machine, _ call) error {
	_, err := m.stack.take()
	return err
}

func subtract(m *Machine, c call) error {
	v := m.values()
	a, b := v.bigInt(), v.bigInt()
	if v.err != nil {
		return v.err
	}
	m.stack.push(c.index, smallest(new(big.Int).Sub(a, b)))
	return nil
}

// smallest returns n as the type that unpacking it would give.
func smallest(n *big.Int) any {
	switch {
	case n.IsInt64():
		return n.Int64()
	case n.IsUint64():
		return n.Uint64()
	}
	return n
}

func concatenate(m *Machine, c call) error {
	v := m.values()
	a, b := v.any(), v.any()
	if v.err != nil {
		return v.err
	}
	switch a := a.(type) {
	case []byte:
		if b, ok := b.([]byte); ok {
			m.stack.push(c.index, append(a[:len(a):len(a)], b...))
			return nil
		}
	case string:
		if b, ok := b.(string); ok {
			m.stack.push(c.index, a+b)
			return nil
		}
	}
	return fmt.Errorf("needs two strings of one kind, but the stack has %T and %T", a, b)
}

func waitFuture(m *Machine, _ call) error {
	top, err := m.pop()
	if err == nil {
		m.stack.push(top.instruction, top.value)
	}
	return err
}

const (
	// loggedBytes is where the specification cuts a logged item.
	loggedBytes = 40000
	// loggedItems is how many items are logged in one transaction.
	loggedItems = 100
)

// logStack writes all items to the database and removes them.
func logStack(m *Machine, _ call) error {
	v := m.values()
	prefix := v.bytes()
	if v.err != nil {
		return v.err
	}
	rows := make([]KeyValue, 0, len(m.stack.items))
	for len(m.stack.items) > 0 {
		top, err := m.pop()
		if err != nil {
			return err
		}
		row, err := m.logRow(prefix, len(m.stack.items), top)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	for len(rows) > 0 {
		n := min(len(rows), loggedItems)
		err := m.client.Update(func(t Transaction) error {
			for _, row := range rows[:n] {
				t.Set(row.Key, row.Value)
			}
			return nil
		})
		if err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// logRow returns the row that logs the item at a place of the stack.
func (m *Machine) logRow(prefix []byte, place int, logged item) (row KeyValue, err error) {
	key, err := m.client.Tuples().Pack(tuple.Tuple{int64(place), int64(logged.instruction)})
	if err != nil {
		return row, err
	}
	value, err := m.client.Tuples().Pack(tuple.Tuple{logged.value})
	if err != nil {
		return row, err
	}
	return KeyValue{
		Key:   append(prefix[:len(prefix):len(prefix)], key...),
		Value: value[:min(len(value), loggedBytes)],
	}, nil
}
