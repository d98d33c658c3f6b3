package machine

import "fmt"

// writeOperations are those that change the database, and those that only add
// conflicts.
func writeOperations() map[string]operation {
	write := func(run func(*Machine, call) error) operation {
		return operation{run: run, database: true}
	}
	return map[string]operation{
		"SET":                     write(set),
		"CLEAR":                   write(clearKey),
		"CLEAR_RANGE":             write(clearRange),
		"CLEAR_RANGE_STARTS_WITH": write(clearRangeStartsWith),
		"ATOMIC_OP":               write(atomicOp),
		"READ_CONFLICT_RANGE":     {run: conflictRange(Transaction.AddReadConflict)},
		"WRITE_CONFLICT_RANGE":    {run: conflictRange(Transaction.AddWriteConflict)},
		"READ_CONFLICT_KEY":       {run: conflictKey(Transaction.AddReadConflictKey)},
		"WRITE_CONFLICT_KEY":      {run: conflictKey(Transaction.AddWriteConflictKey)},
	}
}

func set(m *Machine, c call) error {
	v := m.values()
	key, value := v.bytes(), v.bytes()
	if v.err != nil {
		return v.err
	}
	return m.write(c, func(t Transaction) error {
		t.Set(key, value)
		return nil
	})
}

func clearKey(m *Machine, c call) error {
	v := m.values()
	key := v.bytes()
	if v.err != nil {
		return v.err
	}
	return m.write(c, func(t Transaction) error {
		t.Clear(key)
		return nil
	})
}

func clearRange(m *Machine, c call) error {
	v := m.values()
	begin, end := v.bytes(), v.bytes()
	if v.err != nil {
		return v.err
	}
	return m.write(c, func(t Transaction) error {
		t.ClearRange(begin, end)
		return nil
	})
}

func clearRangeStartsWith(m *Machine, c call) error {
	v := m.values()
	prefix := v.bytes()
	if v.err != nil {
		return v.err
	}
	return m.write(c, func(t Transaction) error { return t.ClearPrefix(prefix) })
}

func atomicOp(m *Machine, c call) error {
	v := m.values()
	name, key, operand := v.text(), v.bytes(), v.bytes()
	if v.err != nil {
		return v.err
	}
	return m.write(c, func(t Transaction) error {
		if !t.Atomic(name, key, operand) {
			return fmt.Errorf("atomic operation %q: %w", name, ErrUnknownOperation)
		}
		return nil
	})
}

// conflictRange makes the operation that adds a conflict on a range.
func conflictRange(add func(t Transaction, begin, end []byte) error) func(*Machine, call) error {
	return func(m *Machine, c call) error {
		v := m.values()
		begin, end := v.bytes(), v.bytes()
		if v.err != nil {
			return v.err
		}
		t, err := m.transaction()
		if err == nil {
			err = add(t, begin, end)
		}
		if err == nil {
			m.stack.push(c.index, []byte("SET_CONFLICT_RANGE"))
		}
		return err
	}
}

// conflictKey makes the operation that adds a conflict on a key.
func conflictKey(add func(t Transaction, key []byte) error) func(*Machine, call) error {
	return func(m *Machine, c call) error {
		v := m.values()
		key := v.bytes()
		if v.err != nil {
			return v.err
		}
		t, err := m.transaction()
		if err == nil {
			err = add(t, key)
		}
		if err == nil {
			m.stack.push(c.index, []byte("SET_CONFLICT_KEY"))
		}
		return err
	}
}
