package machine

import (
	"maps"
	"slices"
	"strings"
)

// operation is what an instruction's name stands for.
type operation struct {
	run func(m *Machine, c call) error
	// snapshot and database say that the operation has these variants.
	snapshot, database bool
}

// call is one instruction about to be executed.
type call struct {
	operation
	// index is the number of the instruction.
	index int
	// argument is the instruction's own, nil if it has none.
	argument any
	// onSnapshot and onDatabase say which variant it is.
	onSnapshot, onDatabase bool
}

const (
	snapshotSuffix = "_SNAPSHOT"
	databaseSuffix = "_DATABASE"
)

// decode finds the operation and variant that name stands for.
func (m *Machine) decode(index int, name string) (call, error) {
	if o, ok := m.operations[name]; ok {
		return call{operation: o, index: index}, nil
	}
	base, onSnapshot := strings.CutSuffix(name, snapshotSuffix)
	base, onDatabase := strings.CutSuffix(base, databaseSuffix)
	o, ok := m.operations[base]
	if !ok || onSnapshot && onDatabase || onSnapshot && !o.snapshot || onDatabase && !o.database {
		return call{}, ErrUnknownOperation
	}
	return call{operation: o, index: index, onSnapshot: onSnapshot, onDatabase: onDatabase}, nil
}

// allOperations returns the machine's table.
func allOperations() map[string]operation {
	all := make(map[string]operation)
	for _, group := range []map[string]operation{
		dataOperations(), transactionOperations(), readOperations(), writeOperations(),
		tupleOperations(), threadOperations(), unitTestOperations(),
		directoryOperations(), subspaceOperations(),
	} {
		maps.Copy(all, group)
	}
	return all
}

// read runs f with the reader that a variant stands for.
func (m *Machine) read(c call, f func(Reader) error) error {
	if c.onDatabase {
		return m.client.Read(f)
	}
	t, err := m.transaction()
	if err != nil {
		return err
	}
	if c.onSnapshot {
		return f(t.Snapshot())
	}
	return f(t)
}

// write runs f with the transaction that a variant stands for. The variant on
// the database pushes that it ended.
func (m *Machine) write(c call, f func(Transaction) error) error {
	if c.onDatabase {
		err := m.client.Update(f)
		if err == nil {
			m.stack.push(c.index, []byte(notPresent))
		}
		return err
	}
	t, err := m.transaction()
	if err != nil {
		return err
	}
	return f(t)
}

// onTransaction makes an operation of one on the current transaction that pops
// nothing.
func onTransaction(f func(m *Machine, c call, t Transaction) error) operation {
	return operation{run: func(m *Machine, c call) error {
		t, err := m.transaction()
		if err != nil {
			return err
		}
		return f(m, c, t)
	}}
}

// Operations returns the names of all operations, in order, without those of
// their variants.
func Operations() []string { return slices.Sorted(maps.Keys(allOperations())) }

// Instructions returns the names of all operations and variants, in order.
func Instructions() []string {
	var names []string
	for name, o := range allOperations() {
		names = append(names, name)
		if o.snapshot {
			names = append(names, name+snapshotSuffix)
		}
		if o.database {
			names = append(names, name+databaseSuffix)
		}
	}
	slices.Sort(names)
	return names
}
